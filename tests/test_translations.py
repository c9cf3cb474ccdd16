"""Every visible word exists in every shipped language, and the catalogues contain nothing else."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from babel.support import Translations

from petitions import locales
from petitions.settings import ROOT
from scripts.words import collected

PLACES = re.compile(r"%\((\w+)\)[a-z]|%(?![%(])[a-z]")
TRANSLATED = sorted(set(locales.SHIPPED) - {"en"})


@cache
def words() -> Catalog:
    """What `make words` would collect now."""
    return collected()


def path(language: str) -> Path:
    """The catalogue of a language, as its translators know it."""
    return ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"


@cache
def catalogue(language: str) -> Catalog:
    """The words of a language."""
    with path(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def key(message: Message) -> str:
    """What a message is looked up by: its singular."""
    return message.id[0] if isinstance(message.id, (list, tuple)) else message.id


def forms(message: Message) -> list[str]:
    """All plural forms of a translation, or the only one."""
    return list(message.string) if isinstance(message.string, (list, tuple)) else [message.string or ""]


def ids(catalogue: Catalog) -> set[tuple[str | None, str]]:
    """Every message but the heading, with its context."""
    return {(message.context, key(message)) for message in catalogue if message.id}


def test_the_words_are_found_at_all() -> None:
    found = ids(words())
    assert len(found) > 120
    # one from Python, one from a page, one from a mail, one of each with a context, one with a plural
    for sample in ("Choose at least one petition to sign.", "My signatures", "You signed:"):
        assert (None, sample) in found
    assert {("case", "closed"), ("key", "retired")} <= found
    assert isinstance(words()["Sign the petition"].id, tuple)  # type: ignore[index,union-attr]


def test_every_shipped_language_has_a_catalogue_and_no_other_has() -> None:
    assert sorted(folder.name for folder in (ROOT / "translations").iterdir() if folder.is_dir()) == TRANSLATED


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_has_every_word_and_none_that_nobody_says(language: str) -> None:
    here, there = ids(words()), ids(catalogue(language))
    assert here - there == set(), "run `make words`, then translate"
    assert there - here == set(), "run `make words`"
    assert not catalogue(language).obsolete


def test_a_lower_case_word_on_its_own_has_a_context() -> None:
    assert [said for context, said in ids(words()) if said.isalpha() and said.islower() and not context] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_word_is_translated_in_each_of_its_forms(language: str) -> None:
    here = catalogue(language)
    missing = [key(m) for m in here if m.id and not all(form.strip() for form in forms(m))]
    assert missing == []
    assert [key(m) for m in here if m.id and m.fuzzy] == []
    for message in here:
        if message.id and message.pluralizable:
            assert len(forms(message)) == here.num_plurals, key(message)


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_places_of_their_source(language: str) -> None:
    for message in catalogue(language):
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, (list, tuple)) else [message.id]
        wanted = {place for source in sources for place in PLACES.findall(source)}
        for form in forms(message):
            said = set(PLACES.findall(form))
            # "one case" needs no number: a singular may leave places out, none may invent one
            assert said <= wanted, (key(message), form)
            if not message.pluralizable or form == forms(message)[-1]:
                assert said == wanted, (key(message), form)
            form % dict.fromkeys(wanted, 3)  # a lone % would break the page


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_the_shape_of_their_source(language: str) -> None:
    for message in catalogue(language):
        if not message.id:
            continue
        for form in forms(message):
            source = key(message)
            assert form == form.strip(), form
            assert "\u200b" not in form
            assert not re.search(r"<\w", form), "no markup in translations"
            assert source.endswith("…") == form.endswith("…"), (source, form)
            assert source.endswith(":") == form.rstrip("\u00a0 ").endswith(":"), (source, form)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_not_the_source_by_mistake(language: str) -> None:
    same = {key(m) for m in catalogue(language) if m.id and key(m) in forms(m)}
    assert len(same) <= 10, sorted(same)


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_the_server_reads_is_what_the_translators_wrote(language: str) -> None:
    """`make` compiles the catalogues; a stale .mo would hide everything that these tests look at."""
    compiled = Translations.load(str(ROOT / "translations"), [language])
    stale = []
    for message in catalogue(language):
        if message.id and not message.pluralizable:
            context = message.context
            said = compiled.pgettext(context, message.id) if context else compiled.gettext(message.id)
            stale += [key(message)] if said != message.string else []
    assert stale == []
