"""Links that share a page on other sites: plain addresses, nobody else's code."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import ServerUnknown
from petitions.queries.catalogue import PublicCampaign, PublicCase, PublicStory
from petitions.services.keys.keyring import settings
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render
from petitions.web.sources import CHANNELS

bp = Blueprint("sharing", __name__)
LONGEST_HOST = 253  # characters, RFC 1035


@dataclass(frozen=True)
class ShareLink:
    """A link that opens another site or program with our text; `name` is empty for e-mail."""

    channel: str
    name: str
    url: str


def share_links(address: str, text: str) -> list[ShareLink]:
    """One link for each channel; the shared address says by which channel it went."""
    return [
        ShareLink(channel, name, url.format(text=quote(text, ""), url=quote(f"{address}?via={channel}", "")))
        for channel, (name, url) in CHANNELS.items()
    ]


@bp.get("/<lang:lang>/<campaign>/share/mastodon")
def mastodon(campaign: str) -> ResponseReturnValue:
    """A link to the server that the visitor names: every Mastodon server shares on its own site."""
    found = find_campaign(campaign)
    case = found.case(request.args["case"]) if request.args.get("case") else None
    server = request.args.get("server", "").strip().lower().removeprefix("https://").rstrip("/")
    if not _is_host(server):
        raise ServerUnknown()
    address, text = shared(found, case)
    both = quote(f"{text} {address}?via=mastodon", "")
    return render("mastodon.html", found, case=case, server=server, link=f"https://{server}/share?text={both}")


def shared(campaign: PublicCampaign, about: PublicCase | PublicStory | None) -> tuple[str, str]:
    """The absolute address of a page, and the text that goes with it."""
    base = settings().base_url
    if isinstance(about, PublicStory):
        words = about.text(locale())
        return base + url_for("pages.story", campaign=campaign.slug, story=about.slug), str(words["summary"])
    if about is not None:
        words = about.text(locale())
        address = base + url_for("pages.case", campaign=campaign.slug, case=about.slug)
        return address, str(words.get("share") or words["summary"])
    words = campaign.text(locale())
    return base + url_for("pages.campaign", campaign=campaign.slug), str(words.get("share") or words["tagline"])


def _is_host(server: str) -> bool:
    labels = server.split(".")
    return (
        len(server) <= LONGEST_HOST
        and len(labels) > 1
        and server.isascii()
        and all(label and label.replace("-", "").isalnum() and label.strip("-") == label for label in labels)
    )


@bp.app_context_processor
def _helpers() -> dict[str, Any]:
    return {"share_links": share_links, "shared": shared}
