"""The data of public pages, gathered for their templates."""

from dataclasses import dataclass
from typing import Any

from babel.dates import get_date_format
from flask import abort, render_template, request

from petitions.domain.states import CaseState
from petitions.queries import published_counts
from petitions.queries.catalogue import PublicCampaign, PublicCase, catalogue
from petitions.queries.counts import Counts, Numbers
from petitions.web.forms import consent
from petitions.web.forms.sign import SignForm
from petitions.web.i18n import locale


@dataclass(frozen=True)
class Card:
    """A case with its numbers."""

    case: PublicCase
    numbers: Numbers
    may_sign: bool

    @property
    def words(self) -> Any:
        """The case's words for this reader."""
        return self.case.text(locale())

    @property
    def language(self) -> str:
        """The language of those words: the reader's, or the source if the translation is missing."""
        return self.case.locale_for(locale())

    @property
    def is_won(self) -> bool:
        """Whether the demand was met."""
        return self.case.state == CaseState.WON


def find_campaign(slug: str | None) -> PublicCampaign:
    """The URL's campaign in the URL's language; raises NotFound, and aborts with 404 for a language it lacks."""
    found = catalogue().campaign(slug) if slug else catalogue().current
    if locale() not in found.languages:
        abort(404)
    return found


def cards(campaign: PublicCampaign, numbers: Counts) -> list[Card]:
    """All public cases, in their order."""
    open_cases = set(campaign.open_cases)
    return [Card(case, numbers.of(case.id), case in open_cases) for case in campaign.cases]


def render(template: str, campaign: PublicCampaign, **context: Any) -> str:
    """The page, with the data that every page of a campaign needs."""
    numbers = published_counts.public(campaign)
    everything = cards(campaign, numbers)
    return render_template(
        template if "/" in template else f"public/{template}",
        campaign=campaign,
        words=campaign.text(locale()),
        cards=everything,
        open_cards=[card for card in everything if card.may_sign],
        numbers=numbers,
        can_seal=bool(catalogue().public_keys),
        is_on_hold=numbers.is_on_hold,
        next_at=numbers.next_at,
        birth_date_example=_birth_date_example(),
        consent=consent,
        **{"form": None, **context},
    )


def _birth_date_example() -> str:
    """An example date for the form: day first, four-digit year, the language's own separator."""
    return "27.3.1985" if "." in get_date_format("short", locale()).pattern else "27/3/1985"


def render_case(template: str, campaign: PublicCampaign, case: PublicCase, **context: Any) -> str:
    """The page of one case, with links to the previous and the next one."""
    place = campaign.cases.index(case)
    around = [campaign.cases[place - 1], campaign.cases[(place + 1) % len(campaign.cases)]]
    return render(template, campaign, case=case, neighbours=around, **context)


def blank_form(campaign: PublicCampaign, only: PublicCase | None = None) -> SignForm:
    """The empty form, with all open cases ticked."""
    form = SignForm(campaign, only)
    if only is None:
        form.cases.data = [case.slug for case in campaign.open_cases]
    return form


def ticked_cases(campaign: PublicCampaign) -> list[PublicCase]:
    """The open cases named in this request's form; unknown names are ignored."""
    named = set(request.form.getlist("cases"))
    return [case for case in campaign.open_cases if case.slug in named]
