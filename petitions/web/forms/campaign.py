"""Forms for what a campaign consists of. Their values are those of campaign.toml, whose rules the service applies."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from wtforms import BooleanField, Field, FileField, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

from petitions import locales
from petitions.content import checks, letters
from petitions.content.fields import CASE_FIELDS
from petitions.domain.states import CampaignState, CountsMode
from petitions.web.forms.staff import StaffForm
from petitions.web.forms.words import choices_of
from petitions.web.i18n import locale

CAMPAIGN_ADDRESS = _l("Part of every web address of the campaign, like write-for-rights-2027. It stays as it is.")
CHOOSE = _l("Choose one of the entries.")
SLUG_WRONG = _l(
    "Use only small letters a to z, digits, and single hyphens between them. Words like “confirm” are taken."
)
LANGUAGES_WRONG = _l("Enter codes like fr or en, each once, separated by commas, the first language first.")
SITES_WRONG = _l("Enter one site on each line, like https://www.example.org, without a path.")
TOPICS_WRONG = _l("Enter a short key and its name in each language on each line, separated by a vertical bar: |")
NEEDED = _l("Fill in this field.")
STATES = {
    CampaignState.DRAFT: lazy_pgettext("campaign", "Draft: only staff see it"),
    CampaignState.OPEN: lazy_pgettext("campaign", "Open: from its opening to its closing time"),
    CampaignState.CLOSED: lazy_pgettext("campaign", "Closed: it can be read, nobody can sign"),
    CampaignState.ARCHIVED: lazy_pgettext("campaign", "Archived: as closed, for good"),
}
COUNTS = {
    CountsMode.BATCHED: _l("Every quarter of an hour, at least five together"),
    CountsMode.LIVE: _l("At once: who watches them learns when somebody signs"),
}


def needed(_form: StaffForm, field: Field) -> None:
    """The field must not be empty."""
    if not (field.data or "").strip():
        raise ValidationError(NEEDED)


def slug(_form: StaffForm, field: Field) -> None:
    """A name as it stands in web addresses."""
    if not checks.SLUG.fullmatch(field.data or "") or field.data in checks.RESERVED or len(field.data) > 80:
        raise ValidationError(SLUG_WRONG)


def titled(_form: StaffForm, field: Field) -> None:
    """A title as texts allow it."""
    if checks.text_fault((field.data or "").strip(), CASE_FIELDS["title"]):
        raise ValidationError(_l("Enter a title of one line, at most 120 characters."))


def within(lowest: int, highest: int) -> Callable[[StaffForm, Field], None]:
    """The check that a field has a whole number within these bounds; empty is the lowest."""

    def check(_form: StaffForm, field: Field) -> None:
        typed = "".join(str(field.data or lowest).split())
        if not (typed.isascii() and typed.isdecimal() and len(typed) < 10 and lowest <= int(typed) <= highest):
            raise ValidationError(
                _l("Enter a whole number from %(lowest)s to %(highest)s.", lowest=lowest, highest=highest)
            )
        field.data = int(typed)

    return check


def _number(label: str, lowest: int, highest: int, description: str = "") -> StringField:
    bounds, more = [within(lowest, highest)], {"inputmode": "numeric", "dir": "ltr"}
    return StringField(label, bounds, description=description, render_kw=more)


def _choice(label: str, choices: Mapping[Any, str] | None = None) -> SelectField:
    words = {"invalid_choice_message": CHOOSE}  # newer than the type stubs
    return SelectField(label, choices=choices_of(choices or {}), **words)


def _time(label: str, description: str = "") -> StringField:
    return StringField(label, description=description, render_kw={"type": "datetime-local", "dir": "ltr"})


def _address(description: str) -> StringField:
    return StringField(_l("Address"), [slug], description=description, render_kw={"dir": "ltr"})


def _languages() -> StringField:
    hint = _l("Their codes, separated by commas. You write in the first one and translate into the others.")
    return StringField(_l("Languages"), [needed], description=hint, render_kw={"dir": "ltr"})


class NewCampaignForm(StaffForm):
    """A campaign from scratch."""

    title = StringField(_l("Title"), [needed, titled])
    slug = _address(CAMPAIGN_ADDRESS)
    languages = _languages()

    def validate_languages(self, field: Field) -> None:
        """Codes of languages, each once."""
        self.codes = [code.strip() for code in (field.data or "").split(",") if code.strip()]
        if len(set(self.codes)) != len(self.codes) or not all(locales.is_language(code) for code in self.codes):
            raise ValidationError(LANGUAGES_WRONG)


class CopyForm(StaffForm):
    """The address of a copy."""

    slug = _address(CAMPAIGN_ADDRESS)


class UploadForm(StaffForm):
    """A campaign's folder as a zip file."""

    replaces = BooleanField(_l("Replace the campaign with the same address, except the states of its cases"))


