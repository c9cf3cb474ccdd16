"""Donations: at their places, with a code that banking programs read."""

import io
from pathlib import Path

import pytest
import typst
import zxingcpp
from flask import Flask
from PIL import Image

from petitions.content.checks import is_iban
from petitions.content.reading import read
from petitions.errors import ContentFaulty
from petitions.kit import builder
from petitions.models import ActionCount
from petitions.queries.catalogue import catalogue
from petitions.services.campaigns import actions
from petitions.web.public import donating
from tests.support.factories import rows, write_campaign
from tests.web.browsing import DEMO, LANGUAGES, browser, visit


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_text_before_signing_and_another_one_after(demo: Flask, language: str) -> None:
    client = browser(demo)
    said = []
    for path in ("", "thanks", "donate/"):
        page = visit(client, f"/{language}/{DEMO}/{path}")
        assert f"/{language}/{DEMO}/donate/" in [a["href"] for a in page.all("a") if "href" in a.attrs]
        if path != "donate/":
            said += [part.all("p")[0].text for part in page.all("section") if part.get("class") == "donation"]
    assert said[0] != said[1]


def test_followed_links_are_counted_by_their_place_and_nothing_else(demo: Flask) -> None:
    client = browser(demo)
    pings = {
        path: sorted(
            {a["ping"].rsplit("/", 1)[1] for a in visit(client, f"/en/{DEMO}/{path}").all("a") if a.get("ping")}
        )
        for path in ("", "thanks", "donate/", "privacy")
    }
    assert pings == {
        "": ["before", "footer"],
        "thanks": ["footer", "thanks"],
        "donate/": ["footer", "page"],
        "privacy": ["footer"],
    }
    here = f"/en/{DEMO}/donate/opened"
    for _ in range(actions.CLICKS.most):
        answer = client.post(f"{here}/thanks", data=b"PING", content_type="text/ping")
        assert (answer.status_code, answer.data, "Set-Cookie" in answer.headers) == (204, b"", False)
    assert client.post(f"{here}/thanks").status_code == 429
    assert client.post(f"{here}/nowhere").status_code == 404
    with demo.app_context():
        assert [(row.kind, row.subject, row.number) for row in rows(ActionCount)] == [
            ("donation", "thanks", actions.CLICKS.most)
        ]


def test_the_code_holds_the_account_as_banks_write_it(
    demo: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 30)
    answer = browser(demo).get(f"/fr/{DEMO}/donate.svg")
    assert (answer.status_code, answer.content_type) == (200, "image/svg+xml; charset=utf-8")
    with demo.test_request_context(f"/fr/{DEMO}/donate/"):
        text = donating.transfer(catalogue().current)
    lines = text.split("\n")
    assert lines[:4] == ["BCD", "002", "1", "SCT"]
    assert lines[6] == "LU280019400644750000"
    assert len(text.encode()) <= 331, "EPC069-12: the largest payload"
    (tmp_path / "code.svg").write_bytes(answer.data)
    (tmp_path / "page.typ").write_text('#set page(width: auto, height: auto)\n#image("code.svg", width: 5cm)\n')
    drawn = typst.compile(str(tmp_path / "page.typ"), format="png", ppi=150)
    assert isinstance(drawn, bytes)
    with Image.open(io.BytesIO(drawn)) as picture:
        [code] = zxingcpp.read_barcodes(picture.convert("L"))
    assert code.text == text


def test_an_account_number_with_a_mistake_is_refused(tmp_path: Path) -> None:
    assert is_iban("LU28 0019 4006 4475 0000")
    assert not is_iban("LU28 0019 4006 4475 0001")
    folder = write_campaign(tmp_path / "campaign")
    file = folder / "campaign.toml"
    file.write_text(file.read_text().replace('name = "A section"', 'name = "A section"\niban = "LU00"'))
    with pytest.raises(ContentFaulty) as caught:
        read(folder)
    assert "controller.iban" in "\n".join(caught.value.faults)
