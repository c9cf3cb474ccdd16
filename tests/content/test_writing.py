"""A campaign that is written and read again is the same, whatever its words contain."""

import tomllib
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from petitions.content.fields import (
    CAMPAIGN_BODY,
    CAMPAIGN_FIELDS,
    CASE_BODY,
    CASE_FIELDS,
    STORY_BODY,
    STORY_FIELDS,
    CampaignContent,
    CaseContent,
    Field,
    StoryContent,
    Text,
    Words,
)
from petitions.content.reading import read
from petitions.content.writing import write
from petitions.queries.catalogue import CATALOGUE_CACHE
from petitions.services.campaigns.folders import export_campaign, import_campaign
from tests.support.factories import EMBLEM, write_campaign

AWKWARD = [
    "'",
    '"',
    '"""',
    "\\",
    "\\n",
    "+++",
    "\n",
    "\n+++\n",
    "🏳️‍🌈",
    "<b>",
    "=",
    "#",
    "李",
    "\u2028",
    "\u200d",
    "é",
    "[[",
    "%s",
    "{{",
]


def clean(text: str) -> str:
    """As the reader would keep it."""
    return unicodedata.normalize("NFC", text).strip()


def lines(longest: int = 60) -> st.SearchStrategy[str]:
    """One line of text, with every character that is special in a format."""
    letters = st.one_of(st.characters(exclude_categories=("Cc", "Cs")), st.sampled_from(AWKWARD))
    made = st.lists(letters, min_size=1, max_size=longest // 8).map(
        lambda parts: clean("".join(parts).replace("\n", ""))
    )
    return made.filter(lambda text: 0 < len(text) <= longest)


def texts() -> st.SearchStrategy[str]:
    """Several lines of such text."""
    return st.lists(lines(), min_size=1, max_size=4).map(lambda parts: clean("\n".join(parts)))


def value_for(rule: Field) -> st.SearchStrategy[Any]:
    """What may stand in a field."""
    if rule.kind == "pairs":
        return st.lists(st.lists(lines(), min_size=2, max_size=2), min_size=1, max_size=rule.longest)
    if rule.kind == "list":
        return st.lists(lines(), min_size=1, max_size=rule.longest)
    if rule.kind == "url":
        return st.just('https://example.org/"?a=\\b')
    return texts() if rule.kind == "text" else lines(min(rule.longest, 60))


def words_for(fields: dict[str, Field], body: str) -> st.SearchStrategy[Words]:
    """All that is required, and some of the rest."""
    required = {key: value_for(rule) for key, rule in fields.items() if rule.required}
    optional = {key: value_for(rule) for key, rule in fields.items() if not rule.required}
    return st.fixed_dictionaries({**required, body: texts()}, optional=optional)


def translated(fields: Any, body: str) -> st.SearchStrategy[dict[str, Text]]:
    """Words in the source language, and perhaps in another."""
    text = st.builds(
        Text, words_for(fields, body), st.sampled_from(["ready", "draft"]), st.sampled_from([None, "ab" * 32])
    )
    source = st.builds(Text, words_for(fields, body))
    return st.fixed_dictionaries({"ar": source}, optional={"lb": text})


LETTER_FACTS: list[Words] = [
    {},
    {"address": "The minister\nMINSK", "copy_to": "+++\nParis", "email": "m@example.org", "send_until": "2025-01-31"},
    {"letters": {"es": "Señora:\n\n“agua”", "ar": "سيدي"}},
]
KATHMANDU = timezone(timedelta(hours=5, minutes=45))
MOMENTS = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, KATHMANDU))


