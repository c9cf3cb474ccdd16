"""Faults of a campaign folder: all at once, each with its file, key and language."""

from pathlib import Path

import pytest

from petitions.content.reading import missing_texts, read, source_hash
from petitions.errors import ContentFaulty
from tests.support.factories import EMBLEM, write, write_campaign


def faults_of(folder: Path) -> list[str]:
    """What `read` finds wrong; nothing if it reads."""
    try:
        read(folder)
    except ContentFaulty as exc:
        return exc.faults
    return []


def edit(path: Path, before: str, after: str) -> None:
    """Change one place of a file."""
    text = path.read_text()
    assert before in text
    write(path, text.replace(before, after, 1))


TOML, HOME, RIVER, EMBLEM_FILE = "campaign.toml", "texts/en.md", "cases/river/en.md", "cases/river/emblem.svg"
OVER_BEFORE_OPEN = "opens_at = 2026-12-10T00:00:00Z\ncloses_at = 2026-12-10T00:00:00Z"


def test_a_campaign_without_faults_has_none(tmp_path: Path) -> None:
    assert faults_of(write_campaign(tmp_path)) == []


def test_what_a_campaign_leaves_out_is_the_careful_choice(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    edit(folder / TOML, 'counts = "live"', "")
    found = read(folder)
    assert (found.counts, found.minimum_age) == ("batched", 0)
    assert all(case.hands_over_names for case in found.cases)
    assert "authority" not in found.controller


EDITS = [
    # the structure: what to write instead of what, and the fault at which key
    (TOML, 'slug = "water-2026"', "", "key slug: is missing"),
    (TOML, "water-2026", "Water", "key slug: must be lower-case letters"),
    (TOML, "water-2026", "water--2026", "key slug: must be lower-case letters"),
    (TOML, "water-2026", "w" * 81, "key slug: must be lower-case letters"),
    (TOML, 'state = "open"', 'state = "opened"', "key state: must be one of draft, open, closed, archived"),
    (TOML, 'state = "open"', "state = 1", "key state: must be text, not 1"),
    (TOML, "['fr', 'en']", "[]", "key languages: must list each language once"),
    (TOML, "['fr', 'en']", "['fr', 'en', 'fr']", "key languages: must list each language once"),
    (TOML, "['fr', 'en']", "['fr', 'en', 'xx']", "key languages: 'xx' is not a language code"),
    (TOML, "['fr', 'en']", "['fr', 'en', 'EN']", "key languages: 'EN' is not a language code"),
    (TOML, "['fr', 'en']", "['fr', 'en', 7]", "key languages: 7 is not a language code"),
    (TOML, "['fr', 'en']", "'fr'", "key languages: must be a list"),
    (TOML, "goal = 1000", "goal = -1", "key goal: must be between 0 and 100000000, not -1"),
    (TOML, "goal = 1000", "goal = true", "key goal: must be a whole number, not True"),
    (TOML, "goal = 1000", 'goal = "many"', "key goal: must be a whole number, not 'many'"),
    (TOML, "goal = 1000", "gaol = 1000", "key gaol: is not a known key"),
    (TOML, "goal = 1000", "shows_waiting = false", "key shows_waiting: is no longer known, as only confirmed"),
    (TOML, "goal = 1000", "minimum_age = 22", "key minimum_age: must be between 0 and 21, not 22"),
    (TOML, 'counts = "live"', 'counts = "hourly"', "key counts: must be one of batched, live, not 'hourly'"),
    (TOML, "goal = 100\n", "hands_over_names = 0\n", "key cases[0].hands_over_names: must be true or false"),
    (TOML, 'name = "A section"', 'name = "A"\nauthority = 1', "key controller.authority: must be text"),
    (TOML, "goal = 1000", "signers_per_mailbox = 0", "key signers_per_mailbox: must be between 1 and 9"),
    (TOML, "goal = 1000", 'demo = "yes"', "key demo: must be true or false"),
    (TOML, "goal = 1000", 'timezone = "Mars/Base"', "key timezone: is not a known time zone: 'Mars/Base'"),
    (TOML, "goal = 1000", "opens_at = 2026-12-10", "key opens_at: must be a date and time"),
    (TOML, "goal = 1000", "opens_at = 2026-12-10T00:00:00", "key opens_at: needs an offset"),
    (TOML, "goal = 1000", OVER_BEFORE_OPEN, "key closes_at: must be after opens_at"),
    (TOML, 'email = "privacy@example.org"', "", "key controller.email: is missing"),
    (TOML, 'name = "A section"', "name = 1", "key controller.name: must be text"),
    (TOML, 'name = "A section"', 'name = "A"\nfax = "1"', "key controller.fax: is not a known key"),
    # topics, cases, stories
    (TOML, 'fr = "Water (fr)"', "", "key topics.water.fr: is missing"),
    (TOML, 'fr = "Water (fr)"', "fr = 5", "key topics.water.fr: must be text, not 5"),
    (TOML, 'fr = "Water (fr)"', 'fr = "W"\nlb = "W"', "key topics.water.lb: is not a known key"),
    (TOML, "[topics.water]", '[topics]\nsea = "x"\n[topics.water]', "key topics.sea: must be a table, not 'x'"),
    (TOML, "[topics.water]", f"[topics.{'t' * 41}]", f"key topics.{'t' * 41}: must have a key of 1 to 40 characters"),
    (TOML, 'topic = "water"', 'topic = "fire"', "key cases[0].topic: must be one of water, not 'fire'"),
    (TOML, 'country = "BY"', 'country = "by"', "key cases[0].country: must be an ISO 3166 code"),
    (TOML, 'country = "BY"', 'country = "QQ"', "key cases[0].country: must be an ISO 3166 code"),
    (TOML, 'slug = "forest"', 'slug = "../etc"', "key cases[1].slug: must be lower-case letters"),
    (TOML, 'slug = "forest"', 'slug = "river"', "key cases: 'river' is listed twice"),
    (TOML, 'slug = "forest"', 'slug = "forest"\nimage = "x"', "key cases[1].image: is not a known key"),
    (TOML, "year = 2020", "year = 1960", "key stories[0].year: must be between 1961 and 2200"),
    (TOML, 'country = "TD"', "country = 7", "key stories[0].country: must be text"),
    # words, with their language
    (RIVER, 'title = "The river (en)"\n', "", "key title, en: is missing"),
    (RIVER, "The river (en)", "", "key title, en: is missing"),
    (RIVER, "The river (en)", " \t ", "key title, en: is missing"),
    (RIVER, '"The river (en)"', "3", "key title, en: must be text, not 3"),
    (RIVER, "The river (en)", "x" * 121, "key title, en: is 121 characters long; at most 120 are allowed"),
    (RIVER, "The river (en)", "a\\nb", "key title, en: must be a single line"),
    (RIVER, "The river (en)", "a\\u0000b", "key title, en: contains a control character"),
    (RIVER, "The river is dry", "The \x07 river", "en: contains a control character"),
    (RIVER, "The river is dry.\n", "", "en: has no text below the front matter"),
    (RIVER, "The river is dry.", "x" * 20_001, "en: is 20001 characters long"),
    (RIVER, "+++\n", "+++\n[[[\n", "en: is not valid TOML"),
    (RIVER, "title =", 'titel = "x"\ntitle =', "key titel, en: is not a known key"),
    (RIVER, "title =", 'story = "x"\ntitle =', "key story, en: belongs below the front matter"),
    (RIVER, "title =", 'state = "missing"\ntitle =', "key state, en: must be draft or ready"),
    (RIVER, "title =", 'source_hash = "old"\ntitle =', "key source_hash, en: must be 64 hexadecimal digits"),
    (RIVER, "title =", "source_hash = 7\ntitle =", "key source_hash, en: must be 64 hexadecimal digits"),
    (HOME, "title =", 'donation_url = "http://example.org"\ntitle =', "key donation_url, en: must be an address that"),
    (HOME, "title =", 'donation_url = "https://"\ntitle =', "key donation_url, en: must be an address that"),
    (HOME, "title =", 'steps = ["a"]\ntitle =', "key steps, en: must be a list of pairs"),
    (HOME, "title =", 'steps = [["a", ""]]\ntitle =', "key steps, en: must be a list of pairs"),
    (HOME, "title =", 'steps = [["a", "\\u0000"]]\ntitle =', "key steps, en: contains a control character"),
    (HOME, "title =", f"steps = {[['a', 'b']] * 7}\ntitle =", "key steps, en: has 7 entries; at most 6 are allowed"),
]


@pytest.mark.parametrize(("file", "before", "after", "fault"), EDITS)
def test_a_fault_names_its_file_its_key_and_its_language(
    tmp_path: Path, file: str, before: str, after: str, fault: str
) -> None:
    folder = write_campaign(tmp_path)
    edit(folder / file, before, after)
    found = faults_of(folder)
    assert [each for each in found if each.startswith(f"{file}, {fault}")], found


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        (TOML, None, f"{TOML}: is missing"),
        (TOML, b"\xff", f"{TOML}: is not UTF-8 text"),
        (TOML, b"#" * 200_001, f"{TOML}: is larger than 200000 bytes"),
        ("texts/fr.md", None, "texts/fr.md, fr: is missing"),
        ("cases/river/fr.md", None, "cases/river/fr.md, fr: is missing"),
        ("stories/spring/fr.md", None, "stories/spring/fr.md, fr: is missing"),
        (RIVER, b"\xff\xfe", f"{RIVER}: is not UTF-8 text"),
        (RIVER, b"", f"{RIVER}, en: must begin with keys between two lines of +++"),
        (RIVER, b"no front matter\n", f"{RIVER}, en: must begin with keys between two lines of +++"),
        (RIVER, b"+++\ntitle = 1\n", f"{RIVER}, en: must begin with keys between two lines of +++"),
        (EMBLEM_FILE, None, f"{EMBLEM_FILE}: is missing"),
        (EMBLEM_FILE, b"", f"{EMBLEM_FILE}: is not well-formed"),
        (EMBLEM_FILE, b"<svg/>", f"{EMBLEM_FILE}: must begin with <svg"),
    ],
)
def test_a_file_that_is_missing_or_unreadable_is_named(
    tmp_path: Path, file: str, content: bytes | None, fault: str
) -> None:
    folder = write_campaign(tmp_path)
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    found = faults_of(folder)
    assert [each for each in found if each.startswith(fault)], found


