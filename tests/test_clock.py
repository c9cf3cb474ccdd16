"""Time: one source, and tests can stop it."""

from datetime import UTC, datetime, timedelta

import pytest

from petitions import clock
from petitions.settings import ROOT

MOMENT = datetime(2026, 12, 10, 9, 59, 59, 999999, tzinfo=UTC)


def test_now_is_now_and_aware() -> None:
    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)
    assert clock.now().tzinfo is UTC


def test_time_can_be_stopped_and_goes_on_afterwards() -> None:
    with clock.stopped_at(MOMENT):
        assert clock.now() == MOMENT
        with clock.stopped_at(MOMENT + timedelta(days=1)):
            assert clock.now() == MOMENT + timedelta(days=1)
        assert clock.now() == MOMENT
    assert clock.now() > datetime(2026, 1, 1, tzinfo=UTC)


def goes_wrong() -> None:
    """Something that fails while time is stopped."""
    with clock.stopped_at(MOMENT):
        raise ZeroDivisionError


def test_time_goes_on_also_when_something_went_wrong() -> None:
    with pytest.raises(ZeroDivisionError):
        goes_wrong()
    assert clock.now() != MOMENT


def test_an_hour_begins_at_its_beginning() -> None:
    assert clock.hour_of(MOMENT) == datetime(2026, 12, 10, 9, tzinfo=UTC)


def test_nobody_else_asks_what_time_it_is() -> None:
    asking = ("datetime.now", "datetime.utcnow", "date.today", "time.time()")
    found = {
        path.relative_to(ROOT / "petitions").as_posix()
        for path in (ROOT / "petitions").rglob("*.py")
        if any(word in path.read_text() for word in asking)
    }
    allowed = {"clock.py", "cli/commands.py", "web/sessions.py", "kit/builder.py"}
    assert found <= allowed, "cookies, the operator's calendar, and ages of files"