class CampaignForm(StaffForm):
    """The settings of a campaign."""

    state = _choice(_l("State"), STATES)
    opens_at = _time(_l("Opens"), _l("Leave empty to open at once. Times are in the campaign’s time zone."))
    closes_at = _time(_l("Closes"), _l("Names are erased some months after it, so every campaign needs one."))
    timezone = StringField(_l("Time zone"), description=_l("For example Europe/Luxembourg."), render_kw={"dir": "ltr"})
    languages = _languages()
    goal = _number(_l("Goal of all cases together"), 0, 100_000_000, _l("0: no goal."))
    minimum_age = _number(_l("Minimum age"), 0, 21, _l("0: none."))
    asks_birth_date = BooleanField(_l("Ask for the date of birth: only if an addressee demands it"))
    signers_per_mailbox = _number(_l("People per e-mail address"), 1, 9)
    counts = _choice(_l("When visitors see new signatures"), COUNTS)
    neutral_subject = BooleanField(_l("Keep the campaign’s name out of the subject of e-mails"))
    controller = StringField(_l("Who answers for personal data"), [needed])
    contact = StringField(_l("E-mail address for questions about personal data"), [needed], render_kw={"dir": "ltr"})
    address = StringField(_l("Postal address"), [needed])
    authority = StringField(_l("Data protection authority, where signers may complain"))
    iban = StringField(_l("Account number for donations (IBAN)"), render_kw={"dir": "ltr"})
    topics = TextAreaField(_l("Topics"), description=TOPICS_WRONG, render_kw={"rows": 6})
    embed_sites = TextAreaField(_l("Sites that may show the form"), description=SITES_WRONG, render_kw={"dir": "ltr"})

    validate_languages = NewCampaignForm.validate_languages

    def validate_opens_at(self, field: Field) -> None:
        """A time or nothing."""
        self.begin = self.moment(field)

    def validate_closes_at(self, field: Field) -> None:
        """A time after the opening, or nothing."""
        self.end = self.moment(field)
        if self.end and (begin := getattr(self, "begin", None)) and begin >= self.end:
            raise ValidationError(_l("The campaign must close after it opens."))

    def validate_timezone(self, field: Field) -> None:
        """A zone of the IANA database."""
        if field.data not in available_timezones():
            raise ValidationError(_l("Enter a time zone like Europe/Luxembourg."))

    def validate_iban(self, field: Field) -> None:
        """An account number with right check digits, or nothing."""
        if field.data and not checks.is_iban(field.data):
            raise ValidationError(_l("This account number has a typing mistake. Compare it with a bank statement."))

    def validate_embed_sites(self, field: Field) -> None:
        """Origins, one on each line."""
        if not all(checks.is_origin(site) for site in _lines(field)):
            raise ValidationError(SITES_WRONG)

    def validate_topics(self, field: Field) -> None:
        """A key and a name in each language, on each line."""
        rows = [[part.strip() for part in line.split("|")] for line in _lines(field)]
        if not all(2 <= len(row) <= 1 + len(getattr(self, "codes", row)) and row[0] and row[1] for row in rows):
            raise ValidationError(TOPICS_WRONG)
        self.names = {row[0]: dict(zip(getattr(self, "codes", ()), row[1:], strict=False)) for row in rows}

    def values(self) -> dict[str, Any]:
        """The values of campaign.toml; only after validation."""
        chosen = {key: self[key].data for key in ("state", "timezone", "asks_birth_date", "counts", "neutral_subject")}
        numbers = {key: self[key].data for key in ("goal", "minimum_age", "signers_per_mailbox")}
        controller = {key: (self[name].data or "").strip() for key, name in CONTROLLER.items()}
        return {
            **chosen,
            **numbers,
            "languages": self.codes,
            "controller": {key: text for key, text in controller.items() if text},
            "topics": {key: {code: name for code, name in names.items() if name} for key, names in self.names.items()},
            "embed_sites": _lines(self.embed_sites),
            "opens_at": self.begin,
            "closes_at": self.end,
        }


