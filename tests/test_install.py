"""deploy/install.sh writes files that the program and nginx accept, and never changes one that exists.

DESTDIR makes it write below another folder; docs/install.md was followed by hand in a bare Debian tree.
"""

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from petitions.settings import ROOT, Settings

OPTIONS = ("--host", "sign.example.org", "--mail", "smtp://u:p%24@relay.example.org:587", "--from", "Us <us@x.org>")


def install(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the script for a folder."""
    env = {"PATH": os.environ["PATH"], "DESTDIR": str(folder)}
    command = ["sh", str(ROOT / "deploy" / "install.sh"), *options]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def written(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def settings(folder: Path) -> Settings:
    """The settings as the service and the command `petitions` read them."""
    lines = (folder / "etc/petitions.env").read_text().splitlines()
    env = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    return Settings.from_env({name: shlex.split(value)[0] for name, value in env.items()})


@pytest.mark.parametrize("options", [(), ("--web", "caddy"), ("--database", "postgres")])
def test_the_files_are_those_of_a_real_server_and_a_second_run_changes_none(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = install(tmp_path, *OPTIONS, *options)
    assert done.returncode == 0, done.stderr
    config = settings(tmp_path)
    assert config.base_url == "https://sign.example.org"
    assert config.mail_url == OPTIONS[3]
    assert config.is_sqlite == ("postgres" not in options)
    assert not config.demo
    assert [fault for fault in config.faults_of_server() if "KEY is missing" not in fault] == []
    web = tmp_path / ("etc/caddy/Caddyfile" if "caddy" in options else "etc/nginx/conf.d/petitions.conf")
    assert "sign.example.org" in web.read_text()
    private = [name for name in written(tmp_path) if not stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077]
    assert "etc/petitions.env" in private, "it holds the relay's password"
    before = written(tmp_path)
    assert install(tmp_path, *options).returncode == 0, "the second run needs no name"
    assert written(tmp_path) == before


def test_nginx_accepts_its_file(tmp_path: Path) -> None:
    assert install(tmp_path, *OPTIONS).returncode == 0
    text = (tmp_path / "etc/nginx/conf.d/petitions.conf").read_text()
    assert text.count("server 127.0.0.1:") == 1, "one server"
    for folder in ("/etc/ssl/petitions", "/var/log/nginx"):
        (tmp_path / folder[1:]).mkdir(parents=True, exist_ok=True)
        text = text.replace(folder, f"{tmp_path}{folder}")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{text}\n}}\n")
    command = ["nginx", "-t", "-e", str(tmp_path / "log"), "-c", str(tmp_path / "nginx.conf")]
    path = f"{os.environ['PATH']}:/usr/sbin"
    tried = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "Usage"),
        (("--host", "sign.example.org"), "Usage"),
        ((*OPTIONS, "--web", "apache"), "Usage"),
        (("--host", "https://Sign.example.org/", *OPTIONS[2:]), "without https://"),
        ((*OPTIONS[:5], "Us $(touch x) <us@x.org>"), "cannot contain"),
    ],
)
def test_wrong_options_write_nothing(tmp_path: Path, options: tuple[str, ...], reason: str) -> None:
    done = install(tmp_path, *options)
    assert done.returncode != 0
    assert reason in done.stderr
    assert written(tmp_path) == {}
