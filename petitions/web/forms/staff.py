"""Forms for moderation. The session's CSRF token is checked before any of these is read."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, SelectField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from petitions import clock
from petitions.domain.states import InvalidationKind
from petitions.queries.moderation import INVALIDATABLE, Condition
from petitions.services.paper import collectors
from petitions.web.forms.collecting import KINDS, CollectForm, printable, whole_number
from petitions.web.forms.words import REFUSALS, choices_of


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


class CollectorForm(StaffForm):
    """A collector that staff make: title, kind, number of signers, begin and end."""

    title = StringField(filters=[printable])
    kind = SelectField(_l("Kind"), choices=choices_of(KINDS), validate_choice=False)
    most = StringField(default=str(collectors.DEFAULT_SIGNERS))
    opens_at = StringField()
    closes_at = StringField()

    validate_kind = CollectForm.validate_kind

    def validate_opens_at(self, field: Field) -> None:
        """Default: now."""
        self.begin = self.moment(field) or clock.now()

    def validate_closes_at(self, field: Field) -> None:
        """Default: when the campaign closes."""
        self.end = self.moment(field)

    def validate_most(self, field: Field) -> None:
        """A number; by default 40."""
        self.number = whole_number(field.data or str(collectors.DEFAULT_SIGNERS))


class InvalidationForm(StaffForm):
    """Which signatures, and why."""

    cases = SelectMultipleField(validate_choice=False)
    signed_from = StringField()
    signed_until = StringField()
    source = StringField(filters=[printable])
    collector_id = StringField()
    state = StringField()
    kind = StringField()
    reason = StringField(filters=[printable])

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
        number = self.collector_id.data or ""
        return Condition(
            cases=tuple(slug for slug in self.cases.data or () if slug.isprintable()),
            signed_from=self.begin,
            signed_until=self.end,
            source=(self.source.data or "").strip()[:12],
            collector_id=int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None,
            state=self.state.data if self.state.data in INVALIDATABLE else "",
        )