def campaigns() -> st.SearchStrategy[CampaignContent]:
    """Any campaign that has no fault."""
    topic = "“água” 🌊"
    case = st.builds(
        CaseContent,
        slug=st.just("river"),
        letter_facts=st.sampled_from(LETTER_FACTS),
        country=st.sampled_from(["BY", "TR"]),
        topic=st.just(topic),
        state=st.sampled_from(["draft", "open", "paused", "hidden", "won", "closed"]),
        goal=st.integers(0, 100_000_000),
        hands_over_names=st.booleans(),
        emblem=st.just(EMBLEM),
        texts=translated(CASE_FIELDS, CASE_BODY),
    )
    story = st.builds(
        StoryContent,
        slug=st.just("spring"),
        year=st.integers(1961, 2200),
        country=st.sampled_from([None, "TD"]),
        texts=translated(STORY_FIELDS, STORY_BODY),
    )
    event = st.fixed_dictionaries(
        {
            "slug": st.just("night"),
            "place": lines(),
            "begins": st.just("2030-12-10T18:00:00+01:00"),
            "ends": st.sampled_from(["", "2030-12-10T20:00:00+01:00"]),
            "title": st.fixed_dictionaries({"ar": lines()}, optional={"lb": lines()}),
            "text": st.fixed_dictionaries({}, optional={"lb": lines()}),
        }
    )
    return st.builds(
        CampaignContent,
        slug=st.just("any"),
        state=st.sampled_from(["draft", "open", "closed", "archived"]),
        languages=st.just(["ar", "lb"]),
        timezone=st.sampled_from(["UTC", "Asia/Kathmandu"]),
        demo=st.booleans(),
        goal=st.integers(0, 100_000_000),
        asks_birth_date=st.booleans(),
        minimum_age=st.integers(0, 21),
        counts=st.sampled_from(["batched", "live"]),
        neutral_subject=st.booleans(),
        signers_per_mailbox=st.integers(1, 9),
        embed_sites=st.lists(
            st.sampled_from(["https://a.example", "https://b.example:8443", "http://localhost:5000"]), max_size=4
        ),
        events=st.lists(event, max_size=1),
        kit_cases=st.just([]),  # names of cases: tests/content/test_reading.py
        opens_at=st.one_of(st.none(), MOMENTS),
        closes_at=st.one_of(st.none(), st.just(datetime(2101, 1, 1, tzinfo=UTC))),
        controller=st.fixed_dictionaries(
            {key: lines() for key in ("name", "email", "address")}, optional={"authority": lines()}
        ),
        topics=st.fixed_dictionaries({topic: st.fixed_dictionaries({"ar": lines()}, optional={"lb": lines()})}),
        texts=translated(CAMPAIGN_FIELDS, CAMPAIGN_BODY),
        cases=st.lists(case, max_size=1),
        stories=st.lists(story, max_size=1),
    )


@given(campaigns())
@settings(max_examples=60)
def test_what_is_written_is_read_again(campaign: CampaignContent) -> None:
    with TemporaryDirectory() as folder:
        write(campaign, Path(folder))
        assert read(Path(folder)) == campaign


@pytest.mark.usefixtures("context")
def test_what_is_imported_is_exported_again(app: Any) -> None:
    @given(campaigns())
    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    def round_trip(campaign: CampaignContent) -> None:
        import_campaign(campaign, CATALOGUE_CACHE.of(app))
        assert without_hashes(export_campaign(campaign.slug)) == without_hashes(campaign)

    round_trip()


def without_hashes(campaign: CampaignContent) -> CampaignContent:
    """The campaign without what names the state of the source: an export names it only where it is an old one."""
    for thing in (campaign, *campaign.cases, *campaign.stories):
        for text in thing.texts.values():
            text.source_hash = None
    return campaign


@pytest.mark.parametrize(
    "awkward", [*AWKWARD, "+++\nx", "x\n+++", "a\n+++\nb\n+++\nc", '"""\n"""', "\x7f".join("ab")[:1] + "\\u0041"]
)
def test_awkward_words_survive_in_every_place(tmp_path: Path, awkward: str) -> None:
    campaign = read(write_campaign(tmp_path / "one"))
    line = f"a{awkward}b".replace("\n", "")
    words = campaign.cases[0].texts["en"].words
    words.update(title=line, demand=f"a{awkward}b\n\n{awkward}\nend", story=f"a\n{awkward}\nb")
    campaign.controller["address"] = line
    campaign.texts["fr"].words["steps"] = [[line, line]]
    write(campaign, tmp_path / "two")
    assert read(tmp_path / "two") == campaign


def test_several_lines_stay_several_lines_in_the_file(tmp_path: Path) -> None:
    campaign = read(write_campaign(tmp_path / "one"))
    campaign.cases[0].texts["en"].words["letter"] = "Dear minister,\n\nplease."
    write(campaign, tmp_path / "two")
    assert '"""\nDear minister,\n\nplease."""' in (tmp_path / "two/cases/river/en.md").read_text()


def test_a_campaign_can_be_written_over_an_older_one(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    campaign = read(folder)
    campaign.cases[0].texts["en"].words["title"] = "New"
    write(campaign, folder)
    assert read(folder) == campaign


def test_the_structure_is_plain_toml_with_quoted_keys_where_needed(tmp_path: Path) -> None:
    campaign = read(write_campaign(tmp_path / "one"))
    campaign.topics = {"plain-key_1": {"fr": "x"}, 'odd "key"\\': {"fr": "x"}, "🌊": {"fr": "x"}}
    campaign.cases = []
    write(campaign, tmp_path / "two")
    assert tomllib.loads((tmp_path / "two/campaign.toml").read_text())["topics"] == campaign.topics
    assert read(tmp_path / "two").topics == campaign.topics
