"""Campaign content: from the folder into the database and back, without loss."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from petitions.cli.setup import DEMO_CAMPAIGN
from petitions.clock import now, stopped_at
from petitions.content import reading as content_reading
from petitions.content import writing
from petitions.content.fields import CampaignContent
from petitions.domain.states import TallyKind
from petitions.errors import ContentFaulty, NotFound
from petitions.models import Case, CaseText, LetterVersion, Signature, Story, Tally
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign, catalogue
from petitions.services.campaigns.folders import export_campaign, import_campaign
from petitions.services.keys.keyring import keyring
from petitions.services.paper.tallies import record_tally
from tests.support.factories import ANN, case_text, dump, rows, sign, write, write_campaign

pytestmark = pytest.mark.usefixtures("context")


def load(app: Flask, folder: Path) -> CampaignContent:
    """Read the folder and import it."""
    content = content_reading.read(folder)
    import_campaign(content, CATALOGUE_CACHE.of(app))
    return content


def change(path: Path, before: str, after: str) -> None:
    """Edit a file, as staff would."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_an_imported_campaign_is_public_at_once(app: Flask, tmp_path: Path) -> None:
    load(app, write_campaign(tmp_path / "new", slug="new"))
    found = catalogue().campaign("new")
    assert [case.slug for case in found.cases] == ["river", "forest", "lake"]
    assert found.case("river").text("en")["title"] == "The river (en)"


def test_each_campaign_gets_a_key_of_its_own_and_keeps_it(app: Flask, tmp_path: Path) -> None:
    for slug in ("one", "two"):
        load(app, write_campaign(tmp_path / slug, slug=slug))
    keys = [keyring().campaign_key(slug) for slug in ("one", "two")]
    load(app, tmp_path / "one")
    keyring().__post_init__()  # forgets what it read
    assert [keyring().campaign_key(slug) for slug in ("one", "two")] == keys
    assert keys[0] != keys[1]


def content_of_database() -> dict[str, Any]:
    """Everything but when an import was, and the journal's rows about them."""
    return {table: rows for table, rows in dump("campaigns.changed_at").items() if table != "journal"}


def test_importing_twice_changes_nothing(app: Flask, tmp_path: Path) -> None:
    load(app, write_campaign(tmp_path / "new"))
    before = content_of_database()
    with stopped_at(now() + timedelta(days=1)):
        load(app, tmp_path / "new")
    assert content_of_database() == before


def test_the_demo_campaign_goes_in_and_out_without_loss(app: Flask, tmp_path: Path) -> None:
    content = load(app, DEMO_CAMPAIGN)
    writing.write(export_campaign(content.slug), tmp_path / "out")
    assert content_reading.read(tmp_path / "out") == content
    before = content_of_database()
    load(app, tmp_path / "out")
    assert content_of_database() == before


def test_every_setting_goes_in_and_out_without_loss(app: Flask, tmp_path: Path) -> None:
    plain = {
        "state": '"closed"',
        "timezone": '"Asia/Kathmandu"',
        "demo": "true",
        "goal": "0",
        "asks_birth_date": "true",
        "minimum_age": "16",
        "counts": '"live"',
        "signers_per_mailbox": "9",
        "opens_at": "2026-11-01T00:00:00+05:45",
        "closes_at": "2026-12-31T23:59:59.123456Z",
    }
    content = load(app, write_campaign(tmp_path / "new", languages=("ar", "lb", "fr"), **plain))
    exported = export_campaign(content.slug)
    assert exported == content
    assert exported.opens_at == datetime.fromisoformat(plain["opens_at"])


def test_changed_words_change_and_unknown_campaigns_are_not_exported(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "new")
    load(app, folder)
    change(folder / "cases/river/en.md", "The river (en)", "The great river")
    load(app, folder)
    assert catalogue().campaign("water-2026").case("river").text("en")["title"] == "The great river"
    with pytest.raises(NotFound):
        export_campaign("no-such-campaign")


