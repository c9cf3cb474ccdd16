"""Which texts are too long for their place in print, at the smallest size. For commands: it loads the typesetter."""

from collections.abc import Iterator

from flask_babel import force_locale

from petitions.kit import labels
from petitions.kit.cards import card
from petitions.kit.pieces import Order, document
from petitions.kit.typesetting import misfits
from petitions.queries.catalogue import PublicCampaign

ONE_PAGE = ("signatures", "youth", "poster", "flyer", "tent")


def too_long(campaign: PublicCampaign) -> Iterator[tuple[str, str, str]]:
    """Language, title and piece of each text that does not fit. Takes seconds."""
    for language in campaign.languages:
        with force_locale(language):
            names = {**labels.names(), "picture": "picture for links"}
            order = Order(language, tuple(campaign.cases), ONE_PAGE)
            found = misfits(document(campaign, order, "https://petition.example.org"))
            for about in (None, *campaign.cases, *campaign.stories):
                found += misfits(card(campaign, about, language))
            of_campaign = campaign.text(language)["title"]
            for kind, title in dict.fromkeys((each["kind"], each["title"]) for each in found):
                yield language, title or of_campaign, names[kind]
