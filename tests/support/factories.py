"""Factories with good defaults: a test states only what matters to it.

People have roles: Ann signs, Bob shares Ann's mailbox, Carla is staff, Eve attacks. Functions that use the database
need an application context: the fixture `context`.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Row, func, select

from petitions.content import reading as content_reading
from petitions.db.base import Base, db
from petitions.db.transactions import reading, write_lock, write_queue
from petitions.domain import sealing
from petitions.domain.states import SignatureState
from petitions.factory import create_app
from petitions.models import Count, Message, Signer
from petitions.queries import counts, signer
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign, catalogue
from petitions.services.campaigns import folders
from petitions.services.keys import recipient_keys
from petitions.services.keys.keyring import keyring
from petitions.services.privacy.consent import consent_version
from petitions.services.signing import confirming
from petitions.services.signing.signing import Entry, sign_cases
from petitions.settings import Settings

EMBLEM = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 90"><circle r="9" fill="currentColor"/></svg>'
BASE_URL = "http://localhost"  # what Flask's test client asks for


@dataclass(frozen=True)
class Person:
    """A person who signs."""

    first_name: str
    last_name: str
    email: str


@dataclass(frozen=True)
class Staff:
    """A member of staff who can log in."""

    name: str
    password: str


ANN = Person("Ann", "O’Connor", "ann@example.org")
BOB = Person("Bob", "O’Connor", "ann@example.org")
CARLA = Staff("carla", "correct horse battery staple")
EVE = Person("Eve", "Moriarty", "eve@example.net")


@dataclass(frozen=True)
class Keys:
    """All keys of one installation; the section's private one would never lie on a real server."""

    secret_key: str
    master_key: str
    section_private: str
    section_public: str


def make_keys() -> Keys:
    """Fresh keys: costs a moment, so once a session is enough."""
    master_key, _ = sealing.new_identity()
    private, public = sealing.new_identity()
    return Keys("a secret key that is only for tests", master_key, private, public)


def make_app(database_url: str, folder: Path, keys: Keys, **over: Any) -> Flask:
    """An application on `database_url`, with everything else below `folder`; `over` are further settings."""
    chosen: dict[str, Any] = {
        "instance": folder / "instance",
        "database_url": database_url,
        "base_url": BASE_URL,
        "mail_url": f"file:{folder / 'mailbox'}",
        "mail_from": "Petitions <petitions@example.org>",
        "secret_key": keys.secret_key,
        "master_key": keys.master_key,
    }
    settings = Settings(**{**chosen, **over}).completed()
    assert settings.faults() == []
    app = create_app(settings)
    app.testing = True
    return app


def copy_instance(template: Path, folder: Path) -> None:
    """Give `folder` the campaign keys and the pinned public keys that the template's database was made with."""
    shutil.copytree(template / "instance", folder / "instance", dirs_exist_ok=True)


def close_app(app: Flask) -> None:
    """Close every connection of `app`."""
    with app.app_context():
        db.session.remove()
        write_queue().close()
        db.engine.dispose()
        write_lock().close()


def write_campaign(
    folder: Path,
    *,
    slug: str = "water-2026",
    languages: Sequence[str] = ("fr", "en"),
    cases: Sequence[str] = ("river", "forest", "lake"),
    states: dict[str, str] | None = None,
    stories: Sequence[str] = ("spring",),
    unnamed: Sequence[str] = (),
    countries: dict[str, str] | None = None,
    **plain: str,
) -> Path:
    """A small campaign without faults, as files below `folder`. `plain` holds TOML values, like goal="5".

    The cases named in `unnamed` hand over no names. Counts are live here, as most tests want to see them.
    """
    plain = {"state": '"open"', "goal": "1000", "counts": '"live"', **plain}
    names = "\n".join(f'{language} = "Water ({language})"' for language in languages)
    parts = [
        f'slug = "{slug}"\nlanguages = {list(languages)}',
        *(f"{key} = {value}" for key, value in plain.items()),
        '[controller]\nname = "A section"\nemail = "privacy@example.org"\naddress = "1, Main Street"',
        f"[topics.water]\n{names}",
    ]
    for case in cases:
        state = (states or {}).get(case, "open")
        country = (countries or {}).get(case, "BY")
        parts.append(
            f'[[cases]]\nslug = "{case}"\ncountry = "{country}"\ntopic = "water"\nstate = "{state}"\ngoal = 100'
        )
        parts += ["hands_over_names = false"] if case in unnamed else []
        write(folder / "cases" / case / "emblem.svg", EMBLEM)
    parts += [f'[[stories]]\nslug = "{story}"\nyear = 2020\ncountry = "TD"' for story in stories]
    write(folder / "campaign.toml", "\n".join(parts) + "\n")
    for language in languages:
        write(folder / "texts" / f"{language}.md", campaign_text(language))
        for case in cases:
            write(folder / "cases" / case / f"{language}.md", case_text(case, language))
        for story in stories:
            write(folder / "stories" / story / f"{language}.md", story_text(story, language))
    return folder


