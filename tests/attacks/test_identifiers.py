"""H2: nothing that leaves the server contains a number, an order or a time that identifies a signer."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.attacks.outsider import CAMPAIGN, Outsider, token_of

OWN = [f"own{number}@attacker.example.org" for number in range(6)]
CLOSE = 1_000  # row numbers of people who signed within the same minutes lie no further apart
WIDTH = 4  # bytes that are taken for a number
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def raw(token: str) -> bytes:
    """What a token says in base64url."""
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def rising(tokens: list[bytes]) -> list[int]:
    """The places in these consecutive tokens whose bytes, taken for a number, rise by a little each time."""
    found = []
    for start in range(min(map(len, tokens)) - WIDTH + 1):
        numbers = [int.from_bytes(token[start : start + WIDTH], "big") for token in tokens]
        steps = [after - before for before, after in pairwise(numbers)]
        if all(0 < step < CLOSE for step in steps) or all(-CLOSE < step < 0 for step in steps):
            found.append(start)
    return found


def test_subtracting_the_tokens_of_ones_own_mailboxes_gives_nothing(outsider: Outsider) -> None:
    """H2: the gap between the ids in two links showed whether an address in between had signed."""
    for email in OWN:
        assert outsider.sign(email).status == 303
        assert outsider.sign("target@example.org", last_name="Unknown").status == 303
    confirm = [raw(token_of(outsider.path_in_mail(email))) for email in OWN]
    pages = [raw(token_of(outsider.own_page(outsider.confirm(email)))) for email in OWN]
    assert rising(confirm) == []
    assert rising(pages) == []
    stops = [re.findall(r"/stop/(\w+)", outsider.server.mail(email))[0] for email in OWN]
    assert rising([bytes.fromhex(stop) for stop in stops]) == []


def test_a_message_id_is_no_hash_of_things_that_can_be_counted(outsider: Outsider) -> None:
    """H2: from one mail and its Date, seconds of trying found its row and its microsecond."""
    assert outsider.sign("mid@attacker.example.org").status == 303
    outsider.server.mail("mid@attacker.example.org")
    said = str(outsider.server.mails("mid@attacker.example.org")[0]["Message-ID"]).strip("<>").partition(".")[0]
    for number, made in outsider.rows("SELECT id, created_at FROM messages"):  # spares us the trying
        moment = made if isinstance(made, datetime) else datetime.fromisoformat(str(made))
        for at in (moment.replace(tzinfo=None), moment.replace(tzinfo=UTC)):
            key = f"{outsider.server.url} {number} confirm {at.isoformat()}"
            assert said != hashlib.sha256(key.encode()).hexdigest()[:32]


def exported(outsider: Outsider, folder: Path) -> list[dict[str, Any]]:
    """The lines of an encrypted export."""
    path = folder / "export.jsonl"
    outsider.server.flask("signatures", "export", "--campaign", CAMPAIGN, "--sealed", "--output", str(path))
    return [json.loads(line) for line in path.read_text().splitlines()]


def leaves(value: Any) -> list[Any]:
    """Every number and text in a line."""
    if isinstance(value, dict):
        return [each for part in value.values() for each in leaves(part)]
    return [each for part in value for each in leaves(part)] if isinstance(value, list) else [value]


def test_an_export_has_no_number_no_order_and_no_time(outsider: Outsider, tmp_path: Path) -> None:
    """H2: lines of an export stood in the order of signing, with row numbers and microseconds."""
    people = [f"export{number}@example.org" for number in range(8)]
    assert {outsider.sign(email).status for email in people} == {303}
    for email in people:
        outsider.confirm(email)
    lines = [line for line in exported(outsider, tmp_path) if "sealed" in line]
    assert len(lines) >= 8
    numbers = [each for line in lines for each in leaves(line) if isinstance(each, int) and not isinstance(each, bool)]
    assert numbers == []
    times = [each for line in lines for each in leaves(line) if isinstance(each, str) and DAY.match(each)]
    assert {each for each in times if len(each) > len("2026-01-01")} == set()
    stored = [
        bytes(sealed) for (sealed,) in outsider.rows("SELECT sealed FROM signers WHERE sealed IS NOT NULL ORDER BY id")
    ]
    places = [stored.index(base64.b64decode(line["sealed"])) for line in lines]
    assert places != sorted(places)
