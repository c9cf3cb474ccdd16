"""The shipped files for the machine; tests/reliability/test_proxy.py covers nginx."""

import re

from petitions.settings import ROOT, table


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


def test_the_container_holds_no_secret_and_runs_without_rights() -> None:
    """Linted here; no engine can build it in the tests."""
    lines = [
        line for line in (ROOT / "deploy" / "Containerfile").read_text().splitlines() if line and line[0].isupper()
    ]
    assert {line.split()[0] for line in lines} <= {
        *("FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "STOPSIGNAL", "CMD")
    }
    assert "USER petitions" in lines
    assert lines.index("USER petitions") < next(n for n, line in enumerate(lines) if line.startswith("CMD"))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".venv", "instance/*"} <= set(ignored)


def test_the_compose_file_sets_only_settings_that_exist_and_publishes_only_the_proxy() -> None:
    text = (ROOT / "deploy" / "compose.yaml").read_text()
    known = {name for name, _, _ in table()}
    assert set(re.findall(r"PETITIONS_\w+", text)) <= known
    assert text.count("ports:") == 1
    assert text.index("ports:") < text.index("  petitions:")
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in text
    assert "127.0.0.1:8000" in (ROOT / "deploy" / "Caddyfile").read_text()
