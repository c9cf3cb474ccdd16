"""flask worker: ends cleanly on a signal."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from flask import Flask

from petitions.models import Message
from petitions.queries.catalogue import PublicCampaign
from tests.support.crowds import crowd, sign_all
from tests.support.factories import BASE_URL, Keys, rows
from tests.support.smtp import mail_server
from tests.support.warm import Warm

PATIENCE = 30  # seconds, on a busy machine


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_worker_that_is_asked_to_end_finishes_its_mail_gives_back_the_rest_and_ends_well(
    app: Flask, campaign: PublicCampaign, database_url: str, tmp_path: Path, keys: Keys, number: signal.Signals
) -> None:
    with app.app_context():
        sign_all(campaign, crowd(5), "river")
    with mail_server() as server:
        server.gate = gate = threading.Event()
        env = {
            **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
            "LANG": "C.UTF-8",
            "PETITIONS_INSTANCE": str(tmp_path / "instance"),
            "PETITIONS_DATABASE_URL": database_url,
            "PETITIONS_BASE_URL": BASE_URL,
            "PETITIONS_SECRET_KEY": keys.secret_key,
            "PETITIONS_MASTER_KEY": keys.master_key,
            "PETITIONS_MAIL_URL": server.url,
        }
        running = Warm(["flask", "worker"], env, tmp_path / "said", tmp_path / "said")
        try:
            assert server.under_way.wait(PATIENCE)
            running.send_signal(number)
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(0.5)  # the mail is still under way
            gate.set()
            assert running.wait(PATIENCE) == 0
        finally:
            running.kill()
        assert len(server.mails) == 1
    with app.app_context():
        found = [(row.kind, row.attempts, row.leased_until) for row in rows(Message)]
    assert sorted(found) == [*[("confirm", 0, None)] * 4, ("reminder", 1, None)]