@pytest.mark.parametrize("table", ["cases", "stories"])
@pytest.mark.parametrize("value", ["[1]", '["river"]', "[[]]", '"river"', "1"])
def test_a_list_of_something_else_than_tables_is_a_fault_and_no_crash(tmp_path: Path, table: str, value: str) -> None:
    folder = write_campaign(tmp_path, cases=(), stories=())
    edit(folder / "campaign.toml", 'slug = "water-2026"', f'slug = "water-2026"\n{table} = {value}')
    assert any(f"campaign.toml, key {table}" in fault for fault in faults_of(folder))


@pytest.mark.parametrize("table", ["controller", "topics"])
def test_something_else_than_a_table_is_a_fault_and_no_crash(tmp_path: Path, table: str) -> None:
    folder = write_campaign(tmp_path, cases=(), stories=())
    text = (folder / "campaign.toml").read_text().replace(f"[{table}", "[unknown", 1)
    write(folder / "campaign.toml", f"{table} = 7\n{text}")
    assert f"campaign.toml, key {table}: must be a table, not 7" in faults_of(folder)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    edit(folder / "campaign.toml", "goal = 1000", "goal = -1")
    edit(folder / "texts/en.md", 'title = "Water en"\n', "")
    (folder / "cases/lake/fr.md").unlink()
    write(folder / "cases/forest/emblem.svg", EMBLEM.replace("circle", "script"))
    found = faults_of(folder)
    files = [fault.partition(":")[0].partition(",")[0] for fault in found]
    assert sorted(files) == ["campaign.toml", "cases/forest/emblem.svg", "cases/lake/fr.md", "texts/en.md"]


