"""The form that orders printed kits."""

from flask_babel import lazy_gettext as _l
from wtforms import Field, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

from petitions import locales
from petitions.queries.catalogue import PublicCampaign
from petitions.services.paper.kit_orders import LONGEST_ADDRESS, MOST_KITS, MOST_LINES
from petitions.web.forms.collecting import printable, whole_number
from petitions.web.forms.person import PublicForm
from petitions.web.forms.words import REFUSALS, choices_of

LONGEST_NAME = 120


class KitOrderForm(PublicForm):
    """Where the kits go, how many, and in which language."""

    recipient = StringField()
    address = TextAreaField(
        _l("Postal address"),
        description=_l("Street, town and country, as on an envelope."),
        render_kw={"rows": 4, "autocomplete": "street-address", "dir": "auto"},
    )
    number = StringField(default="1")
    language = SelectField(_l("Language of the kit"), validate_choice=False)

    def __init__(self, campaign: PublicCampaign, locale: str) -> None:
        super().__init__()
        self.languages = campaign.languages
        self.language.choices = choices_of({code: locales.own_name(code) for code in campaign.languages})
        self.language.data = self.language.data or locale

    def validate_recipient(self, field: Field) -> None:
        """Required, on one line."""
        field.data = " ".join((printable(field.data) or "").split())
        if not 0 < len(field.data) <= LONGEST_NAME:
            raise ValidationError(REFUSALS["recipient_missing"])

    def validate_address(self, field: Field) -> None:
        """Some lines."""
        lines = [(printable(line) or "").strip() for line in (field.data or "").splitlines()]
        field.data = "\n".join(line for line in lines if line)
        if not 0 < len(field.data) <= LONGEST_ADDRESS or field.data.count("\n") >= MOST_LINES:
            raise ValidationError(REFUSALS["address_missing"])

    def validate_number(self, field: Field) -> None:
        """A number of kits."""
        self.kits = whole_number(field.data or "")
        if not 0 < self.kits <= MOST_KITS:
            raise ValidationError(REFUSALS["kits_wrong"])

    def validate_language(self, field: Field) -> None:
        """One of the campaign's languages."""
        if field.data not in self.languages:
            raise ValidationError(REFUSALS["language_unknown"])
