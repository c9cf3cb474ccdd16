"""The checks of `flask doctor`: whether this installation keeps its promises."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text

from petitions import clock, file_modes
from petitions.db.transactions import reading
from petitions.domain import retention as policy
from petitions.domain.retention import Clock
from petitions.domain.states import CampaignState
from petitions.models import Campaign
from petitions.queries import retention
from petitions.queries.board import outbox
from petitions.settings import Settings

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
POSTGRES = ("fsync", "full_page_writes", "synchronous_commit")
SCRUB_WAITS = timedelta(days=2)


@dataclass(frozen=True)
class Checkup:
    """`faults` break a promise of this installation; `notes` are only information."""

    faults: list[str]
    notes: list[str]


def checkup(settings: Settings) -> Checkup:
    """Check the database, the files, the clock and the e-mails."""
    faults = [*_database(), *_files(settings)]
    clock_state = retention.clock_state()
    if clock_state in (Clock.JUMPED, Clock.EARLIER):
        faults.append(
            f"The clock cannot be trusted ({clock_state}), so nothing is erased: see flask retention trust-clock"
        )
    notes = [f"Retention: {_retention(clock_state)}", *_endless()]
    mails = outbox()
    if mails.oldest_at is not None:
        said = f"E-mails waiting: {mails.waiting}; the oldest since {mails.oldest_at:%Y-%m-%d %H:%M} UTC"
        (faults if mails.is_late else notes).append(said)
    return Checkup(faults, notes)


def _database() -> list[str]:
    with reading() as connection:
        if connection.dialect.name == "sqlite":
            found = {name: connection.scalar(text(f"PRAGMA {name}")) for name in PRAGMAS}
            return [f"SQLite: {key} is {found[key]}, not {want}" for key, want in PRAGMAS.items() if found[key] != want]
        said = {name: connection.scalar(text(f"SHOW {name}")) for name in POSTGRES}
        scrubbed = retention.marks(connection).get(policy.SCRUBBED)
    faults = [f"Postgres: {name} is off: a power cut would lose signatures" for name in POSTGRES if said[name] == "off"]
    if scrubbed and clock.now() - scrubbed > SCRUB_WAITS:
        faults.append(f"Postgres: erased bytes may still be on the disk, not scrubbed since {scrubbed:%Y-%m-%d}")
    return faults


def _files(settings: Settings) -> list[str]:
    return [f"{path} can be read by others: chmod go= {path}" for path in file_modes.open_to_others(settings)]


def _retention(state: Clock) -> str:
    with reading() as connection:
        last = retention.marks(connection).get(policy.SEEN)
    return f"clock {state}, last run {last:%Y-%m-%d %H:%M} UTC" if last else f"clock {state}, no run yet"


def _endless() -> list[str]:
    endless = select(Campaign.slug).where(Campaign.state == CampaignState.OPEN, Campaign.closes_at.is_(None))
    with reading() as connection:
        slugs = list(connection.scalars(endless.order_by(Campaign.id)))
    return [f"{slug} has no closing date, so no day on which its names are erased" for slug in slugs]