def test_a_folder_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path / "nowhere") == ["campaign.toml: is missing"]


def test_broken_toml_is_reported_with_its_place(tmp_path: Path) -> None:
    assert faults_of(write(tmp_path / "campaign.toml", 'slug = "a"\nslug =\n').parent)[0].startswith(
        "campaign.toml: is not valid TOML: "
    )


def test_missing_translations_are_no_faults_but_are_listed(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    for file in ("texts/en.md", "cases/lake/en.md", "stories/spring/en.md"):
        (folder / file).unlink()
    assert missing_texts(read(folder)) == ["texts/en.md", "cases/lake/en.md", "stories/spring/en.md"]


def test_words_are_trimmed_and_composed(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    edit(folder / RIVER, "The river (en)", "  Le\u0301zard ")
    edit(folder / RIVER, "The river is dry.", "\n\nIl a se\u0301che\u0301.  \n")
    words = read(folder).cases[0].texts["en"].words
    assert (words["title"], words["story"]) == ("Lézard", "Il a séché.")


def test_files_from_windows_are_read(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    expected = read(folder)
    for path in folder.rglob("*.[mt]*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(folder) == expected


def test_a_drawing_is_kept_byte_for_byte(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    drawing = EMBLEM.replace("><", ">\r\n<") + "\n"
    (folder / "cases/river/emblem.svg").write_bytes(drawing.encode())
    assert read(folder).cases[0].emblem == drawing


def test_the_hash_of_the_source_depends_on_words_and_not_on_their_order() -> None:
    assert source_hash({"a": "1", "b": "é"}) == source_hash({"b": "é", "a": "1"})
    assert source_hash({"a": "1"}) != source_hash({"a": "2"})


def test_what_a_case_says_about_letters_is_checked(tmp_path: Path) -> None:
    folder = write_campaign(tmp_path)
    toml = folder / "campaign.toml"
    told = 'address = "The minister\\nMINSK"\nsend_until = "2025-01-31"\nletter_languages = ["es"]\n'
    plain = toml.read_text()
    toml.write_text(plain.replace("goal = 100\n", f"goal = 100\n{told}", 1))
    (folder / "cases" / "river" / "letter.es.txt").write_text("Señora:\n")
    [river, *_] = read(folder).cases
    assert river.letter_facts["letters"] == {"es": "Señora:"}
    for wrong, said in {
        'address = "' + "x" * 41 + '"': "address: must fit the window",
        'send_until = "soon"': "send_until: must be a day",
        'email = "nobody"': "email: is not an e-mail address",
        'letter_languages = ["xx"]': "letter_languages: must list language codes",
        'letter_languages = ["pt"]': "letter.pt.txt: is missing",
    }.items():
        toml.write_text(plain.replace("goal = 100\n", f"goal = 100\n{wrong}\n", 1))
        with pytest.raises(ContentFaulty) as raised:
            read(folder)
        assert any(said in fault for fault in raised.value.faults), (wrong, raised.value.faults)
