"""Documents as a reader, a camera and a screen reader find them: rendered, decoded, and checked for PDF/UA.

The decoder is zxing, the renderer PDFium, the validator pdfua (12 checks of the machine-checkable subset): none of
them is the typesetter's own.
"""

import io
from collections.abc import Iterator
from typing import Any

import pdfua
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from flask import Flask
from flask_babel import force_locale

from petitions.kit import labels, pieces
from petitions.kit.typesetting import pdf
from petitions.queries.catalogue import PublicCampaign, catalogue

SITE = "https://sign.example.org"
DPI = 150
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def facts(demo: Flask, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Every piece about the demo campaign's first two cases, in French."""
    with demo.app_context():
        yield ordered(catalogue().current, "fr")


def ordered(campaign: PublicCampaign, language: str, **over: Any) -> dict[str, Any]:
    """The facts of a document."""
    fields: dict[str, Any] = {"language": language, "cases": campaign.cases[:2], "kinds": labels.KINDS, **over}
    with force_locale(language):
        return pieces.document(campaign, pieces.Order(**fields), SITE)


def pages(document: bytes) -> list[Any]:
    """Each page as a picture."""
    opened = pypdfium2.PdfDocument(document)
    try:
        return [opened[number].render(scale=DPI / 72).to_pil() for number in range(len(opened))]
    finally:
        opened.close()


def text(document: bytes) -> str:
    """What can be copied from the document."""
    opened = pypdfium2.PdfDocument(document)
    try:
        return "\n".join(opened[number].get_textpage().get_text_bounded() for number in range(len(opened)))
    finally:
        opened.close()


def faults(document: bytes) -> list[str]:
    """What the validator finds."""
    return [finding.rule_id for finding in pdfua.validate(io.BytesIO(document)).findings]


@pytest.mark.parametrize("language", ["fr", "en", "lb", "de"])
def test_every_code_leads_to_its_page_and_every_document_can_be_read_aloud(demo: Flask, language: str) -> None:
    with demo.app_context():
        facts = ordered(catalogue().current, language, cases=catalogue().current.cases[1:3])
    document = pdf(facts)
    pictures = pages(document)
    found = {code.text for picture in pictures for code in zxingcpp.read_barcodes(picture)}
    here = f"{SITE}/{language}/write-for-rights-2024/"
    assert found == {here, f"{here}cases/dang-dinh-bach/", f"{here}cases/oqba-hashad/"}
    assert faults(document) == []
    assert max(picture.convert("L").getextrema()[0] for picture in pictures) < 100, "no page is empty"
    with pikepdf.open(io.BytesIO(document)) as opened:
        assert str(opened.Root.Lang).startswith(language)
        fonts = [each for each in opened.objects if isinstance(each, pikepdf.Dictionary) and "/FontDescriptor" in each]
        assert fonts
        assert all({"/FontFile2", "/FontFile3"} & set(each.FontDescriptor.keys()) for each in fonts), "all embedded"


@pytest.mark.parametrize("language", ["fr", "lb"])
def test_with_a_collectors_code_all_pieces_lead_to_its_link_and_the_slip_to_the_paper_grid(
    demo: Flask, language: str
) -> None:
    with demo.app_context():
        document = pdf(ordered(catalogue().current, language, collector="BCDFG"))
    link, slip = f"{SITE}/{language}/write-for-rights-2024/for/BCDFG", f"{SITE}/admin/paper?collector=BCDFG"
    found = [{code.text for code in zxingcpp.read_barcodes(page)} for page in pages(document)]
    assert set().union(*found) == {link, slip}
    assert [number for number, codes in enumerate(found) if slip in codes] == [0], "on the cover"
    assert text(document).count("BCDFG") >= 10
    assert faults(document) == []


def test_names_come_out_as_they_are_written(facts: dict[str, Any]) -> None:
    for piece in facts["pieces"]:
        if piece["kind"] == "letter":
            piece["text"] = ["Şebnem Đặng Lëtzebuerg Łódź", "#sys.inputs $x$ *no* `code` @here <label>", "مريم العتيبي"]
    document = pdf(facts)
    said = text(document)
    assert "Şebnem Đặng Lëtzebuerg Łódź" in said
    assert "#sys.inputs $x$ *no* `code` @here <label>" in said, "no text is a command"
    assert faults(document) == []


def test_a_language_from_right_to_left_is_mirrored(facts: dict[str, Any]) -> None:
    sheet = next(piece for piece in facts["pieces"] if piece["kind"] == "signatures")
    halves = []
    for language, direction in (("fr", "ltr"), ("ar", "rtl")):
        facts["meta"] |= {"lang": language, "dir": direction}
        [page] = pages(pdf(facts | {"pieces": [sheet | {"lang": language, "dir": direction}]}))
        [code] = zxingcpp.read_barcodes(page)
        halves.append("right" if code.position.top_left.x > page.width / 2 else "left")
    assert halves == ["right", "left"]


def test_the_window_and_the_paper_are_those_of_the_order(demo: Flask) -> None:
    with demo.app_context():
        campaign = catalogue().current
        places = {}
        for paper, window in (("a4", "left"), ("us-letter", "right")):
            order = {"cases": campaign.cases[:1], "kinds": ("letter",), "paper": paper, "window": window}
            opened = pypdfium2.PdfDocument(pdf(ordered(campaign, "en", **order)))
            page = opened[0]
            searcher = page.get_textpage().search("BELARUS", match_case=True)
            index, _ = searcher.get_next()
            left, bottom, *_ = page.get_textpage().get_charbox(index)
            places[window] = (left / 72 * 25.4, (page.get_height() - bottom) / 72 * 25.4, round(page.get_width()))
            opened.close()
    assert places["left"][2] == 595
    assert places["right"][2] == 612
    assert 20 <= places["left"][0] <= 30
    assert 100 <= places["right"][0] <= 115
    assert all(55 < top < 90 for _, top, _ in places.values()), "in millimetres: inside the window of form B"


def test_a_handover_without_names_is_said_on_the_sheet(demo: Flask) -> None:
    with demo.app_context():
        sheets = ordered(catalogue().current, "en", kinds=("signatures",))["pieces"]
    assert "only to hand over this petition to" in sheets[0]["privacy"]
    with demo.app_context(), force_locale("en"):
        one = catalogue().current
        said = pieces._privacy(one, "the court", is_named=False)  # noqa: SLF001 - the demo campaign hands over all names
    assert "only the number of signatures" in said
