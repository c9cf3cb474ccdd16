"""Layers: a package imports only packages of lower layers, absolutely, at the top of a module, never in a circle."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "petitions"
# From the lowest layer up. Packages on one line do not import each other, except those of the first line.
LAYERS = (
    ("errors", "clock", "locales", "logs", "parts", "settings"),
    ("file_modes", "domain"),
    ("db",),
    ("models",),
    ("content",),
    ("queries",),
    ("migrations",),
    ("mail", "kit"),
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
    ("sending",),
    ("worker",),
    ("cli", "web"),
    ("factory",),
)
LAYER_OF = {package: layer for layer, packages in enumerate(LAYERS) for package in packages}
DIVIDED = {package.split(".")[0] for package in LAYER_OF if "." in package}
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
    def package(self) -> str:
        """Its package, as in LAYERS; empty for `petitions` itself."""
        return package_of(self.name)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Its syntax tree, flat."""
        return list(ast.walk(ast.parse(self.source)))

    @cached_property
    def imported(self) -> list[tuple[str, str]]:
        """Its imports: each module, with the name imported from it, if any."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found += [(str(node.module), alias.name) for alias in node.names]
        return found

    @cached_property
    def shape_faults(self) -> list[str]:
        """Relative and local imports, and functions or modules that are too long."""
        return list(_shape_faults(self))


def package_of(name: str) -> str:
    """The package of a module: below `petitions`, or one level deeper if LAYERS lists subpackages."""
    parts = name.split(".")[1:]
    depth = 2 if parts and parts[0] in DIVIDED else 1
    return ".".join(parts[:depth])


@cache
def package_modules() -> dict[str, Module]:
    """Every module of the package."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = ("petitions", *path.relative_to(PACKAGE).with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = Module(name, path.read_text(encoding="utf-8"))
    return found


def targets(module: Module, modules: dict[str, Module]) -> set[str]:
    """The modules that a module imports, submodules rather than packages."""
    return {f"{name}.{taken}" if f"{name}.{taken}" in modules else name for name, taken in module.imported}


def faults(modules: dict[str, Module]) -> list[str]:
    """All violations, as sentences."""
    found = []
    for module in modules.values():
        found += [f"{module.name}: {what}" for what in _faults_of(module, modules)]
    return found + [f"circle: {' -> '.join(circle)}" for circle in circles(modules)]


def _faults_of(module: Module, modules: dict[str, Module]) -> Iterator[str]:
    if module.package and module.package not in LAYER_OF:
        yield "has no layer: add it to LAYERS, then run `make rooms`"
        return
    for target in sorted(targets(module, modules)):
        if target.split(".")[0] == "petitions" and not _may_import(module, target):
            yield f"may not import {target}"
        if target.split(".")[0] == "sqlalchemy" and module.package in ("cli", "web") and module.name not in SQL_ALLOWED:
            yield "may not use SQL"
    yield from module.shape_faults


def _may_import(module: Module, target: str) -> bool:
    package = package_of(target)
    if not module.package or package == module.package:
        return bool(module.package)
    ours, theirs = LAYER_OF[module.package], LAYER_OF.get(package, 99)
    return theirs < ours or ours == theirs == 0


def _shape_faults(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"line {node.lineno}: relative import"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)):
                yield f"{node.name} has a local import"
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONGEST_FUNCTION and not module.name.startswith(WRITTEN_BY_ALEMBIC):
                yield f"{node.name} has {length} lines"
    length = len(module.source.splitlines())
    if length > LONGEST_MODULE and not module.name.startswith(WRITTEN_BY_ALEMBIC):
        yield f"has {length} lines"


def circles(modules: dict[str, Module]) -> list[list[str]]:
    """Circular imports."""
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


def test_imports_follow_the_layers() -> None:
    assert faults(package_modules()) == []


def test_every_folder_and_module_has_a_layer() -> None:
    there = {package_of(name) for name in package_modules()} - {""}
    assert there - WITHOUT_CODE == set(LAYER_OF)


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
        ("petitions.services.new", "", "has no layer"),
        ("petitions.worker", "from petitions import factory", "may not import petitions.factory"),
        (
            "petitions.models.new",
            "from petitions.content.fields import Text",
            "may not import petitions.content.fields",
        ),
        ("petitions", "from petitions import factory", "may not import petitions.factory"),
        ("petitions.services.limits.new", "def f():\n    import json", "f has a local import"),
        ("petitions.services.limits.new", "def f():\n    from petitions import clock", "f has a local import"),
        ("petitions.services.limits.new", "class A:\n    def f(self):\n        import json", "f has a local import"),
        ("petitions.services.limits.new", "from . import limits", "line 1: relative import"),
        ("petitions.services.limits.new", "from ..clock import now", "line 1: relative import"),
        ("petitions.utils", "", "has no layer"),
        ("petitions.helpers.things", "", "has no layer"),
        ("petitions.web.new", "import sqlalchemy", "may not use SQL"),
        ("petitions.cli.new", "from sqlalchemy.orm import Session", "may not use SQL"),
        ("petitions.services.limits.new", LONG, "grow has 41 lines"),
        ("petitions.services.limits.new", "\n" * 301, "has 301 lines"),
        ("petitions.services.signing.new", "from petitions.services.limits import rate_limits\n", ""),
    ],
)
def test_a_forbidden_import_is_noticed(name: str, source: str, fault: str) -> None:
    modules = {**package_modules(), name: Module(name, source)}
    found = faults(modules)
    assert any(each.startswith(f"{name}: {fault}") for each in found) if fault else not found, found


def test_a_circular_import_is_noticed_also_inside_a_package() -> None:
    modules = {**package_modules()}
    outbox = modules["petitions.services.mailing.outbox"]
    modules[outbox.name] = Module(outbox.name, outbox.source + "\nfrom petitions.services.signing import signing\n")
    circle = (
        "petitions.services.mailing.outbox -> petitions.services.signing.signing -> petitions.services.mailing.outbox"
    )
    assert f"circle: {circle}" in faults(modules)
