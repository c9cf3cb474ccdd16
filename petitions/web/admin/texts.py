"""Texts of the campaign, its cases and stories: an overview by language, and an editor beside the source."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from petitions.content import checks
from petitions.content.fields import Field, Text, Words
from petitions.domain.states import TextState
from petitions.errors import ContentFaulty, TextChanged
from petitions.queries.catalogue import CATALOGUE_CACHE
from petitions.services.campaigns import editing
from petitions.web.admin import chosen
from petitions.web.admin.field_names import LABELS, STATES
from petitions.web.admin.login import by
from petitions.web.errors import status_of, words_of
from petitions.web.page_cache import PAGE_CACHE

MISSING = _l("Fill in this field.")
NO_ADDRESS = _l("The address must be whole, and begin with https.")
NO_PAIRS = _l("Put one entry on each line, its two parts separated by a vertical bar: |")
NOT_ALLOWED = _l("This text cannot be stored: it contains characters that are not allowed.")
BETWEEN = " | "  # the two parts of a pair, on one line of the form


def list_texts() -> ResponseReturnValue:
    """Every text with its state in each language."""
    board = chosen.board()
    languages, lines = editing.overview(board.campaign) if board else ([], [])
    return render_template("admin/texts.html", languages=languages, lines=lines, states=STATES)


def edit_text(language: str, place: str) -> ResponseReturnValue:
    """The form of one text, its source beside it; `version` in the query fills in what it said earlier."""
    text = editing.load(chosen.slug(), place, language)
    number = request.args.get("version", "")
    earlier = [each.words for each in editing.versions(chosen.slug(), place, language) if str(each.id) == number]
    return _page(language, place, text, _typed(text, earlier[0] if earlier else text.words))


def save_text(language: str, place: str) -> ResponseReturnValue:
    """Store what was typed, or show it as visitors will read it."""
    text = editing.load(chosen.slug(), place, language)
    typed = {key: request.form.get(key, "").replace("\r\n", "\n") for key in text.kind.all_fields}
    state = TextState.DRAFT if request.form.get("state") == TextState.DRAFT else TextState.READY
    words, faults = _words(text, typed, state == TextState.DRAFT)
    if request.form.get("act") == "preview":
        return _page(language, place, text, typed, faults, preview=words)
    if faults:
        return _page(language, place, text, typed, faults), 422
    stored = Text(words, state)
    try:
        editing.save(
            chosen.slug(), place, language, stored, request.form.get("revision", ""), by(), CATALOGUE_CACHE.of()
        )
    except TextChanged as exc:
        theirs = _typed(text, text.words)
        return _page(language, place, text, typed, problem=words_of(exc), theirs=theirs), status_of(exc)
    except ContentFaulty:
        return _page(language, place, text, typed, problem=NOT_ALLOWED), 422
    PAGE_CACHE.of().forget()
    return redirect(url_for("admin.edit_text", language=language, place=place, done=1), 303)


def _page(
    language: str,
    place: str,
    text: editing.Editable,
    typed: dict[str, str],
    faults: dict[str, object] | None = None,
    **more: Any,
) -> str:
    return render_template(
        "admin/text.html",
        **{"problem": None, "theirs": None, "preview": None, **more},
        language=language,
        place=place,
        text=text,
        typed=typed,
        faults=faults or {},
        fields=text.kind.all_fields,
        labels=LABELS,
        source=_typed(text, text.source) if language != text.source_language else {},
        revision=text.revision,
        state=request.form.get("state", text.state),
        versions=editing.versions(chosen.slug(), place, language),
        is_done="done" in request.args,
    )


def _typed(text: editing.Editable, words: Words) -> dict[str, str]:
    """The words as they stand in the form: lists as lines, pairs as lines of two parts."""
    typed = {}
    for key, rule in text.kind.all_fields.items():
        value = words.get(key, "")
        if rule.kind == "pairs":
            value = "\n".join(BETWEEN.join(pair) for pair in value)
        elif rule.kind == "list":
            value = "\n".join(value)
        typed[key] = value
    return typed


def _words(text: editing.Editable, typed: dict[str, str], is_draft: bool) -> tuple[Words, dict[str, object]]:
    """What was typed as the campaign's folder has it, and the faults by field."""
    words: Words = {}
    faults: dict[str, object] = {}
    for key, rule in text.kind.all_fields.items():
        value = _value(typed[key], rule)
        if value:
            words[key] = value
        if fault := _fault(value, rule, checks.is_required(key, rule, is_draft)):
            faults[key] = fault
    return words, faults


def _value(typed: str, rule: Field) -> Any:
    if rule.kind not in ("list", "pairs"):
        return typed.strip()
    lines = [line.strip() for line in typed.split("\n") if line.strip()]
    return [[part.strip() for part in line.split("|")] for line in lines] if rule.kind == "pairs" else lines


def _fault(value: Any, rule: Field, is_required: bool) -> object:
    """What to do about this field, in the reader's language; nothing if it is right."""
    if not value:
        return MISSING if is_required else ""
    if len(value) > rule.longest:
        if isinstance(value, list):
            return ngettext("At most %(num)s entry fits.", "At most %(num)s entries fit.", rule.longest)
        return _l("Shorten this by %(number)s characters.", number=len(value) - rule.longest)
    if not checks.value_fault(value, rule):
        return ""
    return {"url": NO_ADDRESS, "pairs": NO_PAIRS}.get(rule.kind, NOT_ALLOWED)
