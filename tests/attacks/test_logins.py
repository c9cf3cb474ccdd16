"""H4, L3: guessing passwords, from one host or many, neither stops the server nor locks owners out."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest

from tests.attacks.outsider import Outsider, Reply, ask
from tests.support.factories import CARLA

LOGIN = "/admin/login"
MOST_MEMORY = 400.0  # megabytes of both workers together; 80 parallel tries once took 1,160
HOME = "203.0.113.9"


@pytest.fixture(scope="module")
def owned(outsider: Outsider) -> Outsider:
    """The same server, with an account."""
    outsider.server.wait_for_all()
    outsider.server.flask("staff", "create", CARLA.name, "--password", CARLA.password)
    return outsider


def log_in(outsider: Outsider, network: str, name: str = CARLA.name, password: str = CARLA.password) -> Reply:
    """Try to log in."""
    return outsider.post(LOGIN, network, name=name, password=password)


@contextmanager
def memory_watched(outsider: Outsider) -> Iterator[list[float]]:
    """Megabytes of all workers together, as often as they can be read during the block."""
    seen: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            seen.append(sum(outsider.server.memory()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("spread", ["one host", "many hosts"])
def test_two_hundred_parallel_logins_take_little_memory_and_nobody_waits_for_them(owned: Outsider, spread: str) -> None:
    networks = ["198.51.100.7" if spread == "one host" else f"10.0.{number}.1" for number in range(200)]
    signed = f"ann-{spread[:3]}-%s@example.org"
    with memory_watched(owned) as memory, ThreadPoolExecutor(220) as pool:
        tries = [pool.submit(log_in, owned, network, f"{spread} {n}", "wrong") for n, network in enumerate(networks)]
        signers = [pool.submit(owned.sign, signed % number, network=f"192.0.2.{number}") for number in range(10)]
        owner = time.monotonic()
        while (reply := log_in(owned, HOME)).status == 503 and time.monotonic() < owner + 10:
            time.sleep(float(reply.headers["Retry-After"]) / 10)
        wait(tries + signers)
    assert reply.status == 303, "the owner elsewhere comes in"
    assert [signer.result().status for signer in signers] == [303] * 10
    answered = Counter(each.result().status for each in tries)
    assert set(answered) <= {422, 429, 503}, answered
    assert answered[422] <= (30 if spread == "one host" else 200)
    if spread == "one host":
        assert answered[429] == 170
    assert max(memory) < MOST_MEMORY, max(memory)
    refused = {each.result().status: each.result() for each in tries}
    assert all("Retry-After" in refused[status].headers for status in (429, 503) if status in refused)


def test_guessing_one_password_from_sixty_networks_is_limited_but_not_for_the_owner(owned: Outsider) -> None:
    assert log_in(owned, HOME).status == 303
    wrong = Counter(log_in(owned, f"172.16.{number}.1", password="wrong").status for number in range(60))
    assert wrong[422] <= 30, wrong
    assert wrong[422] + wrong[429] == 60, wrong
    assert log_in(owned, HOME).status == 303
    assert "wrong" not in owned.server.log


def test_a_second_login_in_the_same_browser_ends_the_first_session(owned: Outsider) -> None:
    def cookie(reply: Reply) -> str:
        return reply.headers["Set-Cookie"].partition(";")[0]

    login = f"{owned.server.url}{LOGIN}"
    first = cookie(log_in(owned, HOME))
    assert owned.get("/admin/", Cookie=first, X_Forwarded_For=HOME).status == 200
    fields = {"name": CARLA.name, "password": CARLA.password}
    second = cookie(ask(login, fields, Cookie=first, X_Forwarded_For=HOME))
    assert owned.get("/admin/", Cookie=second).status == 200
    assert owned.get("/admin/", Cookie=first).status == 303
