"""Settings: one table, read from the environment; all faults are reported at once."""

import dataclasses
import os
import re
from pathlib import Path

import pytest

from petitions.cli.checking import settings_table
from petitions.errors import SettingsFaulty
from petitions.settings import LOOPBACK, ROOT, Settings, table
from tests.support.factories import Keys


def read(tmp_path: Path, **environ: str) -> Settings:
    """The settings of an installation in `tmp_path`, for this environment."""
    return Settings.from_env({"PETITIONS_INSTANCE": str(tmp_path), "PETITIONS_MAIL_URL": "console:", **environ})


def faults_of(tmp_path: Path, **environ: str) -> list[str]:
    """What is wrong with this environment."""
    try:
        read(tmp_path, **environ)
    except SettingsFaulty as exc:
        return exc.faults
    return []


def test_without_an_environment_everything_has_a_default(tmp_path: Path) -> None:
    settings = Settings.from_env({"PETITIONS_INSTANCE": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path}/petitions.db"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert (settings.worker, settings.demo, settings.proxy_hops) == (True, False, 0)
    assert Settings().completed().instance == ROOT / "instance"


def test_every_setting_can_be_set(tmp_path: Path, keys: Keys) -> None:
    values = {
        "instance": tmp_path,
        "database_url": "postgresql+psycopg://u:p@db.example.org/petitions?sslmode=verify-full",
        "base_url": "https://sign.example.org",
        "bind": "0.0.0.0:80",
        "proxy_hops": 2,
        "secret_key": "secret",
        "master_key": keys.master_key,
        "mail_url": "smtps://u:p@mail.example.org",
        "mail_from": "Section <sign@example.org>",
        "mail_per_minute": 60,
        "mail_per_hour": 1000,
        "mail_per_day": 9000,
        "mail_url_second": "smtps://u:p@other.example.org",
        "mail_connections": 2,
        "bounce_secret": "bounce",
        "bounce_mailbox": "imaps://u:p@mail.example.org",
        "worker": False,
        "demo": False,
        "workers": 4,
        "threads": 8,
        "write_queue": 50,
        "log_level": "WARNING",
        "log_format": "json",
        "security_contact": "mailto:security@example.org",
        "backups": "/var/backups/petitions",
        "backups_copy": "rclone copy {} there:petitions",
        "alerts_to": "anna@example.org, ben@example.org",
        "metrics_token": "token",
    }
    assert values.keys() == {each.name for each in dataclasses.fields(Settings)}
    environ = {f"PETITIONS_{name.upper()}": str(value) for name, value in values.items()}
    assert dataclasses.asdict(Settings.from_env(environ)) == values


@pytest.mark.parametrize(
    "url", ["postgres://u@localhost/d", "postgresql://u@localhost/d", "postgresql+psycopg://u@localhost/d"]
)
def test_all_usual_names_of_postgres_lead_to_our_driver(tmp_path: Path, url: str) -> None:
    settings = read(tmp_path, PETITIONS_DATABASE_URL=url)
    assert settings.database_url == "postgresql+psycopg://u@localhost/d"
    assert not settings.is_sqlite


def test_a_database_file_is_found_again(tmp_path: Path) -> None:
    settings = read(tmp_path, PETITIONS_DATABASE_URL=f"sqlite:///{tmp_path}/my.db")
    assert settings.is_sqlite
    assert settings.sqlite_path == tmp_path / "my.db"


def test_port_alone_moves_the_server_and_its_links(tmp_path: Path) -> None:
    settings = read(tmp_path, PORT="9000")
    assert (settings.bind, settings.base_url) == ("127.0.0.1:9000", "http://127.0.0.1:9000")
    assert read(tmp_path, PORT="9000", PETITIONS_BIND="127.0.0.1:7000").bind == "127.0.0.1:7000"
    assert read(tmp_path, PORT="9000", PETITIONS_BASE_URL="https://a.example").base_url == "https://a.example"
    assert len(faults_of(tmp_path, PORT="nine")) == 1


def test_a_slash_at_the_end_of_the_address_does_not_matter(tmp_path: Path) -> None:
    settings = read(tmp_path, PETITIONS_BASE_URL="https://sign.example.org/")
    assert settings.base_url == "https://sign.example.org"
    assert settings.is_https


@pytest.mark.parametrize(
    ("typed", "value"), [("1", True), ("true", True), ("Yes", True), ("ON", True), ("0", False), ("off", False)]
)
def test_yes_and_no_may_be_written_in_many_ways(tmp_path: Path, typed: str, value: bool) -> None:
    assert read(tmp_path, PETITIONS_WORKER=typed).worker is value


def test_an_empty_setting_is_not_set(tmp_path: Path) -> None:
    assert read(tmp_path, PETITIONS_BIND="", PETITIONS_WORKERS="", PETITIONS_DEMO="") == read(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BIND", "8000", "PETITIONS_BIND must be HOST:PORT"),
        ("BIND", "127.0.0.1:", "PETITIONS_BIND must be HOST:PORT"),
        ("BIND", "127.0.0.1:0", "PETITIONS_BIND must be HOST:PORT"),
        ("BIND", "127.0.0.1:65536", "PETITIONS_BIND must be HOST:PORT"),
        ("BIND", "127.0.0.1:http", "PETITIONS_BIND must be HOST:PORT"),
        ("BASE_URL", "sign.example.org", "PETITIONS_BASE_URL must be like"),
        ("BASE_URL", "ftp://sign.example.org", "PETITIONS_BASE_URL must be like"),
        ("BASE_URL", "https://", "PETITIONS_BASE_URL must be like"),
        ("BASE_URL", "https://example.org/sign", "PETITIONS_BASE_URL must be like"),
        ("BASE_URL", "https://example.org?a=b", "PETITIONS_BASE_URL must be like"),
        ("DATABASE_URL", "mysql://u@h/d", "PETITIONS_DATABASE_URL must begin with"),
        ("DATABASE_URL", "petitions.db", "PETITIONS_DATABASE_URL must begin with"),
        ("DATABASE_URL", "sqlite:///:memory:", "PETITIONS_DATABASE_URL must name a file"),
        ("DATABASE_URL", "sqlite://", "PETITIONS_DATABASE_URL must begin with"),
        ("DATABASE_URL", "sqlite:///", "PETITIONS_DATABASE_URL must name a file"),
        ("MAIL_URL", "mail.example.org", "PETITIONS_MAIL_URL must begin with"),
        ("MAIL_URL", "http://mail.example.org", "PETITIONS_MAIL_URL must begin with"),
        ("PROXY_HOPS", "-1", "PETITIONS_PROXY_HOPS must be at least 0"),
        ("MAIL_PER_DAY", "-1", "PETITIONS_MAIL_PER_DAY must be at least 0"),
        ("MAIL_URL_SECOND", "file:/tmp", "PETITIONS_MAIL_URL_SECOND must be like smtp://"),
        ("PROXY_HOPS", "one", "PETITIONS_PROXY_HOPS must be a whole number, not 'one'"),
        ("WORKERS", "0", "PETITIONS_WORKERS must be at least 1"),
        ("THREADS", "0", "PETITIONS_THREADS must be at least 1"),
        ("WRITE_QUEUE", "0", "PETITIONS_WRITE_QUEUE must be at least 1"),
        ("MAIL_PER_MINUTE", "0", "PETITIONS_MAIL_PER_MINUTE must be at least 1"),
        ("MAIL_PER_MINUTE", "1.5", "PETITIONS_MAIL_PER_MINUTE must be a whole number"),
        ("WORKER", "maybe", "PETITIONS_WORKER must be 1 or 0, not 'maybe'"),
        ("MASTER_KEY", "age1public", "PETITIONS_MASTER_KEY must be an age identity"),
        ("SECRET_KEY_FILE", "/no/such/file", "PETITIONS_SECRET_KEY_FILE cannot be read"),
    ],
)
def test_a_fault_is_reported_with_the_name_of_the_setting(tmp_path: Path, name: str, value: str, words: str) -> None:
    [fault] = faults_of(tmp_path, **{f"PETITIONS_{name}": value})
    assert fault.startswith(words)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    wrong = {
        "BIND": "x",
        "DATABASE_URL": "x",
        "MAIL_URL": "x",
        "WORKERS": "x",
        "THREADS": "0",
        "DEMO": "x",
        "PROXY_HOPS": "-1",
    }
    environ = {f"PETITIONS_{name}": value for name, value in wrong.items()}
    with pytest.raises(SettingsFaulty) as refused:
        read(tmp_path, PETITIONS_BASE_URL="https://a.example", **environ)
    assert len(refused.value.faults) == len(wrong)
    assert all(name in str(refused.value) for name in environ)
    assert str(refused.value).count("\n  - ") == len(wrong)


