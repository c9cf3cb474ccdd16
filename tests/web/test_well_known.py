"""security.txt: where to report vulnerabilities."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import stopped_at
from petitions.settings import Settings
from tests.support.factories import Keys, close_app, make_app

PATH = "/.well-known/security.txt"


def test_without_a_contact_there_is_no_file(app: Flask) -> None:
    assert app.test_client().get(PATH).status_code == 404


def test_contact_and_a_date_that_is_less_than_a_year_away(app: Flask, tmp_path: Path, keys: Keys) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    told = make_app(url, tmp_path, keys, security_contact="mailto:security@example.org")
    with stopped_at(datetime(2026, 11, 3, 7, 30, tzinfo=UTC)):
        answer = told.test_client().get(PATH)
    close_app(told)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:security@example.org",
        "Expires: 2027-05-02T00:00:00Z",
        f"Canonical: http://localhost{PATH}",
    ]


@pytest.mark.parametrize("contact", ["security@example.org", "http://example.org", "call us"])
def test_a_contact_that_is_no_address_is_a_fault(contact: str) -> None:
    faults = Settings(security_contact=contact, base_url="http://localhost").completed().faults()
    assert faults == ["PETITIONS_SECURITY_CONTACT must begin with mailto: or https://"]
