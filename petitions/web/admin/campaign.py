"""Campaigns as a whole: new ones, copies, folders as zip files; the settings, and cases apart from their texts."""

from collections.abc import Callable
from typing import Any

from flask import Response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, gettext

from petitions.content import archives, changes
from petitions.content.fields import CampaignContent
from petitions.domain.states import CaseState
from petitions.errors import CampaignExists, ContentFaulty, NotFound, TextChanged
from petitions.queries import board as boards
from petitions.queries.catalogue import CATALOGUE_CACHE
from petitions.services.campaigns import structure
from petitions.services.campaigns.editing import places
from petitions.services.campaigns.folders import export_campaign
from petitions.web.admin import chosen
from petitions.web.admin.login import by
from petitions.web.errors import status_of, words_of
from petitions.web.forms.campaign import (
    STATES,
    CampaignForm,
    CaseForm,
    CopyForm,
    NewCampaignForm,
    NewCaseForm,
    UploadForm,
    stored_campaign,
)
from petitions.web.page_cache import PAGE_CACHE

Refused = CampaignExists | ContentFaulty | TextChanged
ZONE = "Europe/Luxembourg"
LARGEST_EMBLEM = 20_000  # bytes that are read of a drawing; longer ones are refused


def list_campaigns() -> ResponseReturnValue:
    """All campaigns, and the forms for new ones."""
    return _campaigns_page()


def create_campaign() -> ResponseReturnValue:
    """A new campaign without cases."""
    form = NewCampaignForm("UTC")
    if not form.validate():
        return _campaigns_page(new=form), 422
    known = boards.slug_of()
    old = changes.values(export_campaign(known)) if known else {}
    raw: dict[str, Any] = {"slug": form.slug.data, "languages": form.codes, "timezone": old.get("timezone", ZONE)}
    raw["controller"] = old.get("controller") or {"name": "", "email": "", "address": ""}
    raw["topics"] = {"rights": {code: _in_language(code) for code in form.codes}}
    return _created(lambda: changes.blank(raw, str(form.title.data)), new=form)


def copy_campaign(campaign: str) -> ResponseReturnValue:
    """A draft with the settings and texts of another campaign."""
    form = CopyForm("UTC")
    if not form.validate():
        return _campaigns_page(copy=form, copied=campaign), 422
    return _created(lambda: changes.copied(export_campaign(campaign), str(form.slug.data)), copy=form, copied=campaign)


def upload_campaign() -> ResponseReturnValue:
    """Store the folder in an uploaded zip file."""
    form, file = UploadForm("UTC"), request.files.get("file")
    if file is None:
        return _campaigns_page(upload=form), 422
    return _created(lambda: archives.unpack(file.stream), upload=form, replaces=form.replaces.data)


def download_campaign(campaign: str) -> Response:
    """The campaign's folder as a zip file."""
    packed = archives.pack(export_campaign(campaign))
    return send_file(packed, "application/zip", as_attachment=True, download_name=f"{campaign}.zip")


def edit_campaign() -> ResponseReturnValue:
    """The settings of the campaign."""
    content = export_campaign(chosen.slug())
    form = CampaignForm(content.timezone, stored_campaign(changes.values(content)))
    return _campaign_page(content, form)


def save_campaign() -> ResponseReturnValue:
    """Store the settings of the campaign."""
    content = export_campaign(chosen.slug())
    form = CampaignForm(content.timezone)
    if not form.validate():
        return _campaign_page(content, form), 422
    try:
        _change(lambda now: changes.changed(now, _merged(changes.values(now), form.values())))
    except (ContentFaulty, TextChanged) as exc:
        return _campaign_page(content, form, exc), status_of(exc)
    return redirect(url_for("admin.edit_campaign", done=1), 303)


def new_case() -> ResponseReturnValue:
    """The form of a new case."""
    content = export_campaign(chosen.slug())
    stored = {"position": len(content.cases) + 1, "hands_over_names": True}
    return _case_page(content, NewCaseForm(content.topics, stored))


def create_case() -> ResponseReturnValue:
    """Store a new case, in draft, with its title only."""
    content = export_campaign(chosen.slug())
    form = NewCaseForm(content.topics, {})
    return _save_case(content, form, str(form.slug.data or ""))


def edit_case(case: str) -> ResponseReturnValue:
    """The form of a case, apart from its texts."""
    content = export_campaign(chosen.slug())
    raw = changes.values(content)["cases"]
    stored = next((each for each in raw if each["slug"] == case), None)
    if stored is None:
        raise NotFound(case=case)
    return _case_page(content, CaseForm(content.topics, {**stored, "position": raw.index(stored) + 1}), case)


