"""The present time: the only module that reads the clock, so that tests can set it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the former continues while the machine is suspended


@dataclass(frozen=True)
class Boot:
    """The machine's boot: its id, and its time by the present clock. If the clock jumps, `began_at` changes."""

    id: str
    began_at: datetime


def _system() -> datetime:
    return datetime.now(UTC)


def _system_boot() -> Boot:
    name = _BOOT_ID.read_text().strip().replace("-", "") if _BOOT_ID.exists() else "unknown"
    return Boot(name, _system() - timedelta(seconds=time.clock_gettime(_UPTIME)))


_source: Callable[[], datetime] = _system
_boot_source: Callable[[], Boot] = _system_boot

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # replaces a time that was erased

STOPPED = Boot("stopped", datetime(2020, 1, 1, tzinfo=UTC))


def now() -> datetime:
    """The present moment, as an aware datetime in UTC."""
    return _source()


def boot() -> Boot:
    """When this machine was started; the answer stays the same while the clock runs steadily."""
    return _boot_source()


@contextmanager
def stopped_at(moment: datetime, machine: Boot = STOPPED) -> Iterator[None]:
    """Fix the process's clock at `moment`, without a jump of the clock; for tests."""
    global _source, _boot_source
    before = _source, _boot_source
    _source, _boot_source = lambda: moment.astimezone(UTC), lambda: machine
    try:
        yield
    finally:
        _source, _boot_source = before


QUARTER = timedelta(minutes=15)


def quarter_of(moment: datetime) -> datetime:
    """The beginning of the quarter of an hour that contains `moment`: when counts are published."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def minute_of(moment: datetime) -> datetime:
    """`moment` without seconds: times of signers are stored no finer, so that other logs cannot identify them."""
    return moment.replace(second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour that contains `moment`: the bucket of the counts."""
    return moment.replace(minute=0, second=0, microsecond=0)
