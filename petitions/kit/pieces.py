"""The facts of a document for the typesetter: which pieces, of which cases, in which language."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _

from petitions import locales
from petitions.content.markdown import paragraphs
from petitions.kit import labels
from petitions.queries.catalogue import PublicCampaign, PublicCase

Facts = dict[str, Any]
PAPERS = ("a4", "us-letter")
LONG_LETTER, LONG_STORY = 1_900, 1_700  # characters; longer ones are set smaller
LONGEST_SALUTATION = 60
MOST_SHEETS = 20  # of each kind for each case
ACCENT = 'fill="#ffd500"'  # the emblems' yellow, as in the style sheet


@dataclass(frozen=True)
class Order:
    """What to print: `sheets` signature sheets for each case; `window` is where the envelope shows the address.

    With the `collector`'s code, all pieces show it and lead to its link.
    """

    language: str
    cases: tuple[PublicCase, ...]
    kinds: tuple[str, ...]
    sheets: int = 1
    paper: str = "a4"
    window: str = "left"
    collector: str = ""


def document(campaign: PublicCampaign, order: Order, base_url: str) -> Facts:
    """The whole document as JSON-ready facts; labels are in the request's language."""
    words = campaign.text(order.language)
    names = labels.names()
    title = f"{words['title']}: {_('paper kit') if len(order.kinds) > 1 else names[order.kinds[0]]}"
    return {
        "meta": {"title": title, "organisation": campaign.controller["name"], **_language(order.language)},
        "paper": order.paper,
        "window": order.window,
        "labels": labels.printed(),
        "pieces": list(_pieces(campaign, order, base_url)),
        "collector": order.collector,
        "slip_url": f"{base_url}/admin/paper?collector={order.collector}" if order.collector else "",
    }


def _pieces(campaign: PublicCampaign, order: Order, base_url: str) -> Iterator[Facts]:
    whole = _campaign_facts(campaign, order, base_url)
    cases = {case.slug: _case_facts(campaign, case, order, base_url) for case in order.cases}
    for kind in order.kinds:
        if kind in labels.ONCE:
            yield {"kind": kind, **whole}
            continue
        for case in order.cases:
            sheets = {"sheets": order.sheets} if kind in ("signatures", "youth") else {}
            yield {"kind": kind, **cases[case.slug], **sheets}
            if kind == "letter":
                for language, letter in case.letter_facts.get("letters", {}).items():
                    yield {"kind": kind, **cases[case.slug], **_language(language), **_letter(letter)}


def _campaign_facts(campaign: PublicCampaign, order: Order, base_url: str) -> Facts:
    words, names = campaign.text(order.language), labels.names()
    return {
        **_language(campaign.locale_for(order.language)),
        **_address(base_url, campaign, order, ""),
        "campaign": words["title"],
        "tagline": words["tagline"],
        "description": words["description"],
        "letters_to": words.get("letters_to") or campaign.controller["name"],
        "contents": [names[kind] for kind in order.kinds if kind != "cover"],
        "privacy": _("Responsible: %(name)s, %(email)s.", **_controller(campaign)),
        "cases": [
            {
                **_language(case.locale_for(order.language)),
                "title": case.text(order.language)["title"],
                "summary": case.text(order.language)["summary"],
                "country": locales.country_name(case.country, order.language),
                **emblem(case, order.language),
            }
            for case in order.cases
        ],
    }


def _case_facts(campaign: PublicCampaign, case: PublicCase, order: Order, base_url: str) -> Facts:
    words = case.text(order.language)
    until = case.letter_facts.get("send_until")
    return {
        **_language(case.locale_for(order.language)),
        **_address(base_url, campaign, order, f"cases/{case.slug}/"),
        **emblem(case, order.language),
        "title": words["title"],
        "place": locales.country_name(case.country, order.language),
        "summary": words["summary"],
        "story": paragraphs(words["story"]),
        "long_story": len(words["story"]) > LONG_STORY,
        "demand": words["demand"],
        "points": words.get("points") or [words["demand"]],
        "avoid": words.get("avoid") or [],
        "addressee": words["addressee"],
        "address": case.letter_facts.get("address") or words["addressee"],
        "until": locales.long_date(date.fromisoformat(until), order.language) if until else "",
        **_letter(words["letter"]),
        "privacy": _privacy(campaign, words["addressee"], is_named=case.hands_over_names),
    }


def _letter(letter: str) -> Facts:
    text = [part.strip() for part in letter.split("\n\n") if part.strip()]
    has_salutation = bool(text) and len(text[0]) <= LONGEST_SALUTATION and text[0][-1] in ",،:!"
    return {"text": text, "salutation": text[0] if has_salutation else "", "long": len(letter) > LONG_LETTER}


def _privacy(campaign: PublicCampaign, addressee: str, *, is_named: bool) -> str:
    """Who collects the sheet, what for, who sees it, until when, and how a line is removed."""
    if is_named:
        said = _(
            "Responsible: %(name)s. We use this sheet only to hand over this petition to: %(addressee)s. "
            "They see the names.",
            **_controller(campaign),
            addressee=addressee,
        )
    else:
        said = _(
            "Responsible: %(name)s. We hand over only the number of signatures of this sheet, to: %(addressee)s. "
            "No name.",
            **_controller(campaign),
            addressee=addressee,
        )
    until = _(
        "To have your line removed before, write to %(email)s. We destroy the sheets after the delivery, "
        "and at most 12 months after the end of the campaign.",
        **_controller(campaign),
    )
    return f"{said} {until}"


def _controller(campaign: PublicCampaign) -> dict[str, str]:
    return {key: campaign.controller.get(key, "") for key in ("name", "email")}


def _language(code: str) -> dict[str, str]:
    return {"lang": code, "dir": locales.direction(code)}


def _address(base_url: str, campaign: PublicCampaign, order: Order, page: str) -> dict[str, str]:
    """Where a code leads: to this page, or to the collector's link, through which all cases can be signed."""
    url = f"{base_url}/{order.language}/{campaign.slug}/{f'for/{order.collector}' if order.collector else page}"
    return {"url": url, "short": url.partition("://")[2]}


def emblem(case: PublicCase, language: str) -> dict[str, str]:
    """The drawing of a case, in the colours of paper, and the words for those who do not see it."""
    return {
        "emblem": case.emblem.replace('class="a"', ACCENT),
        "alt": unicodedata.normalize("NFC", case.text(language)["image_alt"]),
    }