TIMES = ("opens_at", "closes_at")
# The keys of campaign.toml with their names in the form; browsers would fill in "name" and "email"
CONTROLLER = {key: key for key in ("address", "authority", "iban")} | {"name": "controller", "email": "contact"}
FACTS = {key: key for key in letters.PLAIN} | {"email": "letters_email"}


def stored_campaign(raw: dict[str, Any]) -> dict[str, Any]:
    """What the form of a campaign shows, from the values of campaign.toml."""
    zone = ZoneInfo(raw["timezone"])
    times = {key: raw[key].astimezone(zone).replace(tzinfo=None).isoformat() for key in TIMES if key in raw}
    names = [[key, *(names.get(code, "") for code in raw["languages"])] for key, names in raw["topics"].items()]
    topics = "\n".join(" | ".join(each) for each in names)
    lists = {"languages": ", ".join(raw["languages"]), "embed_sites": "\n".join(raw["embed_sites"])}
    controller = {name: raw["controller"].get(key, "") for key, name in CONTROLLER.items()}
    return {**raw, **controller, **times, **lists, "topics": topics}


class CaseForm(StaffForm):
    """What a case has besides its texts."""

    position = _number(_l("Place in the order"), 1, 200)
    country = _choice(_l("Country"))
    topic = _choice(_l("Topic"))
    goal = _number(_l("Goal"), 0, 100_000_000, _l("0: no goal."))
    hands_over_names = BooleanField(_l("The names of the signers are handed over, not only their number"))
    address = TextAreaField(
        _l("Address for letters"),
        description=_l("As on an envelope: at most 6 lines of 40 characters."),
        render_kw={"rows": 6},
    )
    copy_to = TextAreaField(_l("Address for a copy"), render_kw={"rows": 6})
    card_to = TextAreaField(_l("Address for cards of solidarity"), render_kw={"rows": 6})
    letters_email = StringField(_l("E-mail address for letters"), render_kw={"dir": "ltr"})
    send_until = StringField(_l("Letters until"), render_kw={"type": "date", "dir": "ltr"})
    emblem = FileField(
        _l("Another drawing"), description=_l("An SVG file of shapes in the page’s colours, at most 4000 characters.")
    )

    def __init__(self, topics: dict[str, dict[str, str]], stored: dict[str, Any]) -> None:
        super().__init__("UTC", {**stored, "letters_email": stored.get("email", "")})
        names = Locale.parse(locales.written(locale())).territories
        countries = {code: name for code, name in names.items() if len(code) == 2 and code.isalpha()}
        self.country.choices = choices_of(dict(sorted(countries.items(), key=lambda pair: str(pair[1]))))
        self.topic.choices = choices_of({key: next(iter(names.values())) for key, names in topics.items()})

    def values(self) -> dict[str, Any]:
        """The values of the case in campaign.toml; only after validation."""
        facts = {key: (self[name].data or "").replace("\r\n", "\n").strip() for key, name in FACTS.items()}
        plain = {key: self[key].data for key in ("country", "topic", "hands_over_names")}
        return {**plain, "goal": self.goal.data, **{key: fact for key, fact in facts.items() if fact}}


class NewCaseForm(CaseForm):
    """A new case: its title and address too."""

    title = StringField(
        _l("Title"), [needed, titled], description=_l("For example the person’s name, in the first language.")
    )

    slug = _address(_l("Part of every web address of the case, like the person’s name. It stays as it is."))


def _lines(field: Field) -> list[str]:
    return [line.strip() for line in (field.data or "").splitlines() if line.strip()]