def campaign_text(language: str) -> str:
    """The file texts/<language>.md."""
    return (
        f'+++\ntitle = "Water {language}"\ntagline = "Water for all"\ndescription = "A campaign."\n'
        f'closed_text = "It is over."\n+++\n\nWater is a right, in {language}.\n'
    )


def case_text(case: str, language: str) -> str:
    """The file cases/<case>/<language>.md."""
    return (
        f'+++\ntitle = "The {case} ({language})"\nsummary = "Save the {case}."\ndemand = "We demand the {case}."\n'
        f'addressee = "The minister"\nimage_alt = "A drop."\nletter = "Dear minister,"\n+++\n\nThe {case} is dry.\n'
    )


def story_text(story: str, language: str) -> str:
    """The file stories/<story>/<language>.md."""
    return f'+++\ntitle = "The {story} ({language})"\nsummary = "It runs again."\n+++\n\nThe {story} runs again.\n'


def write(path: Path, text: str) -> Path:
    """The file with this text, its folders made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def make_campaign(app: Flask, folder: Path, **over: Any) -> PublicCampaign:
    """A campaign that `app` knows; `over` goes to `write_campaign`."""
    return load_campaign(app, write_campaign(folder, **over))


def load_campaign(app: Flask, folder: Path) -> PublicCampaign:
    """The campaign in `folder`, as `app` knows it once it is imported."""
    content = content_reading.read(folder)
    with app.app_context():
        folders.import_campaign(content, CATALOGUE_CACHE.of(app))
        shelved = catalogue().campaign(content.slug) if content.state != "draft" else None
        for language in shelved.languages if shelved else ():  # written before anybody waits in a queue that tests hold
            consent_version(shelved.id, language, CONSENT)
        return catalogue().campaign(content.slug)


def add_section_key(app: Flask, keys: Keys) -> None:
    """Let `app` seal to the section's key."""
    with app.app_context():
        recipient_keys.add_recipient("section", keys.section_public, CATALOGUE_CACHE.of(app))


CONSENT = "What the form said."


def make_entry(campaign: PublicCampaign, person: Person = ANN, *cases: str, **over: Any) -> Entry:
    """What a form would bring: `person` signs `cases`, or all open ones."""
    chosen = [campaign.case(slug) for slug in cases] or campaign.open_cases
    names = {"first_name": person.first_name, "last_name": person.last_name, "email": person.email}
    return Entry(**{"campaign": campaign, "cases": chosen, "locale": "fr", "consent": CONSENT, **names, **over})


def sign(campaign: PublicCampaign, person: Person = ANN, *cases: str, **over: Any) -> None:
    """`person` signs `cases`, or all open ones, and has not confirmed yet."""
    sign_cases(make_entry(campaign, person, *cases, **over))


def confirm(campaign: PublicCampaign, person: Person = ANN, *cases: str, **over: Any) -> str:
    """`person` signs and confirms; gives the token of the link."""
    sign(campaign, person, *cases, **over)
    token = token_of(newest(Signer).id)
    confirming.confirm_signer(token)
    return token


def token_of(signer_id: int) -> str:
    """The secret part of the link in this signer's mails."""
    return confirming.link_token(signer.facts(signer_id))