@pytest.mark.parametrize(
    ("name", "value"), [("LOG_LEVEL", "VERBOSE"), ("LOG_FORMAT", "xml"), ("SECURITY_CONTACT", "security@example.org")]
)
def test_what_logs_and_security_txt_cannot_use_is_reported(tmp_path: Path, name: str, value: str) -> None:
    [fault] = faults_of(tmp_path, **{f"PETITIONS_{name}": value})
    assert name in fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "http://[::1"),
        ("BIND", "127.0.0.1:²"),
        ("MAIL_URL", "smtp://mail.example.org:port"),
        ("MAIL_FROM", "nobody at all"),
    ],
)
def test_these_faults_should_be_reported_too(tmp_path: Path, name: str, value: str) -> None:
    [fault] = faults_of(tmp_path, **{f"PETITIONS_{name}": value})
    assert name in fault


def test_a_relative_database_file_is_locked_beside_itself(tmp_path: Path) -> None:
    settings = read(tmp_path, PETITIONS_DATABASE_URL="sqlite:///my.db")
    assert settings.sqlite_path.is_absolute()


def test_what_a_server_needs_and_a_command_does_not_is_distinguished(tmp_path: Path, keys: Keys) -> None:
    settings = Settings.from_env({"PETITIONS_INSTANCE": str(tmp_path)})
    assert settings.faults() == []
    assert [fault.split()[0] for fault in settings.faults_of_server()] == [
        "PETITIONS_SECRET_KEY",
        "PETITIONS_MASTER_KEY",
        "PETITIONS_MAIL_URL",
    ]
    ready = {"PETITIONS_SECRET_KEY": "s", "PETITIONS_MASTER_KEY": keys.master_key}
    assert read(tmp_path, PETITIONS_MAIL_URL="smtp://h", **ready).faults_of_server() == []
    assert read(tmp_path, PETITIONS_MAIL_URL="", PETITIONS_DEMO="1", **ready).faults_of_server() == []


