"""The signing form, for one case or all."""

from datetime import date

from flask_babel import gettext as _
from wtforms import BooleanField, Field, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from petitions import clock
from petitions.domain import codes, identity, mail_hosts
from petitions.queries import collectors
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.queries.collectors import CollectorFacts
from petitions.services.signing.signing import Entry
from petitions.web.forms.consent import consent_words
from petitions.web.forms.guards import GuardedForm
from petitions.web.forms.person import AddressForm, NameForm
from petitions.web.forms.words import REFUSALS, cleaned
from petitions.web.i18n import locale
from petitions.web.security import network
from petitions.web.sources import source


class SignForm(NameForm, AddressForm, GuardedForm):
    """Public field names: first_name, last_name, email, birth_date, newsletter, unnamed, of_age, cases.

    The other fields are against abuse.
    """

    email_asked = StringField()  # the address of the last "did you mean"
    birth_date = StringField()
    newsletter = BooleanField()
    unnamed = BooleanField()
    of_age = BooleanField()
    cases = SelectMultipleField(validate_choice=False)
    pass_code = StringField()  # the code of a collector

    def __init__(self, campaign: PublicCampaign, only: PublicCase | None = None) -> None:
        """For all open cases of `campaign`, or for `only` one."""
        super().__init__()
        self.campaign = campaign
        self.only = only
        self.chosen: list[PublicCase] = []
        self.collector: CollectorFacts | None = None
        self._born: date | None = None
        if only is not None:
            self.cases.data = [only.slug]

    def validate_email(self, field: Field) -> None:
        """Required and valid; asks once if the domain looks mistyped."""
        super().validate_email(field)
        meant = mail_hosts.suggestion(field.data)
        if meant and field.data != (self.email_asked.data or "").strip():
            self.email_asked.data = field.data
            raise ValidationError(
                _("Did you mean %(address)s? Correct the address, or send the form again as it is.", address=meant)
            )

    def validate_pass_code(self, field: Field) -> None:
        """The code of a collector of this campaign that works now, or nothing."""
        try:
            code = codes.clean(field.data or "")
        except codes.CodeMistyped as exc:
            raise ValidationError(REFUSALS["pass_mistyped"]) from exc
        self.collector = collectors.with_code(self.campaign.id, code)
        if code and not (self.collector and self.collector.is_active):
            self.collector = None
            raise ValidationError(REFUSALS["pass_unknown"])

    def validate_birth_date(self, field: Field) -> None:
        """Only if the campaign asks for it; kept as typed."""
        if not self.campaign.asks_birth_date:
            return
        if not (field.data or "").strip():
            raise ValidationError(REFUSALS["date_missing"])
        self._born = cleaned(lambda typed: identity.clean_birth_date(typed, clock.now().date()), field.data)

    def validate_of_age(self, field: Field) -> None:
        """Only if the campaign has a minimum age."""
        if self.campaign.minimum_age and not field.data:
            raise ValidationError(REFUSALS["age_missing"])

    def validate_cases(self, field: Field) -> None:
        """Open cases of this campaign, without repetition."""
        by_slug = {case.slug: case for case in self.campaign.cases}
        open_slugs = {case.slug for case in self.campaign.open_cases}
        named = list(dict.fromkeys(field.data or []))
        if not named:
            raise ValidationError(REFUSALS["cases_missing"])
        if any(slug not in by_slug for slug in named):
            raise ValidationError(REFUSALS["case_unknown"])
        if any(slug not in open_slugs for slug in named):
            raise ValidationError(REFUSALS["case_closed"])
        self.chosen = [by_slug[slug] for slug in named]

    def entry(self) -> Entry:
        """The entry for the service; only after validation."""
        return Entry(
            campaign=self.campaign,
            cases=self.chosen,
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            email=self.email.data or "",
            birth_date=self._born,
            newsletter=self.newsletter.data,
            is_named=not self.unnamed.data,
            is_of_age=bool(self.of_age.data) if self.campaign.minimum_age else None,
            locale=locale(),
            consent=consent_words(self.campaign, self.only),
            network=network(),
            source=source(),
            collector_code=self.collector.code if self.collector else "",
            proof=self.proof.data or "",
            is_automatic=self.is_automatic,
        )