def save_case(case: str) -> ResponseReturnValue:
    """Store a case, apart from its texts, or remove it while nobody has signed it."""
    content = export_campaign(chosen.slug())
    if case not in {each.slug for each in content.cases}:
        raise NotFound(case=case)
    return _save_case(content, CaseForm(content.topics, {}), case)


def _save_case(content: CampaignContent, form: CaseForm, case: str) -> ResponseReturnValue:
    is_new = isinstance(form, NewCaseForm)
    removes = request.form.get("act") == "remove" and not is_new
    if not removes and not form.validate():
        return _case_page(content, form, "" if is_new else case), 422
    try:
        _change(lambda now: _without_case(now, case) if removes else _with_case(now, case, form))
    except (ContentFaulty, TextChanged) as exc:
        return _case_page(content, form, "" if is_new else case, exc), status_of(exc)
    return redirect(url_for("admin.list_cases", changed=case, _anchor=f"case-{case}"), 303)


def _with_case(content: CampaignContent, case: str, form: CaseForm) -> CampaignContent:
    raw = changes.values(content)
    old = next((each for each in raw["cases"] if each["slug"] == case), None)
    if (old is not None) == isinstance(form, NewCaseForm):
        raise ContentFaulty([f"cases: {case!r} is there already, or no longer"])
    kept = {key: value for key, value in (old or {"state": "draft"}).items() if key in ("state", "letter_languages")}
    others = [each for each in raw["cases"] if each["slug"] != case]
    others.insert(int(form.position.data or 1) - 1, {"slug": case, **kept, **form.values()})
    raw["cases"] = others
    new = changes.changed(content, raw)
    found = next(each for each in new.cases if each.slug == case)
    if isinstance(form, NewCaseForm):
        found.texts[content.languages[0]].words["title"] = str(form.title.data).strip()
    if file := request.files.get("emblem"):
        changes.with_emblem(found, file.read(LARGEST_EMBLEM).decode(errors="replace"))
    return new


def _without_case(content: CampaignContent, case: str) -> CampaignContent:
    raw = changes.values(content)
    raw["cases"] = [each for each in raw["cases"] if each["slug"] != case]
    raw["kit_cases"] = [slug for slug in raw["kit_cases"] if slug != case]
    return changes.changed(content, raw)


def _change(apply: structure.Change) -> None:
    structure.change(chosen.slug(), apply, request.form.get("revision", ""), by(), CATALOGUE_CACHE.of())
    PAGE_CACHE.of().forget()


def _merged(raw: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**raw, **values}.items() if value is not None}


def _created(make: Callable[[], CampaignContent], *, replaces: bool = False, **forms: Any) -> ResponseReturnValue:
    try:
        content = make()
        structure.create(content, by(), CATALOGUE_CACHE.of(), replaces=replaces)
    except (CampaignExists, ContentFaulty) as exc:
        return _campaigns_page(exc=exc, **forms), status_of(exc)
    PAGE_CACHE.of().forget()
    return chosen.answer(content.slug, "admin.edit_campaign")


def _in_language(code: str) -> str:
    with force_locale(code):
        return str(gettext("Human rights"))


def _campaigns_page(exc: Refused | None = None, **forms: Any) -> str:
    empty = {"new": NewCampaignForm, "upload": UploadForm}
    shown = {**{name: kind("UTC", {}) for name, kind in empty.items()}, **forms, **_problem(exc)}
    return render_template("admin/campaigns.html", states=STATES, no_copy=CopyForm("UTC", {}), **shown)


def _campaign_page(content: CampaignContent, form: CampaignForm, exc: Refused | None = None) -> str:
    return render_template(
        "admin/campaign.html",
        content=content,
        form=form,
        unfinished=changes.unfinished(content),
        titles=_titles(content),
        has_open=any(case.state == CaseState.OPEN for case in content.cases),
        revision=request.form.get("revision") or changes.revision(content),
        is_done="done" in request.args,
        **_problem(exc),
    )


def _case_page(content: CampaignContent, form: CaseForm, case: str = "", exc: Refused | None = None) -> str:
    return render_template(
        "admin/case.html",
        form=form,
        case=case,
        titles=_titles(content),
        revision=request.form.get("revision") or changes.revision(content),
        **_problem(exc),
    )


def _titles(content: CampaignContent) -> dict[str, str]:
    """The titles of all places with texts, in the first language."""
    return {place: texts[content.languages[0]].words["title"] for place, texts in places(content).items()}


def _problem(exc: Refused | None) -> dict[str, Any]:
    """What is wrong in the reader's language; the lines about a folder's files are English."""
    details = exc.faults if isinstance(exc, ContentFaulty) else []
    return {"problem": words_of(exc) if exc else None, "details": details}
