"""Languages: which there are, what they are called, and who prefers what."""

import pytest

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