def code_of(signer_id: int) -> str:
    """The six digits in this signer's mails."""
    return confirming.code(signer.facts(signer_id))


def rows(model: type[Base], *where: Any) -> list[Row[Any]]:
    """The table's rows, in the order of their keys."""
    table = model.__table__
    with reading() as connection:
        statement = select(*table.columns).where(*where).order_by(*table.primary_key.columns)
        return list(connection.execute(statement).all())


def newest(model: type[Base]) -> Row[Any]:
    """The last row of a table."""
    return rows(model)[-1]


def letters() -> list[tuple[str, str]]:
    """Kind and address of each mail that still waits, in the order in which they were queued."""
    waiting = [row for row in rows(Message) if row.payload is not None and row.signer_id is not None]
    return [(row.kind, sealing.unseal(row.payload, [keyring().master_key])["to"]) for row in waiting]


def counted(connection: Connection) -> dict[tuple[int, str], int]:
    """What the counts say, by (case, state), without the zeros: comparable to `counts.recounted`."""
    states = [str(state) for state in SignatureState]
    sums = [func.sum(getattr(Count, state)) for state in states]
    found = connection.execute(select(Count.case_id, *sums).group_by(Count.case_id)).all()
    return {(row[0], state): int(n) for row in found for state, n in zip(states, row[1:], strict=True) if n}


def miscounts() -> list[tuple[Any, ...]]:
    """Where the counts and the signatures differ in one snapshot; empty if all is well."""
    with reading() as connection:
        said, real = counted(connection), counts.recounted(connection)
    return [
        (key, said.get(key, 0), real.get(key, 0)) for key in said.keys() | real.keys() if said.get(key) != real.get(key)
    ]


@contextmanager
def queue_held(app: Flask, arrived: int) -> Iterator[None]:
    """Keep the writers' queue busy during the block, and until `arrived` writers wait: they then share one batch."""
    begun, may_end = threading.Event(), threading.Event()

    def block(_connection: Connection, items: Sequence[None]) -> list[None]:
        begun.set()
        assert may_end.wait(20)
        return list(items)

    def lead() -> None:
        with app.app_context():
            write_queue().submit(block, None)

    leader = threading.Thread(target=lead)
    leader.start()
    assert begun.wait(20)
    try:
        yield
        with app.app_context():
            _wait_for(write_queue(), arrived)
    finally:
        may_end.set()
        leader.join()


def _wait_for(queue: Any, arrived: int) -> None:
    give_up_at = time.monotonic() + 20
    while len(queue.waiting) < arrived:
        assert time.monotonic() < give_up_at, "the writers did not arrive"
        time.sleep(0.002)


def start_threads(
    app: Flask, works: Sequence[Callable[[], object]], patience: float = 60
) -> Callable[[], list[BaseException | None]]:
    """Begin all `works` at once, each in a thread with a context; call the result to wait for what each raised."""
    raised: list[BaseException | None] = [None] * len(works)
    barrier = threading.Barrier(len(works))

    def run(place: int) -> None:
        with app.app_context():
            try:
                barrier.wait(20)
                works[place]()
            except BaseException as exc:
                raised[place] = exc

    def finished() -> list[BaseException | None]:
        for thread in threads:
            thread.join(patience)
        return raised

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(works))]
    for thread in threads:
        thread.start()
    return finished


def in_threads(app: Flask, works: Sequence[Callable[[], object]], patience: float = 60) -> list[BaseException | None]:
    """Run all `works` at once, each in a thread with a context; gives what each of them raised."""
    return start_threads(app, works, patience)()


def together(app: Flask, works: Sequence[Callable[[], object]]) -> list[BaseException | None]:
    """The same, so that the writers among them, one a thread, share one batch of the queue."""
    with queue_held(app, arrived=len(works)):
        finished = start_threads(app, works)
    return finished()


def dump(*left_out: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without the columns `left_out` ("table.column")."""
    found = {}
    with reading() as connection:
        for table in Base.metadata.sorted_tables:
            columns = [column for column in table.columns if str(column) not in left_out]
            everything = connection.execute(select(*columns).order_by(*table.primary_key.columns))
            found[table.name] = [tuple(row) for row in everything]
    return found
