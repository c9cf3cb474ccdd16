"""The vocabulary: one term per thing, one name per country, and the n-rule of Luxembourgish."""

import re

import pytest

from petitions import locales
from petitions.content import reading
from tests.support.spelling import DEMO, spelled, texts, words

# Pictures, internal words, calques and outdated spellings; each has its right word in the glossary of the translations
FORBIDDEN = {
    "en": r"riddle|\bseal|\bstrike|\bstruck|\bleapt|\bknock|newsletter|the section|(?<!e-)\bmails?\b"
    r"(?! server| program)|\bsign (?:in|out)\b|take back|taken back|on the spot|drawn emblem|\blaissez",
    "fr": r"énigme|scell|laissez-passer|\btimbres?\b|biélorussie|kirghizstan|de nos nouvelles|donnez de la voix"
    r"|état à|newsletter|la section|emblème",
    "de": r"rätsel|versiegel|briefmarke|weißrussland|tribüne|laissez|newsletter|die sektion|emblem|high court",
    "lb": r"rätsel|versigel|\btimber|wäissrussland|wahrscheinlech|\bwofir|sträich|gestrach|ausgeschwat|\bstill\b"
    r"|op der plaz|newsletter|\bsektioun\b|emblème|verschleeft|detentioun|high court",
}
# Luxembourgish drops a final n before every consonant but these; of short words and of the ending -en
DROPPED = re.compile(
    r"\b(?:\w+en|den|en|een|an|un|vun|wann|dann|mäin|säin|vum?n)\s+(?=[bcfgjklmpqrsvwxBCFGJKLMPQRSVWX])"
)
KEPT = re.compile(r"\b(?:vu|wa)\s+(?=[aeiouäëéöünhdtzAEIOUÄËÉNHDTZ])")


@pytest.mark.parametrize("language", FORBIDDEN)
def test_no_word_that_the_glossary_replaced_is_back(language: str) -> None:
    found = [
        (place, match[0])
        for place, text in texts(language).items()
        for match in re.finditer(FORBIDDEN[language], text, re.IGNORECASE)
    ]
    assert found == []


def test_luxembourgish_keeps_the_n_rule() -> None:
    found = []
    for place, text in texts("lb").items():
        plain = re.sub(r"%\(\w+\)s|\{\w+\}|[*_]{2}", "", text)
        found += [
            (place, plain[match.start() : match.end() + 8])
            for rule in (DROPPED, KEPT)
            for match in rule.finditer(plain)
        ]
    assert found == []


def test_french_has_its_spaces() -> None:
    """A space that does not break: narrow before ; ? and !, full before a colon and inside quotation marks."""
    wrong = re.compile("[^\u202f][;?!]|[^\xa0\\d]:|«[^\xa0]|[^\xa0]»")
    found = []
    for place, text in texts("fr").items():
        found += [(place, match[0]) for match in wrong.finditer(re.sub(r"https?://\S+", "", text))]
    assert found == []


# What the text says where it has an adjective for the country; one text names its country nowhere
ADJECTIVES = {
    "fr": {"VN": "vietnamien", "ZW": "Zimbabwe", "TR": "turques"},
    "lb": {"MX": "mexikanesch"},
    "de": {"TR": "türkischen"},
    "en": {},
}
NAMELESS = {"vladimir-akimenkov"}


@pytest.mark.parametrize("language", reading.read(DEMO).languages)
def test_a_card_names_its_country_as_its_text_does(language: str) -> None:
    content = reading.read(DEMO)
    every = [*(("cases", each) for each in content.cases), *(("stories", each) for each in content.stories)]
    wrong = []
    for kind, each in every:
        if not each.country or each.slug in NAMELESS:
            continue
        text = (DEMO / kind / each.slug / f"{language}.md").read_text()
        name = locales.country_name(each.country, language)
        if name not in text and ADJECTIVES.get(language, {}).get(each.country, name) not in text:
            wrong.append((each.slug, name))
    assert wrong == []


@pytest.mark.parametrize("language", locales.SHIPPED)
def test_every_word_is_in_a_dictionary_or_in_the_checked_list(language: str) -> None:
    new = {word: place for word, place in words(language).items() if word not in spelled(language)}
    assert new == {}, f"run `make spelling`, or check these and add them to tests/spelled/{language}.txt"
