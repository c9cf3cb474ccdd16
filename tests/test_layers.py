"""The house: every room stands on those below it, and nobody builds an extra door."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "petitions"
# From the lowest layer up. Rooms on one line do not import each other, but for those of the first line.
FLOORS = (
    ("errors", "clock", "locales", "logs", "settings"),
    ("file_modes", "domain"),
    ("db",),
    ("models",),
    ("content",),
    ("queries",),
    ("migrations",),
    ("mail",),
    ("services",),  # the package itself holds nothing
    ("services.journal", "services.signatures"),
    ("services.keys",),
    ("services.ledger",),
    ("services.installation", "services.limits"),
    ("services.mailing",),
    ("services.privacy", "services.moderation"),
    ("services.signing",),
    ("services.campaigns", "services.paper", "services.staff"),
    ("services.operations",),
    ("worker",),
    ("cli", "web"),
    ("factory",),
)
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
DIVIDED = {room.split(".")[0] for room in HEIGHT if "." in room}
WITHOUT_CODE = {"demo"}  # the demo campaign's texts and drawings
SQL_ALLOWED = {"petitions.web.api.health"}
LONGEST_FUNCTION, LONGEST_MODULE = 40, 300  # lines
WRITTEN_BY_ALEMBIC = "petitions.migrations.versions."


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    source: str

    @property
    def room(self) -> str:
        """The room it is in, as FLOORS names it; empty for the package itself."""
        return room_of(self.name)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Its syntax tree, flat."""
        return list(ast.walk(ast.parse(self.source)))

    @cached_property
    def imported(self) -> list[tuple[str, str]]:
        """What it imports: each module, with the name that is taken out of it, if one is."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found += [(str(node.module), alias.name) for alias in node.names]
        return found

    @cached_property
    def shape_faults(self) -> list[str]:
        """Imports in odd places, and what is too long."""
        return list(_shape_faults(self))


def room_of(name: str) -> str:
    """The room that holds a module: right below `petitions`, or below a package that FLOORS divides into rooms."""
    parts = name.split(".")[1:]
    depth = 2 if parts and parts[0] in DIVIDED else 1
    return ".".join(parts[:depth])


@cache
def house() -> dict[str, Module]:
    """Every module of the package."""
    found = {}
    for path in HOUSE.rglob("*.py"):
        parts = ("petitions", *path.relative_to(HOUSE).with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = Module(name, path.read_text(encoding="utf-8"))
    return found


def targets(module: Module, modules: dict[str, Module]) -> set[str]:
    """What a module imports, each as the most exact module there is."""
    return {f"{name}.{taken}" if f"{name}.{taken}" in modules else name for name, taken in module.imported}


def faults(modules: dict[str, Module]) -> list[str]:
    """Everything that is built wrong."""
    found = []
    for module in modules.values():
        found += [f"{module.name}: {what}" for what in _faults_of(module, modules)]
    return found + [f"circle: {' -> '.join(circle)}" for circle in circles(modules)]


def _faults_of(module: Module, modules: dict[str, Module]) -> Iterator[str]:
    if module.room and module.room not in HEIGHT:
        yield "has no place in the house: give it one in FLOORS, then `make rooms`"
        return
    for target in sorted(targets(module, modules)):
        if target.split(".")[0] == "petitions" and not _may_know(module, target):
            yield f"may not import {target}"
        if target.split(".")[0] == "sqlalchemy" and module.room in ("cli", "web") and module.name not in SQL_ALLOWED:
            yield "may not speak SQL"
    yield from module.shape_faults


def _may_know(module: Module, target: str) -> bool:
    room = room_of(target)
    if not module.room or room == module.room:
        return bool(module.room)
    ours, theirs = HEIGHT[module.room], HEIGHT.get(room, 99)
    return theirs < ours or ours == theirs == 0


def _shape_faults(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"line {node.lineno}: relative import"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)):
                yield f"{node.name} hides an import"
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONGEST_FUNCTION and not module.name.startswith(WRITTEN_BY_ALEMBIC):
                yield f"{node.name} has {length} lines"
    length = len(module.source.splitlines())
    if length > LONGEST_MODULE and not module.name.startswith(WRITTEN_BY_ALEMBIC):
        yield f"has {length} lines"


def circles(modules: dict[str, Module]) -> list[list[str]]:
    """Modules that import each other in a circle."""
    edges = {name: targets(module, modules) & set(modules) for name, module in modules.items()}
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> None:
        if name in way:
            found.append([*way[way.index(name) :], name])
        elif name not in done:
            for target in sorted(edges[name] - {name}):
                walk(target, [*way, name])
            done.add(name)

    for name in sorted(modules):
        walk(name, [])
    return found


def test_the_house_stands_as_it_is_drawn() -> None:
    assert faults(house()) == []


def test_every_folder_and_module_has_a_place() -> None:
    there = {room_of(name) for name in house()} - {""}
    assert there - WITHOUT_CODE == set(HEIGHT)


LONG = "def grow():\n" + "    pass\n" * 40


@pytest.mark.parametrize(
    ("name", "source", "fault"),
    [
        ("petitions.services.limits.new", "from petitions.web import routes", "may not import petitions.web.routes"),
        ("petitions.services.limits.new", "import petitions.cli.commands", "may not import petitions.cli.commands"),
        ("petitions.web.new", "from petitions.cli import setup", "may not import petitions.cli.setup"),
        ("petitions.cli.new", "from petitions.web.i18n import locale", "may not import petitions.web.i18n"),
        ("petitions.clock", "from petitions.domain import sealing", "may not import petitions.domain.sealing"),
        (
            "petitions.queries.new",
            "from petitions.services.keys.keyring import keyring",
            "may not import petitions.services",
        ),
        (
            "petitions.services.limits.new",
            "from petitions.services.signing import signing",
            "may not import petitions.services.signing",
        ),
        ("petitions.services.new", "", "has no place in the house"),
        ("petitions.worker", "from petitions import factory", "may not import petitions.factory"),
        (
            "petitions.models.new",
            "from petitions.content.fields import Text",
            "may not import petitions.content.fields",
        ),
        ("petitions", "from petitions import factory", "may not import petitions.factory"),
        ("petitions.services.limits.new", "def f():\n    import json", "f hides an import"),
        ("petitions.services.limits.new", "def f():\n    from petitions import clock", "f hides an import"),
        ("petitions.services.limits.new", "class A:\n    def f(self):\n        import json", "f hides an import"),
        ("petitions.services.limits.new", "from . import limits", "line 1: relative import"),
        ("petitions.services.limits.new", "from ..clock import now", "line 1: relative import"),
        ("petitions.utils", "", "has no place in the house"),
        ("petitions.helpers.things", "", "has no place in the house"),
        ("petitions.web.new", "import sqlalchemy", "may not speak SQL"),
        ("petitions.cli.new", "from sqlalchemy.orm import Session", "may not speak SQL"),
        ("petitions.services.limits.new", LONG, "grow has 41 lines"),
        ("petitions.services.limits.new", "\n" * 301, "has 301 lines"),
        ("petitions.services.signing.new", "from petitions.services.limits import rate_limits\n", ""),
    ],
)
def test_a_wrong_door_is_noticed(name: str, source: str, fault: str) -> None:
    modules = {**house(), name: Module(name, source)}
    found = faults(modules)
    assert any(each.startswith(f"{name}: {fault}") for each in found) if fault else not found, found


def test_a_circle_is_noticed_also_inside_a_room() -> None:
    modules = {**house()}
    outbox = modules["petitions.services.mailing.outbox"]
    modules[outbox.name] = Module(outbox.name, outbox.source + "\nfrom petitions.services.signing import signing\n")
    circle = (
        "petitions.services.mailing.outbox -> petitions.services.signing.signing -> petitions.services.mailing.outbox"
    )
    assert f"circle: {circle}" in faults(modules)