def test_a_changed_demand_is_a_new_version_and_old_signatures_keep_theirs(
    app: Flask, campaign: PublicCampaign, tmp_path: Path
) -> None:
    sign(campaign, ANN, "river")
    folder = write_campaign(tmp_path / "again")
    change(folder / "cases/river/fr.md", "We demand the river.", "We demand the whole river.")
    load(app, folder)

    versions = {row.id: row.demand for row in rows(LetterVersion, LetterVersion.locale == "fr")}
    [signature] = rows(Signature)
    assert versions[signature.letter_version_id] == "We demand the river."
    now_signed = catalogue().campaign("water-2026").case("river").letter_versions["fr"]
    assert versions[now_signed] == "We demand the whole river."

    change(folder / "cases/river/fr.md", "We demand the whole river.", "We demand the river.")
    load(app, folder)
    again = catalogue().campaign("water-2026").case("river").letter_versions["fr"]
    assert again == signature.letter_version_id, "the same words are the same version"


def test_words_that_are_not_demanded_make_no_new_version(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "new")
    load(app, folder)
    before = len(rows(LetterVersion))
    change(folder / "cases/river/fr.md", "The river is dry.", "The river was dry.")
    load(app, folder)
    assert len(rows(LetterVersion)) == before


def test_cases_may_come_go_and_change_places(app: Flask, tmp_path: Path) -> None:
    load(app, write_campaign(tmp_path / "one"))
    load(app, write_campaign(tmp_path / "two", cases=("sea", "lake", "river"), states={"lake": "won"}, stories=()))

    assert [(row.slug, row.position, row.state) for row in sorted(rows(Case), key=lambda row: row.position)] == [
        ("sea", 0, "open"),
        ("lake", 1, "won"),
        ("river", 2, "open"),
    ]
    assert {row.case_id for row in rows(CaseText)} == {row.id for row in rows(Case)}
    assert rows(Story) == []


def test_a_case_notes_when_its_state_changed_and_only_then(app: Flask, tmp_path: Path) -> None:
    begun = now()
    with stopped_at(begun):
        load(app, write_campaign(tmp_path / "one"))
    with stopped_at(begun + timedelta(days=1)):
        load(app, write_campaign(tmp_path / "two", states={"lake": "won"}))
    changed = {row.slug: row.state_changed_at - begun for row in rows(Case)}
    assert changed == {"river": timedelta(0), "forest": timedelta(0), "lake": timedelta(days=1)}


def test_a_language_that_is_gone_takes_its_words_along(app: Flask, tmp_path: Path) -> None:
    load(app, write_campaign(tmp_path / "one", languages=("fr", "en", "de")))
    load(app, write_campaign(tmp_path / "two", languages=("fr", "de")))
    assert {row.locale for row in rows(CaseText)} == {"fr", "de"}
    assert catalogue().campaign("water-2026").case("river").locale_for("en") == "fr"


@pytest.mark.parametrize("act", ["signature", "tally"])
def test_a_case_that_a_signer_acted_for_cannot_be_dropped_and_nothing_changes(
    app: Flask, campaign: PublicCampaign, tmp_path: Path, act: str
) -> None:
    if act == "signature":
        sign(campaign, ANN, "lake")
    else:
        record_tally(campaign.case("lake"), TallyKind.PAPER, 5, now().date())
    assert rows(Signature) or rows(Tally)
    before = dump()
    folder = write_campaign(tmp_path / "less", cases=("river", "sea"), goal="7")
    with pytest.raises(ContentFaulty) as refused:
        load(app, folder)

    assert refused.value.faults == ['cases/lake: has signatures; keep it, with state = "hidden" or "closed"']
    assert dump() == before


def test_a_translation_of_older_words_says_so_until_it_is_renewed(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "new")
    first = load(app, folder)
    made_from = content_reading.source_hash(first.cases[0].texts["fr"].words)
    change(folder / "cases/river/fr.md", "The river is dry.", "The river is dry, and nobody may say so.")
    load(app, folder)

    exported = export_campaign("water-2026").cases[0].texts
    assert exported["fr"].source_hash is None
    assert exported["en"].source_hash == made_from

    writing.write(export_campaign("water-2026"), tmp_path / "out")
    assert content_reading.read(tmp_path / "out").cases[0].texts["en"].source_hash == made_from

    write(folder / "cases/river/en.md", case_text("river", "en").replace("is dry", "is dry, and nobody may say so"))
    load(app, folder)
    assert export_campaign("water-2026").cases[0].texts["en"].source_hash is None
