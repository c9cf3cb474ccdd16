"""The only place that asks what time it is, so that tests can set it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _source()


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Let the whole process believe that it is `moment`; for tests."""
    global _source
    before, _source = _source, lambda: moment
    try:
        yield
    finally:
        _source = before


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour in which `moment` lies: the bucket of the counts."""
    return moment.replace(minute=0, second=0, microsecond=0)
