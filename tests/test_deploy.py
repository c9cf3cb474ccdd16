"""The shipped files for the machine; tests/reliability/test_proxy.py covers nginx."""

import re

from petitions.settings import ROOT


def test_the_unit_keeps_names_out_of_swap_and_core_files_and_the_rest_of_the_machine_from_the_server() -> None:
    lines = (ROOT / "deploy" / "petitions.service").read_text().splitlines()
    said = {line for line in lines if re.fullmatch(r"[A-Z]\w+=.*", line)}
    assert said >= {
        "UMask=0077",
        "LimitCORE=0",
        "MemorySwapMax=0",
        "OOMPolicy=continue",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectProc=invisible",
        "RestrictNamespaces=yes",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
    }
    written = {line for line in said if line.startswith("ReadWritePaths=")}
    assert written == {"ReadWritePaths=/srv/petitions/instance", "ReadWritePaths=-/var/backups/petitions"}


def test_every_secret_in_a_file_of_its_own_may_come_from_the_service_manager() -> None:
    text = (ROOT / "deploy" / "petitions.service").read_text()
    for name in ("secret_key", "master_key"):
        assert f"LoadCredential={name}:" in text
        assert f"PETITIONS_{name.upper()}_FILE=%d/{name}" in text


def test_the_security_document_names_only_what_is_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`((?:petitions|tests|deploy)/[^`]*)`", text))
    assert len(named) > 30
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
