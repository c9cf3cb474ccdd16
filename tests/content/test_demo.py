"""The demo campaign: complete, without faults, with correct facts."""

import pytest

from petitions.cli.setup import DEMO_CAMPAIGN
from petitions.content.reading import missing_texts, read

DEMO = read(DEMO_CAMPAIGN)
CASES = [
    ("maryia-kalesnikava", "BY", "Maryia Kalesnikava"),
    ("dang-dinh-bach", "VN", "Dang Dinh Bach"),
    ("oqba-hashad", "EG", "Oqba Hashad"),
    ("manahel-al-otaibi", "SA", "Manahel al-Otaibi"),
    ("sebnem-korur-fincanci", "TR", "Şebnem Korur Fincancı"),
    ("kyung-seok-park", "KR", "Kyung Seok Park"),
    ("joel-paredes", "AR", "Joel Paredes"),
    ("wetsuweten-land-defenders", "CA", "Wet’suwet’en"),
    ("neth-nahara", "AO", "Neth Nahara"),
]


def test_nothing_is_missing_in_any_of_the_four_languages() -> None:
    assert DEMO.languages == ["fr", "en", "lb", "de"]
    assert missing_texts(DEMO) == []


def test_every_text_is_ready_and_says_everything_its_source_says() -> None:
    for thing in (DEMO, *DEMO.cases, *DEMO.stories):
        source = thing.texts["fr"].words
        for language, text in thing.texts.items():
            assert text.state == "ready"
            assert text.words.keys() == source.keys(), (getattr(thing, "slug", ""), language)


def test_the_nine_cases_stand_in_their_order_with_their_countries() -> None:
    assert [(case.slug, case.country) for case in DEMO.cases] == [(slug, country) for slug, country, _ in CASES]
    assert all(case.state == "open" for case in DEMO.cases)


@pytest.mark.parametrize(("slug", "_country", "name"), CASES)
def test_names_are_written_right_in_every_language(slug: str, _country: str, name: str) -> None:
    [case] = [case for case in DEMO.cases if case.slug == slug]
    for language, text in case.texts.items():
        title = text.words["title"].replace("'", "’")
        assert name in title, (language, title)


def test_nobody_copied_a_text_from_one_language_to_another() -> None:
    for thing in (*DEMO.cases, *DEMO.stories):
        stories = [text.words["story"] for text in thing.texts.values()]
        assert len(set(stories)) == len(stories), thing.slug


def test_the_demo_notice_stands_in_every_language() -> None:
    assert DEMO.demo
    assert all(len(text.words["notice"]) > 20 for text in DEMO.texts.values())


def test_there_are_thirteen_stories_and_every_topic_is_used() -> None:
    assert len(DEMO.stories) == 13
    assert {case.topic for case in DEMO.cases} == set(DEMO.topics)
    assert all(set(names) == set(DEMO.languages) for names in DEMO.topics.values())
