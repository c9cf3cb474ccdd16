"""Languages: which there are, their names, and the best one for a visitor."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.support import Translations

from petitions import locales
from petitions.settings import ROOT


@pytest.mark.parametrize("code", ["fr", "en", "lb", "de", "ar", "fa", "ky", "tok"])
def test_a_language_that_cldr_knows_is_one(code: str) -> None:
    assert locales.is_language(code)


@pytest.mark.parametrize("code", ["", "FR", "fr_FR", "fr-FR", "xx", "french", "../en", "e", "en\n", "zh_hant", "1"])
def test_what_is_no_language_code_is_none(code: str) -> None:
    assert not locales.is_language(code)


def test_languages_name_themselves_and_their_direction() -> None:
    assert [locales.own_name(code) for code in ("fr", "en", "lb", "de")] == [
        "Français",
        "English",
        "Lëtzebuergesch",
        "Deutsch",
    ]
    assert [locales.direction(code) for code in ("fr", "ar", "fa", "he")] == ["ltr", "rtl", "rtl", "rtl"]


def test_countries_are_named_in_the_readers_language() -> None:
    assert locales.country_name("DE", "lb") == "Däitschland"
    assert locales.country_name("BY", "lb") == "Belarus", "as it calls itself, and not as CLDR does"
    assert locales.country_name("TR", "en") == "Türkiye"
    assert locales.country_name("ZZZ", "en") == "ZZZ"


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ([], "fr"),
        (["de"], "de"),
        (["de-AT"], "de"),
        (["lb-LU", "fr"], "lb"),
        (["pt-BR", "pt", "en-US"], "en"),
        (["ja"], "fr"),
        (["*"], "fr"),
        (["nonsense--x", "de"], "de"),
    ],
)
def test_a_visitor_gets_the_first_language_that_we_have(accepted: list[str], chosen: str) -> None:
    assert locales.preferred(accepted, ("fr", "en", "lb", "de")) == chosen


def test_every_shipped_language_has_a_catalogue_but_the_source() -> None:
    there = {path.parent.parent.name for path in (ROOT / "translations").glob("*/LC_MESSAGES/messages.po")}
    assert there == set(locales.SHIPPED) - {locales.FALLBACK}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Catalogues as they are in a fresh checkout: none is compiled."""
    folder = tmp_path / "translations"
    shutil.copytree(ROOT / "translations", folder, ignore=shutil.ignore_patterns("*.mo"))
    return folder


def test_catalogues_are_compiled_when_they_are_new_or_changed(sources: Path) -> None:
    mask = os.umask(0o077)
    try:
        locales.compile_catalogues(sources)
    finally:
        os.umask(mask)
    compiled = sources / "fr" / "LC_MESSAGES" / "messages.mo"
    assert Translations.load(str(sources), ["fr"]).gettext("First name") == "Prénom"
    assert compiled.stat().st_mode & 0o777 == 0o644, "the server's account reads what root compiled"
    assert len(list(sources.rglob("*.mo"))) == len(locales.SHIPPED) - 1, "English needs none, and no other file is left"

    before = compiled.stat()
    locales.compile_catalogues(sources)
    assert compiled.stat().st_ino == before.st_ino, "nothing changed"
    source = compiled.with_suffix(".po")
    source.write_text(source.read_text().replace('"Prénom"', '"Petit nom"'))
    os.utime(source, (before.st_mtime + 1, before.st_mtime + 1))
    locales.compile_catalogues(sources)
    assert Translations.load(str(sources), ["fr"]).gettext("First name") == "Petit nom"


def test_the_program_ends_with_a_sentence_where_it_cannot_compile(sources: Path) -> None:
    (sources / "lb" / "LC_MESSAGES" / "messages.mo").mkdir()
    with pytest.raises(SystemExit, match=r"not compiled.*lb/LC_MESSAGES/messages\.mo cannot be written.*make install"):
        locales.compile_catalogues(sources)


def test_a_fresh_checkout_speaks_french_without_make(sources: Path) -> None:
    checkout = sources.parent
    for name in ("petitions", "templates", "static"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", checkout)
    ask = "from petitions.factory import create_app; print(create_app().test_client().get('/fr/x/y/z').text)"
    done = subprocess.run([sys.executable, "-c", ask], cwd=checkout, capture_output=True, text=True, timeout=60)
    assert "Page introuvable" in done.stdout, done.stderr