def test_a_server_that_would_not_keep_its_promises_does_not_start(tmp_path: Path, keys: Keys) -> None:
    sound = {
        "PETITIONS_SECRET_KEY": "s",
        "PETITIONS_MASTER_KEY": keys.master_key,
        "PETITIONS_BASE_URL": "https://sign.example.org",
        "PETITIONS_PROXY_HOPS": "1",
        "PETITIONS_MAIL_URL": "smtp://mail.example.org",
    }
    assert read(tmp_path, **sound).faults_of_server() == []
    for name, value in (("PROXY_HOPS", "0"), ("MAIL_URL", "console:"), ("MAIL_URL", f"file:{tmp_path}")):
        [fault] = read(tmp_path, **{**sound, f"PETITIONS_{name}": value}).faults_of_server()
        assert fault.startswith(f"PETITIONS_{name} "), fault


def test_a_line_to_postgres_that_others_may_read_is_refused(tmp_path: Path) -> None:
    def is_refused(url: str) -> bool:
        return faults_of(tmp_path, PETITIONS_DATABASE_URL=url) != []

    for url in (
        "postgresql://u@db.example.org/d",
        "postgresql://u@10.0.0.7/d?sslmode=prefer",
        "postgresql:///d?host=db.example.org",
        "postgresql://u@localhost/d?hostaddr=192.0.2.7",
        "postgresql://u@localhost:1,db.example.org:2/d",
        "postgresql://u@db.example.org/d?sslmode=require&sslmode=disable",
    ):
        assert is_refused(url), url
    for url in (
        "postgresql://u@db.example.org/d?sslmode=require",
        "postgresql://u@db.example.org/d?sslmode=verify-full&sslrootcert=system",
        "postgresql:///d",
        "postgresql://u@[::1]:5433/d",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://u@%2Frun%2Fpostgresql/d",
    ):
        assert not is_refused(url), url


def test_secrets_come_from_the_environment_then_a_file_then_the_instance(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "secret_key").write_text("from the instance\n")
    (tmp_path / "master_key").write_text(f"{keys.master_key}\n")
    (tmp_path / "elsewhere").write_text(" from a file \n")
    assert read(tmp_path).secret_key == "from the instance"
    assert read(tmp_path).master_key == keys.master_key
    assert read(tmp_path, PETITIONS_SECRET_KEY="direct").secret_key == "direct"
    assert read(tmp_path, PETITIONS_SECRET_KEY_FILE=str(tmp_path / "elsewhere")).secret_key == "from a file"


