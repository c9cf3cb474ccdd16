"""H6, M8, M13, L4, L5: a flood delays only itself, proof of work has a cost, and no number of requests causes a 500."""

import base64
import html
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import altcha
import pytest

from tests.attacks.conftest import serving
from tests.attacks.outsider import BOUNCE_SECRET, CASE, FORM, Outsider, Reply, ask, hidden_field
from tests.support.effort import IS_LONG
from tests.support.postgres import Postgres

FLOOD = 400
BUDGET = 60  # mails a minute


def at_once(number: int, act: Callable[[int], Reply]) -> Counter[int]:
    """Do it so often, 24 at a time; how each was answered."""
    with ThreadPoolExecutor(24) as pool:
        return Counter(reply.status for reply in pool.map(act, range(number)))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def flooded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    """A server that may send few mails, before the flood."""
    folder = tmp_path_factory.mktemp("floods") / "instance"
    url = f"sqlite:///{folder / 'petitions.db'}"
    if request.param == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.empty_url()
    with serving(folder, url, PETITIONS_MAIL_PER_MINUTE=str(BUDGET)) as outsider:
        yield outsider


def test_three_hundred_behind_one_school_sign_at_once(flooded: Outsider) -> None:
    """H6: the mend must not shut out those who share an address honestly."""
    answers = at_once(300, lambda n: flooded.sign(f"pupil{n}@school.example.org", network="198.51.100.20"))
    assert answers == {303: 300}


def test_a_home_line_is_one_network_however_many_it_has(flooded: Outsider) -> None:
    """H6: 400 forms from 400 networks of one /48 were all accepted: two hours of everybody's mail."""
    answers = flood(flooded, "2001:db8:7")
    assert answers[303] <= 300, answers
    assert set(answers) <= {303, 422, 429}


def flood(flooded: Outsider, network: str) -> Counter[int]:
    """Sign with many mailboxes from many networks of one /48; how each was answered."""
    return at_once(FLOOD, lambda n: flooded.sign(f"bot{n}@{len(network)}.example.org", network=f"{network}:{n:x}::1"))


def test_the_next_honest_mail_goes_before_the_flood(flooded: Outsider) -> None:
    """H6: at 60 mails a minute, 180 entries of a bot held the next person's mail back for 180 s."""
    flood(flooded, "2001:db8:77")
    began = time.monotonic()
    assert flooded.sign("honest@example.org", network="203.0.113.50").status == 303
    waiting = "SELECT count(*) FROM messages WHERE kind = 'confirm' AND lane"
    (before,) = flooded.rows(f"{waiting} < (SELECT max(lane) FROM messages WHERE id = (SELECT max(id) FROM messages))")[
        0
    ]
    (behind,) = flooded.rows(f"{waiting} >= 0")[0]
    assert behind > 3 * BUDGET, "minutes of mails are waiting"
    assert before < BUDGET, "and hers goes within the first"
    if IS_LONG:
        while not flooded.server.mails("honest@example.org"):
            assert time.monotonic() < began + 75, "her mail waits behind the flood"
            time.sleep(0.5)


def question(outsider: Outsider, network: str) -> str:
    """The challenge for a form that a program filled in."""
    trap = hidden_field(outsider.get(FORM).body)
    page = outsider.sign("proves@example.org", network=network, **{trap: "x"}).body
    found = re.search(r'data-puzzle="([^"]+)"', page)
    assert found, "a proof is asked for"
    return html.unescape(found[1])


def test_a_proof_is_for_one_network_and_one_use(flooded: Outsider) -> None:
    """M8: proofs were bound to the campaign only; any number was handed out at once and taken from anywhere."""
    puzzle = altcha.Challenge.from_dict(json.loads(base64.b64decode(question(flooded, "203.0.113.77"))))
    solution = altcha.solve_challenge(puzzle)
    assert solution is not None
    proof = altcha.Payload(puzzle, solution).to_base64()
    trap = hidden_field(flooded.get(FORM).body)
    used = [
        flooded.sign(f"proves{number}@example.org", network=network, proof=proof, **{trap: "x"}).status
        for number, network in enumerate(("192.0.2.99", "203.0.113.77", "203.0.113.77"))
    ]
    assert used == [422, 303, 422]


def test_bounces_are_taken_as_they_come_and_secrets_cannot_be_guessed(outsider: Outsider) -> None:
    """M13: 25 reports gave 20 x 204 and 5 x 429, and 40 wrong secrets were never refused."""

    def report(secret: str, number: int) -> Reply:
        headers = {"Authorization": f"Bearer {secret}", "X_Forwarded_For": "198.51.100.99"}
        url = f"{outsider.server.url}/api/v1/bounces"
        return ask(url, {"email": f"gone{number}@example.org"}, **headers)

    assert at_once(40, lambda n: report(BOUNCE_SECRET, n)) == {204: 40}
    wrong = at_once(40, lambda n: report(f"guess{n}", n))
    assert set(wrong) == {403, 429}, wrong
    assert at_once(5, lambda n: report(BOUNCE_SECRET, n)) == {204: 5}, "the right one goes on"


def test_stopping_many_times_at_once_is_no_mistake_of_ours(outsider: Outsider) -> None:
    """L4: 16 parallel posts to the same links gave 33 x 500 on Postgres."""
    people = [f"stop{number}@example.org" for number in range(4)]
    assert {outsider.sign(email).status for email in people} == {303}
    mails = [outsider.server.mail(email) for email in people]
    paths = [str(re.findall(r"(/fr/stop/\S+)", mail)[0]) for mail in mails]
    assert at_once(64, lambda n: outsider.post(paths[n // 16])) == {200: 64}


def test_forms_with_mistakes_are_limited(outsider: Outsider) -> None:
    """L5: each costs 15 ms, and one host could send as many as it liked."""
    answers = at_once(260, lambda n: outsider.post(FORM, "198.51.100.77", cases=CASE, email=f"no address {n}"))
    assert set(answers) == {422, 429}, answers
    assert outsider.sign("beside@example.org", network="198.51.100.78").status == 303
