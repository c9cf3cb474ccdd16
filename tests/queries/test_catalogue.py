"""The catalogue: by state, clock and language, at most a second old."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.db.base import db
from petitions.db.transactions import transaction
from petitions.errors import Busy, NotFound
from petitions.models import Campaign, Case
from petitions.queries import catalogue as catalogue_query
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign, catalogue
from tests.support.factories import case_text, load_campaign, make_campaign, write, write_campaign
from tests.support.statements import statements

pytestmark = pytest.mark.usefixtures("context")


def test_draft_and_hidden_cases_do_not_exist_for_visitors(app: Flask, tmp_path: Path) -> None:
    states = {"river": "draft", "forest": "hidden", "lake": "open", "sea": "paused", "hill": "won", "dune": "closed"}
    campaign = make_campaign(app, tmp_path / "new", slug="new", cases=tuple(states), states=states)
    assert [case.slug for case in campaign.cases] == ["lake", "sea", "hill", "dune"]
    assert [case.slug for case in campaign.open_cases] == ["lake"]
    for slug in ("river", "forest", "no-such-case"):
        with pytest.raises(NotFound):
            campaign.case(slug)


def test_a_draft_campaign_does_not_exist_for_visitors(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        make_campaign(app, tmp_path / "new", slug="new", state='"draft"')


@pytest.mark.parametrize(
    ("plain", "is_open", "is_over"),
    [
        ({}, True, False),
        ({"opens_at": "2026-11-01T00:00:00Z"}, True, False),
        ({"opens_at": "2026-12-10T12:00:01Z"}, False, False),
        ({"opens_at": "2026-12-10T12:00:00Z"}, True, False),
        ({"closes_at": "2026-12-10T12:00:01Z"}, True, False),
        ({"closes_at": "2026-12-10T12:00:00Z"}, False, True),
        ({"closes_at": "2026-12-10T13:00:00+01:00"}, False, True),
        ({"state": '"closed"'}, False, True),
        ({"state": '"archived"'}, False, True),
        ({"state": '"closed"', "closes_at": "2026-12-31T00:00:00Z"}, False, True),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_state_and_clock_open_and_close_a_campaign(
    app: Flask, tmp_path: Path, plain: dict[str, str], is_open: bool, is_over: bool
) -> None:
    campaign = make_campaign(app, tmp_path / "new", slug="new", **plain)
    with stopped_at(now().replace(year=2026, month=12, day=10, hour=12, minute=0, second=0, microsecond=0)):
        assert (campaign.is_open, campaign.is_over) == (is_open, is_over)
        assert bool(campaign.open_cases) == is_open


def test_the_current_campaign_is_the_newest_open_one_else_the_newest(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        _ = catalogue().current
    make_campaign(app, tmp_path / "2023", slug="2023", state='"closed"', opens_at="2023-11-01T00:00:00Z")
    make_campaign(app, tmp_path / "2022", slug="2022", state='"archived"', opens_at="2022-11-01T00:00:00Z")
    assert catalogue().current.slug == "2023"
    make_campaign(app, tmp_path / "2021", slug="2021", opens_at="2021-11-01T00:00:00Z")
    assert catalogue().current.slug == "2021"
    make_campaign(app, tmp_path / "2999", slug="2999", opens_at="2999-11-01T00:00:00Z")
    assert catalogue().current.slug == "2021"


def test_campaigns_are_found_by_name_and_by_number(campaign: PublicCampaign) -> None:
    assert catalogue().campaign("water-2026").id == catalogue().campaign_with_id(campaign.id).id
    for wrong in (lambda: catalogue().campaign("x"), lambda: catalogue().campaign_with_id(campaign.id + 1)):
        with pytest.raises(NotFound):
            wrong()


def test_what_is_not_translated_or_only_a_draft_is_read_in_the_source_language(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "new", slug="new", languages=("fr", "en", "de"))
    (folder / "cases/river/de.md").unlink()
    write(folder / "cases/lake/de.md", case_text("lake", "de").replace("+++", '+++\nstate = "draft"', 1))
    campaign = load_campaign(app, folder)

    for slug in ("river", "lake"):
        case = campaign.case(slug)
        assert case.locale_for("de") == "fr"
        assert case.text("de") == case.text("fr")
        assert case.letter_versions.keys() == {"fr", "en"}
    assert campaign.case("forest").locale_for("de") == "de"


def test_where_the_source_itself_is_a_draft_another_language_stands_in(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "new", slug="new", languages=("fr", "en"))
    for file in ("texts/fr.md", "cases/river/fr.md", "stories/spring/fr.md"):
        write(folder / file, (folder / file).read_text().replace("+++", '+++\nstate = "draft"', 1))
    campaign = load_campaign(app, folder)

    assert campaign.text("fr")["title"] == "Water en"
    assert campaign.case("river").text("fr")["title"] == "The river (en)"
    assert campaign.stories[0].text("fr")["title"] == "The spring (en)"


def test_what_a_campaign_says_of_ages_counts_and_names_is_known(app: Flask, tmp_path: Path) -> None:
    plain = make_campaign(app, tmp_path / "plain", counts='"batched"')
    assert (plain.minimum_age, plain.counts) == (0, "batched")
    assert all(case.hands_over_names for case in plain.cases)
    chosen = make_campaign(app, tmp_path / "chosen", minimum_age="16", counts='"live"', unnamed=["forest"])
    assert (chosen.minimum_age, chosen.counts) == (16, "live")
    assert [case.slug for case in chosen.cases if not case.hands_over_names] == ["forest"]


def test_stories_keep_their_order_year_and_country(app: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(app, tmp_path / "new", slug="new", stories=("spring", "autumn"))
    assert [(story.slug, story.year, story.country) for story in campaign.stories] == [
        ("spring", 2020, "TD"),
        ("autumn", 2020, "TD"),
    ]


def test_three_statements_load_everything_and_none_is_needed_for_a_second(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    CATALOGUE_CACHE.of(app).forget()
    monkeypatch.setattr(catalogue_query, "FRESH_SECONDS", 60.0)
    with statements(db.engine) as cold:
        catalogue()
    with statements(db.engine) as warm:
        catalogue()
    assert len([text for text in cold if text.startswith("SELECT")]) == 3
    assert warm == []


def test_after_a_second_one_statement_looks_whether_anything_changed(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_query, "FRESH_SECONDS", 0.0)
    kept = catalogue()
    with statements(db.engine) as seen:
        again = catalogue()
    assert len([text for text in seen if text.startswith("SELECT")]) == 1
    assert again is kept


def test_a_case_that_another_server_hides_is_gone_after_a_second(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue()
    with transaction() as store:
        store.execute(Case.__table__.update().where(Case.slug == "lake").values(state="hidden"))
        store.execute(Campaign.__table__.update().values(changed_at=now() + timedelta(seconds=1)))
    monkeypatch.setattr(catalogue_query, "FRESH_SECONDS", 0.0)
    assert [case.slug for case in catalogue().current.cases] == ["river", "forest"]


def test_while_the_database_is_away_pages_are_made_from_what_is_known(
    context: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue_cache = CATALOGUE_CACHE.of(context)
    known = catalogue_cache.catalogue()

    def away() -> None:
        raise Busy

    monkeypatch.setattr(catalogue_query, "reading", away)
    monkeypatch.setattr(catalogue_query, "FRESH_SECONDS", 0.0)
    assert catalogue_cache.catalogue() is known
    catalogue_cache.forget()
    with pytest.raises(Busy):
        catalogue_cache.catalogue()