def test_only_secrets_may_lie_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "bind").write_text("127.0.0.1:9")
    assert read(tmp_path, PETITIONS_BIND_FILE=str(tmp_path / "bind")).bind == "127.0.0.1:8000"
    (tmp_path / "mail").write_text("smtp://u:p@mail.example.org\n")
    assert read(tmp_path, PETITIONS_MAIL_URL_FILE=str(tmp_path / "mail")).mail_url == "smtp://u:p@mail.example.org"


def test_no_secret_shows_in_what_python_prints(tmp_path: Path, keys: Keys) -> None:
    shown = repr(
        read(
            tmp_path,
            PETITIONS_SECRET_KEY="hush",
            PETITIONS_MASTER_KEY=keys.master_key,
            PETITIONS_MAIL_URL="smtp://u:pssst@h",
        )
    )
    assert "hush" not in shown
    assert keys.master_key not in shown
    assert "pssst" not in shown


@pytest.mark.parametrize("host", sorted(LOOPBACK - {"::1"}))
def test_demo_mode_works_on_this_machine(tmp_path: Path, host: str) -> None:
    environ = {"PETITIONS_DEMO": "1", "PETITIONS_BIND": f"{host}:8000", "PETITIONS_MAIL_URL": ""}
    settings = read(tmp_path, **environ)
    assert settings.mail_url == f"file:{tmp_path}/mailbox"


@pytest.mark.parametrize(
    "environ",
    [
        {"PETITIONS_BIND": "0.0.0.0:8000"},
        {"PETITIONS_BIND": "192.0.2.7:8000"},
        {"PETITIONS_BIND": "[::]:8000"},
        {"PETITIONS_BASE_URL": "http://sign.example.org"},
        {"PETITIONS_BASE_URL": "https://127.0.0.1:8000"},
        {"PETITIONS_BASE_URL": "http://127.0.0.1.evil.example"},
        {"PETITIONS_BASE_URL": "http://127.0.0.1:8000", "PETITIONS_BIND": "0.0.0.0:8000"},
    ],
)
def test_demo_mode_is_refused_where_outsiders_could_read_the_mails(tmp_path: Path, environ: dict[str, str]) -> None:
    [fault] = faults_of(tmp_path, PETITIONS_DEMO="1", **environ)
    assert fault.startswith("PETITIONS_DEMO shows every e-mail to every visitor")
    assert faults_of(tmp_path, **environ) == []


def test_nothing_else_reads_the_environment() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "petitions").rglob("*.py")
        if re.search(r"os\.environ|getenv", path.read_text())
    }
    assert readers == {"petitions/settings.py"}
    assert os.environ.get("PETITIONS_SECRET_KEY") is None, "the tests are sealed"


def test_the_table_of_settings_shows_them_as_they_are() -> None:
    document = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- settings -->\n+(.*?)\n+<!-- /settings -->", document, re.DOTALL)
    assert shown, "docs/settings.md must hold the table between <!-- settings --> and <!-- /settings -->"
    assert shown[1] == settings_table(), "put the output of `flask doctor --settings` there"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, _, _ in table()] == [
        f"PETITIONS_{each.name.upper()}" for each in dataclasses.fields(Settings)
    ]
    assert all(help.endswith((".", ")")) for _, _, help in table())
    assert not any(str(ROOT) in default for _, default, _ in table())


@pytest.mark.parametrize(
    ("name", "value", "is_right"),
    [
        ("BOUNCE_MAILBOX", "maildir:/home/sign/Maildir", True),
        ("BOUNCE_MAILBOX", "imaps://sign%40example.org:word@mail.example.org/INBOX", True),
        ("BOUNCE_MAILBOX", "imap://sign:word@mail.example.org", False),
        ("BOUNCE_MAILBOX", "maildir:Maildir", False),
        ("BOUNCE_MAILBOX", "imaps://sign:word@mail.example.org:port", False),
        ("ALERTS_TO", "anna@example.org", True),
        ("ALERTS_TO", "Anna <anna@example.org>, ben@example.org", True),
        ("ALERTS_TO", "anna", False),
    ],
)
def test_where_bounces_come_and_alerts_go_is_checked(tmp_path: Path, name: str, value: str, is_right: bool) -> None:
    faults = faults_of(tmp_path, **{f"PETITIONS_{name}": value})
    assert [fault for fault in faults if name in fault] == ([] if is_right else faults)
    assert bool(faults) is not is_right
