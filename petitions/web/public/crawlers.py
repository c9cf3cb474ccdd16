"""For search engines and phones: the site map, what crawlers leave out, and the site's name and icons."""

from typing import Any

from flask import Blueprint, Response, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from petitions import locales
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.services.keys.keyring import settings
from petitions.web import page_cache

bp = Blueprint("crawlers", __name__)


@bp.get("/sitemap.xml")
def sitemap() -> ResponseReturnValue:
    """Every public page in every language, each with its translations (sitemaps.org)."""
    return page_cache.page(_sitemap, content_type="application/xml; charset=utf-8")


def _sitemap() -> str:
    pages = [page for campaign in catalogue().campaigns for page in _pages(campaign)]
    return render_template("public/sitemap.xml", pages=pages)


def _pages(campaign: PublicCampaign) -> list[dict[str, str]]:
    """The addresses of each public page of a campaign, by language."""
    base, slug = settings().base_url, campaign.slug
    targets: list[tuple[str, dict[str, Any]]] = [("pages.campaign", {}), ("pages.stories", {}), ("pages.privacy", {})]
    targets += [("figures.page", {}), *([("events.page", {})] if campaign.events else [])]
    targets += [("donating.page", {})] if campaign.text(campaign.source).get("donation_title") else []
    targets += [("pages.case", {"case": case.slug}) for case in campaign.cases]
    targets += [("pages.story", {"story": story.slug}) for story in campaign.stories]
    if campaign.open_cases:
        targets += [("kit.kit", {}), *(("letters.letter", {"case": case.slug}) for case in campaign.open_cases)]
    return [
        {code: base + url_for(endpoint, lang=code, campaign=slug, **values) for code in campaign.languages}
        for endpoint, values in targets
    ]


@bp.get("/robots.txt")
def robots() -> Response:
    """What search engines leave out: pages about a person, and those for staff."""
    personal = ("/admin/", "/demo/", "/*/confirm/", "/*/mine/", "/*/stop/")
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in personal),
        f"Sitemap: {settings().base_url}/sitemap.xml",
    ]
    return Response("\n".join(lines) + "\n", mimetype="text/plain", headers={"Cache-Control": page_cache.PAGE})


@bp.get("/manifest.webmanifest")
def manifest() -> ResponseReturnValue:
    """The name and the icons of the site on a phone's home screen."""

    def build() -> str:
        current = catalogue().current
        name = current.text(current.source)["title"]
        asset: Any = current_app.jinja_env.globals["asset"]
        icons = [
            {"src": asset(f"img/icon-{size}.png"), "sizes": f"{size}x{size}",
             "type": "image/png"}
            for size in (192, 512)
        ]  # fmt: skip
        facts = {"name": name, "short_name": name[:12], "start_url": "/", "display": "browser", "icons": icons}
        return current_app.json.dumps({**facts, "lang": current.source, "dir": locales.direction(current.source)})

    return page_cache.page(build, content_type="application/manifest+json")
