"""The pictures beside our links on other sites, and what else such sites and search engines read in a page's head."""

from typing import Any

from babel import Locale
from babel.core import get_global
from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from petitions.kit.builder import Builder, Building, key_of
from petitions.kit.cards import HEIGHT, WIDTH, card
from petitions.queries.catalogue import PublicCampaign, PublicCase, PublicStory
from petitions.services.keys.keyring import settings
from petitions.web import assets
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign

bp = Blueprint("cards", __name__)
CARD = "<key>.jpg"


@bp.app_context_processor
def _helpers() -> dict[str, Any]:
    return {"card_url": card_url, "card_size": (WIDTH, HEIGHT), "with_country": with_country, "described": described}


def card_url(campaign: PublicCampaign, about: PublicCase | PublicStory | None = None) -> str:
    """The absolute address of the card; another one as soon as its content is another."""
    key = key_of(card(campaign, about, locale()))
    values: dict[str, Any] = {"campaign": campaign.slug, "key": key}
    if isinstance(about, PublicCase):
        return settings().base_url + url_for("cards.case_card", case=about.slug, **values)
    if isinstance(about, PublicStory):
        return settings().base_url + url_for("cards.story_card", story=about.slug, **values)
    return settings().base_url + url_for("cards.campaign_card", **values)


def with_country(language: str) -> str:
    """`fr_FR` for `fr`: the form that Open Graph wants."""
    parts = str(get_global("likely_subtags").get(language, language)).split("_")
    return f"{language}_{parts[-1]}" if len(parts) > 1 else str(Locale.parse(language))


def described(campaign: PublicCampaign, case: PublicCase | None, url: str) -> dict[str, Any]:
    """The page in schema.org's words, for search engines."""
    controller, words = campaign.controller, campaign.text(locale())
    organisation = {"@type": "NGO", "name": controller["name"], "email": controller["email"]}
    facts: dict[str, Any] = {"@context": "https://schema.org", "@type": "WebPage", "url": url, "inLanguage": locale()}
    facts |= {
        "publisher": organisation,
        "isPartOf": {"@type": "WebSite", "name": words["title"], "url": f"{settings().base_url}/"},
    }
    if case is None:
        return facts | {"name": words["tagline"], "description": words["description"]}
    told = case.text(locale())
    return facts | {
        "name": told["title"],
        "description": told["summary"],
        "about": {"@type": "Thing", "name": told["title"]},
    }


@bp.get(f"/<lang:lang>/<campaign>/cards/{CARD}")
def campaign_card(campaign: str, key: str) -> ResponseReturnValue:
    """The card of the campaign."""
    return _card(find_campaign(campaign), None, key)


@bp.get(f"/<lang:lang>/<campaign>/cases/<case>/{CARD}")
def case_card(campaign: str, case: str, key: str) -> ResponseReturnValue:
    """The card of a case."""
    found = find_campaign(campaign)
    return _card(found, found.case(case), key)


@bp.get(f"/<lang:lang>/<campaign>/stories/<story>/{CARD}")
def story_card(campaign: str, story: str, key: str) -> ResponseReturnValue:
    """The card of a story."""
    found = find_campaign(campaign)
    return _card(found, found.story(story), key)


def _card(campaign: PublicCampaign, about: PublicCase | PublicStory | None, key: str) -> ResponseReturnValue:
    """The picture; while it is being made the site's own; for an old address the present one."""
    facts = card(campaign, about, locale())
    if key != key_of(facts):
        return redirect(card_url(campaign, about))
    made = Builder.of(settings()).document(facts)
    if isinstance(made, Building):
        usual = Response((assets.STATIC / "img" / "card.jpg").read_bytes(), mimetype="image/jpeg")
        usual.headers["Cache-Control"] = "no-store"
        return usual
    picture = Response(made.read_bytes(), mimetype="image/jpeg")
    picture.set_etag(key)
    picture.headers["Cache-Control"] = "public, no-cache"  # a case that is hidden is in no cache of a proxy
    picture.make_conditional(request)
    return picture
