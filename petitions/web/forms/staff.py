"""Forms for moderation. The session's CSRF token is checked before any of these is read."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from petitions import clock
from petitions.domain.states import InvalidationKind
from petitions.queries.moderation import INVALIDATABLE, Condition
from petitions.services.limits import group_codes
from petitions.web.forms.words import REFUSALS


def _printable(typed: str | None) -> str | None:
    """The typed text without characters that no database or page accepts."""
    return "".join(char for char in typed if char.isprintable()) if typed else typed


class StaffForm(FlaskForm):  # type: ignore[misc]
    """A form whose times are in the campaign's time zone."""

    class Meta:
        """No CSRF token of its own: the session's is checked."""

        csrf = False

    def __init__(self, timezone: str, stored: dict[str, Any] | None = None) -> None:
        super().__init__(formdata=request.form or None, data=stored)
        self.zone = ZoneInfo(timezone)

    def moment(self, field: Field) -> datetime | None:
        """The typed time, in UTC; None if empty."""
        typed = (field.data or "").strip()
        try:
            return datetime.fromisoformat(typed).replace(tzinfo=self.zone).astimezone(UTC) if typed else None
        except (ValueError, OverflowError) as exc:
            raise ValidationError(REFUSALS["time_wrong"]) from exc


class GroupCodeForm(StaffForm):
    """A group code: place, number of signers, begin and end."""

    place = StringField(filters=[_printable])
    most = StringField(default=str(group_codes.DEFAULT_SIGNERS))
    opens_at = StringField()
    closes_at = StringField()

    def validate_opens_at(self, field: Field) -> None:
        """Default: now."""
        self.begin = self.moment(field) or clock.now()

    def validate_closes_at(self, field: Field) -> None:
        """Default: an hour after the beginning."""
        self.end = self.moment(field) or getattr(self, "begin", clock.now()) + group_codes.DEFAULT_DURATION

    def validate_most(self, field: Field) -> None:
        """A number; by default 40."""
        typed = (field.data or "").strip() or str(group_codes.DEFAULT_SIGNERS)
        self.number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 6 else 0


class InvalidationForm(StaffForm):
    """Which signatures, and why."""

    cases = SelectMultipleField(validate_choice=False)
    signed_from = StringField()
    signed_until = StringField()
    source = StringField(filters=[_printable])
    pass_id = StringField()
    state = StringField()
    kind = StringField()
    reason = StringField(filters=[_printable])

    def validate_signed_from(self, field: Field) -> None:
        """A time or nothing."""
        self.begin = self.moment(field)

    def validate_signed_until(self, field: Field) -> None:
        """A time or nothing."""
        self.end = self.moment(field)

    @property
    def chosen_kind(self) -> InvalidationKind:
        """The kind of reason; "other" if none of them was sent."""
        known = {str(kind): kind for kind in InvalidationKind}
        return known.get(self.kind.data or "", InvalidationKind.OTHER)

    def condition(self) -> Condition:
        """The condition; only after validation."""
        number = self.pass_id.data or ""
        return Condition(
            cases=tuple(slug for slug in self.cases.data or () if slug.isprintable()),
            signed_from=self.begin,
            signed_until=self.end,
            source=(self.source.data or "").strip()[:12],
            pass_id=int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None,
            state=self.state.data if self.state.data in INVALIDATABLE else "",
        )
