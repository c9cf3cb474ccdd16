"""The pictures that other sites show beside a link (Open Graph): of a campaign, a case or a story."""

from typing import Any

from petitions import locales
from petitions.kit.pieces import emblem
from petitions.queries.catalogue import PublicCampaign, PublicCase, PublicStory, Translated

WIDTH, HEIGHT = 1200, 630  # pixels, as Open Graph asks for


def card(campaign: PublicCampaign, about: PublicCase | PublicStory | None, language: str) -> dict[str, Any]:
    """The facts of a card; no word of ours, so it needs no translation."""
    shown: Translated = about or campaign
    words = shown.text(language)
    code = shown.locale_for(language)
    country = getattr(about, "country", None)
    first = about if isinstance(about, PublicCase) else next(iter(campaign.cases), None)
    return {
        "format": "jpg",
        "meta": {"lang": code, "dir": locales.direction(code)},
        "campaign": campaign.text(language)["title"],
        "title": words["title"] if about else words["tagline"],
        "place": locales.country_name(country, language) if country else "",
        "summary": words["summary"] if about else words["description"],
        "emblems": [emblem(case, language) for case in ([first] if about else campaign.cases[:9]) if case]
        if not isinstance(about, PublicStory)
        else [],
    }
