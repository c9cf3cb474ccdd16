"""The paper kit and the letters as PDF: ready ones and ordered ones. Nothing about who orders is stored."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from petitions.domain import codes
from petitions.domain.states import CaseState
from petitions.errors import KitOrderFaulty
from petitions.kit import labels
from petitions.kit.builder import Builder, Building
from petitions.kit.pieces import MOST_SHEETS, PAPERS, Order, document
from petitions.queries import collectors
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.services.keys.keyring import settings
from petitions.services.paper import kit_orders
from petitions.web import page_cache
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render

bp = Blueprint("kit", __name__)
READY = ("cover", "story", "letter", "lined", "signatures", "poster")  # pieces of the ready kit
WINDOWS = ("left", "right")  # DIN 5008 form B; French and Luxembourg envelopes
RIGHT_WINDOW = ("fr", "lb")  # languages whose readers mostly use such envelopes
WAIT_SECONDS = 2


@bp.get("/<lang:lang>/<campaign>/kit/")
def kit(campaign: str) -> ResponseReturnValue:
    """Ready kits in each language, then the form that orders one. Once all is over it leads to the campaign."""
    found = find_campaign(campaign)
    cases = printable(found)
    if not cases:
        return _ended(found)
    shown = {"cases": cases, "names": labels.names(), "ready": READY, "most_sheets": MOST_SHEETS}
    collector = _collector(found)

    def build() -> str:
        return render("kit.html", found, collector=collector, by_post=kit_orders.is_open(found.slug), **shown)

    return build() if collector else page_cache.page(build)


@bp.get("/<lang:lang>/<campaign>/kit.pdf")
def kit_pdf(campaign: str) -> ResponseReturnValue:
    """The kit as one document: the ready one, or as the query orders it."""
    found = find_campaign(campaign)
    if not printable(found):
        return _ended(found)
    return _answer(_built(found, _order(found)), f"{found.slug}-{locale()}.pdf")


@bp.get("/<lang:lang>/<campaign>/kit.zip")
def kit_zip(campaign: str) -> ResponseReturnValue:
    """The same kit with a document for each kind of piece."""
    found = find_campaign(campaign)
    if not printable(found):
        return _ended(found)
    order = _order(found)
    built = [_built(found, replace(order, kinds=(kind,))) for kind in order.kinds]
    waiting = [each for each in built if isinstance(each, Building)]
    if waiting:
        return _wait(max(waiting, key=lambda each: each.ahead))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for number, (kind, path) in enumerate(zip(order.kinds, built, strict=True), 1):
            pack.writestr(zipfile.ZipInfo(f"{number:02}-{kind}-{order.language}.pdf"), Path(str(path)).read_bytes())
    out.seek(0)
    name = f"{found.slug}-{order.language}.zip"
    return _unstored(send_file(out, mimetype="application/zip", download_name=name, as_attachment=True))


@bp.get("/<lang:lang>/<campaign>/cases/<case>/letter.pdf")
def letter_pdf(campaign: str, case: str) -> ResponseReturnValue:
    """The sample letter, also in the addressee's languages, and a lined sheet. A4, or US Letter if so asked."""
    found = find_campaign(campaign)
    one = found.case(case)
    if one not in printable(found):
        return redirect(url_for("pages.case", campaign=campaign, case=case))
    order = Order(locale(), (one,), ("letter", "lined"), 1, _choice("paper", PAPERS, "a4"), _window())
    return _answer(_built(found, order), f"{one.slug}-{locale()}.pdf")


def printable(campaign: PublicCampaign) -> tuple[PublicCase, ...]:
    """The cases that letters are written for now: also before the campaign opens, not after it ended."""
    return () if campaign.is_over else tuple(case for case in campaign.cases if case.state == CaseState.OPEN)


def _ended(campaign: PublicCampaign) -> ResponseReturnValue:
    return redirect(url_for("pages.campaign", campaign=campaign.slug))


def _order(campaign: PublicCampaign) -> Order:
    """The order in the query, checked; without one the ready kit. Raises KitOrderFaulty."""
    offered = {case.slug: case for case in printable(campaign)}
    usual = [slug for slug in campaign.kit_cases if slug in offered] or list(offered)
    slugs = request.args.getlist("cases") or usual
    kinds = request.args.getlist("pieces") or list(READY)
    for key, chosen, known in (("cases", slugs, offered), ("pieces", kinds, labels.KINDS)):
        if set(chosen) - set(known):
            raise KitOrderFaulty(key=key)
    sheets = request.args.get("sheets", "1")
    if not (sheets.isascii() and sheets.isdigit() and 1 <= int(sheets) <= MOST_SHEETS):
        raise KitOrderFaulty(key="sheets")
    return Order(
        _choice("language", campaign.languages, locale()),
        tuple(case for slug, case in offered.items() if slug in slugs),
        tuple(kind for kind in labels.KINDS if kind in kinds),
        int(sheets),
        _choice("paper", PAPERS, "a4"),
        _window(),
        _collector(campaign),
    )


def _collector(campaign: PublicCampaign) -> str:
    """The collector's code in the query, as it is written; empty without one. Raises KitOrderFaulty for an unknown."""
    typed = request.args.get("collector", "")
    if not typed:
        return ""
    try:
        found = collectors.with_code(campaign.id, codes.clean(typed))
    except codes.CodeMistyped:
        found = None
    if found is None:
        raise KitOrderFaulty(key="collector")
    return found.code


def _choice(key: str, known: tuple[str, ...], usual: str) -> str:
    chosen = request.args.get(key) or usual
    if chosen not in known:
        raise KitOrderFaulty(key=key)
    return chosen


def _window() -> str:
    return _choice("window", WINDOWS, "right" if locale() in RIGHT_WINDOW else "left")


def _built(campaign: PublicCampaign, order: Order) -> Path | Building:
    config = settings()
    with force_locale(order.language):
        facts = document(campaign, order, config.base_url)
    return Builder.of(config).document(facts)


def _answer(built: Path | Building, name: str) -> Response:
    if isinstance(built, Building):
        return _wait(built)
    response = Response(built.read_bytes(), mimetype="application/pdf")
    response.set_etag(built.stem)
    response.headers.set("Content-Disposition", "inline", filename=name)
    response.make_conditional(request)
    return _unstored(response)


def _unstored(response: Response) -> Response:
    """Proxies ask again each time: a case that was hidden is in no answer afterwards."""
    response.headers["Cache-Control"] = "public, no-cache"
    return response


def _wait(building: Building) -> Response:
    response = make_response(render_template("public/kit_building.html", building=building, seconds=WAIT_SECONDS), 503)
    response.headers["Retry-After"] = str(30 if building.is_refused else WAIT_SECONDS)
    return response
