"""R1, R5, R14: what was acknowledged is stored once, whichever process is killed or restarted at any moment."""

import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from tests.reliability.conftest import StartServer, kind
from tests.support import inspecting
from tests.support.effort import DATABASES, effort, note
from tests.support.raw import sign
from tests.support.server import Server

WRITERS = 8
KILLS = effort(4, 200)


class Crowd:
    """Signs one entry after the other; records which were acknowledged, and acts when it reads an acknowledgement."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._armed: Callable[[], None] | None = None
        self._arming = threading.Lock()
        self.fired = threading.Event()
        self.thanked: list[str] = []
        self.said: Counter[str] = Counter()

    def arm(self, act: Callable[[], None]) -> None:
        """Do it once, at the instant the next thank-you has been read in full."""
        self.fired.clear()
        self._armed = act

    def run(self) -> None:
        """Sign until the end."""
        while not self._ended.is_set():
            email = f"ann{next(self._numbers)}@example.org"
            try:
                status = sign(self._server.port, email, timeout=30).status
            except OSError as exc:
                self.said[type(exc).__name__] += 1
                time.sleep(0.02)
                continue
            if status == 303:
                self._fire()
                self.thanked.append(email)
            self.said[str(status)] += 1

    def _fire(self) -> None:
        if self._armed is not None:
            with self._arming:
                act, self._armed = self._armed, None
            if act is not None:
                act()
                self.fired.set()

    @contextmanager
    def signing(self) -> Iterator["Crowd"]:
        """All of them sign during the block."""
        threads = [threading.Thread(target=self.run) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()


def kill_often(server: Server, kills: int) -> Crowd:
    """Kill a worker or the whole server at the moment of an acknowledgement, `kills` times."""
    with Crowd(server).signing() as crowd:
        for number in range(kills):
            is_whole = number % 2 == 0
            target = server.workers()[number // 2 % 2 :][:1]
            crowd.arm(server.kill9 if is_whole else lambda pids=target: [os.kill(pid, signal.SIGKILL) for pid in pids])
            assert crowd.fired.wait(20), crowd.said
            if is_whole:
                server.start()
            before = len(crowd.thanked)
            while len(crowd.thanked) < before + 4:
                time.sleep(0.01)
            while len(server.workers()) < 2:
                time.sleep(0.01)
    return crowd


def lost(server: Server, database: str, crowd: Crowd) -> list[str]:
    """Acknowledged signers that are not stored, and incomplete rows."""
    server.stop()
    with inspecting.inside(server.folder, database):
        assert inspecting.faults() == []
        return inspecting.unknown(crowd.thanked)


def test_acknowledged_signatures_are_stored_whatever_process_is_killed(
    start_server: StartServer, server_database: str
) -> None:
    server = start_server()
    crowd = kill_often(server, KILLS)
    assert lost(server, server_database, crowd) == []
    done = f"{KILLS} kills at the moment of a thank-you, every second one of the whole server, {WRITERS} writers"
    note("R1", kind(server_database), done, f"0 of {len(crowd.thanked)} acknowledged signers lost")


def test_acknowledging_before_the_commit_is_found(start_server: StartServer, server_database: str) -> None:
    server = start_server("acknowledge before commit")
    crowd = kill_often(server, 4)
    with pytest.raises(AssertionError):
        assert lost(server, server_database, crowd) == []


@pytest.mark.parametrize("server_database", DATABASES, indirect=True)
def test_new_workers_under_load_lose_no_request(start_server: StartServer, server_database: str) -> None:
    server = start_server()
    reloads = effort(2, 24)
    with Crowd(server).signing() as crowd:
        for _ in range(reloads):
            time.sleep(effort(2, 5))
            server.send(signal.SIGHUP)
        time.sleep(2)
    assert set(crowd.said) <= {"303", "503"}, crowd.said
    assert lost(server, server_database, crowd) == []
    note(
        "R14", kind(server_database), f"{reloads} reloads (HUP) under {WRITERS} writers", f"answers: {dict(crowd.said)}"
    )


@pytest.mark.parametrize("server_database", ["sqlite"], indirect=True)
def test_workers_that_end_at_once_are_found(start_server: StartServer, server_database: str) -> None:
    server = start_server("drop what is under way")
    with Crowd(server).signing() as crowd:
        for _ in range(6):
            time.sleep(1.5)
            server.send(signal.SIGHUP)
            if not set(crowd.said) <= {"303", "503"}:
                break
    assert not set(crowd.said) <= {"303", "503"}, crowd.said


@pytest.mark.parametrize("server_database", DATABASES, indirect=True)
def test_a_restart_loses_nothing_and_who_tries_again_is_there_once(
    start_server: StartServer, server_database: str
) -> None:
    server = start_server()
    restarts = effort(2, 24)
    with Crowd(server).signing() as crowd:
        for _ in range(restarts):
            time.sleep(effort(1, 5))
            server.stop()
            server.start()
    assert set(crowd.said) <= {"303", "503", "ConnectionRefusedError", "ConnectionResetError", "0"}, crowd.said
    assert lost(server, server_database, crowd) == []
    found = f"0 of {len(crowd.thanked)} acknowledged lost; answers: {dict(crowd.said)}"
    note("R14", kind(server_database), f"{restarts} restarts (TERM, start) under {WRITERS} writers", found)


SPELLINGS = ("{}@example.org", "{}@eXample.Org", "{}@EXAMPLE.org", " {}@example.org ")
AT_ONCE = 64


def click_together(server: Server, addresses: int) -> Counter[int]:
    """Sixty-four identical or nearly identical forms for each address at the same moment; gives the answers."""
    said: Counter[int] = Counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(addresses):
            barrier = threading.Barrier(AT_ONCE)

            def click(place: int, number: int = number, barrier: threading.Barrier = barrier) -> int:
                with suppress(threading.BrokenBarrierError):
                    barrier.wait(20)
                spelling = SPELLINGS[place % len(SPELLINGS)] if number % 2 else SPELLINGS[0]
                return sign(server.port, spelling.format(f"ann{number}"), "joel-paredes", "neth-nahara").status

            said.update(pool.map(click, range(AT_ONCE)))
    return said


def test_sixty_four_clicks_are_one_signature_and_one_mail(start_server: StartServer, server_database: str) -> None:
    server, addresses = start_server(), effort(8, 200)
    said = click_together(server, addresses)
    assert set(said) == {303}
    server.stop()
    with inspecting.inside(server.folder, server_database):
        assert inspecting.faults() == []
        assert inspecting.unknown(f"ann{number}@example.org" for number in range(addresses)) == []
    done = f"{AT_ONCE} identical posts at once, {addresses} times, over two workers"
    note("R5", kind(server_database), done, f"{addresses} signers, one mail each, 0 answers >= 500")


def test_a_mail_for_each_click_is_found(start_server: StartServer, server_database: str) -> None:
    server = start_server("mail at each try")
    click_together(server, 2)
    server.stop()
    with inspecting.inside(server.folder, server_database):
        assert [fault for fault in inspecting.faults() if "was asked" in fault]
