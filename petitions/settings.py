"""Every setting: name, help, default, checks. The only module that reads the environment."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from email.utils import getaddresses, parseaddr
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from petitions.errors import SettingsFaulty
from petitions.parts import Part

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MAIL_SCHEMES = ("smtp", "smtps", "console", "file")
ENCRYPTED = {
    "require",
    "verify-ca",
    "verify-full",
}  # the values of Postgres' sslmode that never fall back to plain text


@cache
def version() -> str:
    """The version of the program, as in pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _env(help: str, default: Any, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"help": help, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One installation's settings. `from_env()` reads `PETITIONS_<NAME>`; tests create one directly."""

    instance: Path = _env("Folder for the database, the secrets and the demo mailbox.", ROOT / "instance")
    database_url: str = _env(
        "`sqlite:///…` or `postgresql://…?sslmode=require`. If empty: SQLite in the instance folder.",
        "",
    )
    base_url: str = _env(
        "The public address; every link in an e-mail begins with it. If empty, derived from PETITIONS_BIND.", ""
    )
    bind: str = _env("Address and port the server listens on.", "127.0.0.1:8000")
    proxy_hops: int = _env("Number of own proxies that add to X-Forwarded-For; with `https` at least 1.", 0)
    secret_key: str = _env(
        "Signs links and sessions. If empty: `instance/secret_key`, created by `flask setup`.", "", secret=True
    )
    master_key: str = _env(
        "Decrypts campaign keys and queued e-mails (an age identity). If empty: `instance/master_key`.", "", secret=True
    )
    mail_url: str = _env(
        "`smtp://user:password@host:587` or `smtps://…`, encrypted. In demo mode also `console:` or `file:FOLDER`.",
        "",
        secret=True,
    )
    mail_from: str = _env("The sender of every e-mail.", "Petitions <petitions@localhost>")
    mail_per_minute: int = _env("How many e-mails are sent per minute at most.", 1500)
    mail_per_hour: int = _env("How many per hour, if the mail server has such a limit; 0: no limit.", 0)
    mail_per_day: int = _env("How many per day, in the same way.", 0)
    mail_url_second: str = _env("A second mail server, for what these limits leave over.", "", secret=True)
    mail_connections: int = _env("How many e-mails are sent at the same time, over a connection each.", 4)
    bounce_secret: str = _env(
        "The secret with which a mail service reports bounces to /api/v1/bounces. If empty, none can.", "", secret=True
    )
    bounce_mailbox: str = _env(
        "The mailbox of PETITIONS_MAIL_FROM, to read bounces from: `maildir:FOLDER` or `imaps://user:password@host`.",
        "",
        secret=True,
    )
    worker: bool = _env("The server sends e-mails itself; set to 0 where `flask worker` runs.", True)
    demo: bool = _env(
        "Demo mode: demo campaign, demo key, and a page that shows every e-mail. Only on this machine.", False
    )
    workers: int = _env("Server processes.", 2)
    threads: int = _env("Threads in each process; as many signatures can share one commit.", 32)
    write_queue: int = _env("How many writers may wait in one process before it answers 503.", 200)
    log_level: str = _env("DEBUG, INFO, WARNING or ERROR.", "INFO")
    log_format: str = _env("`text` or `json`: one line per event, without personal data.", "text")
    backups: str = _env("Folder for the nightly backups, which are kept for 30 days. If empty, none are made.", "")
    backups_copy: str = _env(
        "The second place: a folder on another machine's disk, or a command such as `rclone copy {} there:petitions`.",
        "",
    )
    alerts_to: str = _env(
        "Addresses, with commas, that get one e-mail a day while something needs those who run the server.", ""
    )
    metrics_token: str = _env(
        "With it as bearer token, monitoring may read /metrics. If empty, there is no such page.", "", secret=True
    )
    security_contact: str = _env(
        "The contact in security.txt: `mailto:…` or `https://…`. If empty, there is no such file.", ""
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment and the secret files; raises SettingsFaulty with all faults."""
        environ = os.environ if environ is None else environ
        faults: list[str] = []
        values: dict[str, Any] = {}
        for each in fields(cls):
            name = f"PETITIONS_{each.name.upper()}"
            raw = environ.get(name)
            if each.metadata["secret"] and environ.get(f"{name}_FILE"):
                raw = _read_secret(environ[f"{name}_FILE"], f"{name}_FILE", faults)
            if raw:
                values[each.name] = _convert(raw, type(each.default), name, faults)
        if "bind" not in values and environ.get("PORT"):
            values["bind"] = f"127.0.0.1:{environ['PORT']}"
        settings = cls(**values).completed()
        faults += settings.faults()
        if faults:
            raise SettingsFaulty(faults)
        return settings

    def completed(self) -> "Settings":
        """The same, with derived values filled in and secrets read from their files."""
        filled = {each.name: getattr(self, each.name) for each in fields(self)}
        url = self.database_url or f"sqlite:///{self.instance.resolve() / 'petitions.db'}"
        for short in ("postgres://", "postgresql://"):
            if url.startswith(short):  # SQLAlchemy knows neither the short name nor the driver we use
                url = "postgresql+psycopg://" + url.removeprefix(short)
        if url.startswith("sqlite:///") and not url.endswith((":memory:", "///")):
            url = f"sqlite:///{Path(url.removeprefix('sqlite:///')).resolve()}"  # absolute: the same for every process
        filled["database_url"] = url
        filled["base_url"] = (self.base_url or f"http://{self.bind}").rstrip("/")
        if not self.mail_url and self.demo:
            filled["mail_url"] = f"file:{self.instance / 'mailbox'}"
        for name in ("secret_key", "master_key"):
            path = self.instance / name
            if not filled[name] and path.is_file():
                filled[name] = path.read_text().strip()
        return Settings(**filled)

    def faults(self) -> list[str]:
        """Everything that prevents a start, as sentences for the operator."""
        found: list[str] = []
        host, _, port = self.bind.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
            found.append(f"PETITIONS_BIND must be HOST:PORT, not {self.bind!r}")
        base = _split(self.base_url)
        # An address derived from PETITIONS_BIND is reported there already
        is_said = self.base_url != f"http://{self.bind}"
        is_site = base is not None and base.scheme in ("http", "https") and base.hostname
        if is_said and not (base and is_site and not base.path and not base.query):
            found.append(f"PETITIONS_BASE_URL must be like https://petitions.example.org, not {self.base_url!r}")
        if "@" not in parseaddr(self.mail_from)[1]:
            found.append(f"PETITIONS_MAIL_FROM must be like Section <sign@example.org>, not {self.mail_from!r}")
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            found.append("PETITIONS_DATABASE_URL must begin with sqlite:/// or postgresql://")
        if self.database_url.endswith(":memory:") or self.database_url == "sqlite:///":
            found.append("PETITIONS_DATABASE_URL must name a file: several processes share the database")
        if self.database_url.startswith("postgresql") and not _is_private(self.database_url):
            found.append("PETITIONS_DATABASE_URL crosses a network unencrypted: end it with ?sslmode=require")
        if self.mail_url and self.mail_url.partition(":")[0] not in MAIL_SCHEMES:
            found.append("PETITIONS_MAIL_URL must begin with " + ", ".join(f"{scheme}:" for scheme in MAIL_SCHEMES))
        elif self.mail_url.startswith("smtp") and _split(self.mail_url) is None:
            found.append("PETITIONS_MAIL_URL must be like smtp://user:password@mail.example.org:587")
        second = self.mail_url_second
        if second and not (second.startswith(("smtp://", "smtps://")) and _split(second)):
            found.append("PETITIONS_MAIL_URL_SECOND must be like smtp://user:password@mail.example.org:587")
        found += self._faults_of_values()
        if self.demo and not (
            base and base.hostname in LOOPBACK and host.strip("[]") in LOOPBACK and not self.is_https
        ):
            found.append(
                "PETITIONS_DEMO shows every e-mail to every visitor, so it works only on this machine: "
                "set PETITIONS_DEMO=0, or use 127.0.0.1 in PETITIONS_BIND and PETITIONS_BASE_URL"
            )
        return found

    def _faults_of_values(self) -> list[str]:
        """Faults of numbers, keys and words."""
        found: list[str] = []
        least = {"workers": 1, "threads": 1, "write_queue": 1, "mail_per_minute": 1, "mail_connections": 1}
        for name, value in {**least, "proxy_hops": 0, "mail_per_hour": 0, "mail_per_day": 0}.items():
            if getattr(self, name) < value:
                found.append(f"PETITIONS_{name.upper()} must be at least {value}")
        if self.master_key and not self.master_key.startswith("AGE-SECRET-KEY-1"):
            found.append("PETITIONS_MASTER_KEY must be an age identity (AGE-SECRET-KEY-1…)")
        if self.log_level.upper() not in LOG_LEVELS:
            found.append("PETITIONS_LOG_LEVEL must be " + " or ".join(LOG_LEVELS))
        if self.log_format not in ("text", "json"):
            found.append("PETITIONS_LOG_FORMAT must be text or json")
        box = self.bounce_mailbox
        if box and not (box.startswith("maildir:/") or (box.startswith("imaps://") and _split(box))):
            found.append(
                "PETITIONS_BOUNCE_MAILBOX must be like maildir:/home/sign/Maildir or imaps://user:password@host"
            )
        if any("@" not in address for _, address in getaddresses([self.alerts_to])):
            found.append("PETITIONS_ALERTS_TO must be like anna@example.org, ben@example.org")
        if self.security_contact and not self.security_contact.startswith(("mailto:", "https://")):
            found.append("PETITIONS_SECURITY_CONTACT must begin with mailto: or https://")
        return found

    def faults_of_server(self) -> list[str]:
        """What prevents the server, but not the commands, from starting."""
        names = [name for name in ("secret_key", "master_key") if not getattr(self, name)]
        found = [
            f"PETITIONS_{name.upper()} is missing: on a new server run `flask setup` once; else restore your copy of "
            f"{self.instance / name}"
            for name in names
        ]
        if not self.mail_url:
            found.append("PETITIONS_MAIL_URL is missing: without e-mail nobody can confirm a signature")
        elif not self.mail_url.startswith("smtp") and not self.demo:
            found.append(
                "PETITIONS_MAIL_URL writes e-mails where others may read them, so file: and console: are "
                "for demo mode only: set a mail server, like smtp://user:password@mail.example.org:587"
            )
        if self.is_https and not self.proxy_hops:
            found.append(
                "PETITIONS_PROXY_HOPS is 0, but an https address needs a proxy in front, and without that number "
                "all visitors look like the proxy and no rate limit works: set PETITIONS_PROXY_HOPS=1"
            )
        return found

    @property
    def is_https(self) -> bool:
        """Whether visitors use HTTPS, according to the base URL."""
        return self.base_url.startswith("https://")

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> Path:
        """The database file; only if `is_sqlite`."""
        return Path(self.database_url.removeprefix("sqlite:///"))


SETTINGS: Part[Settings] = Part()


def table() -> list[tuple[str, str, str]]:
    """Each setting as (name, default, help), in order, for docs/settings.md and `flask doctor --settings`."""
    rows = []
    for each in fields(Settings):
        default = "instance" if each.name == "instance" else str(each.default)
        rows.append((f"PETITIONS_{each.name.upper()}", default, each.metadata["help"]))
    return rows


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None if it is invalid, for example because of its port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_private(database_url: str) -> bool:
    """Whether the connection to Postgres cannot be read by others: on this machine, or always encrypted."""
    parts = _split(database_url)
    if parts is None:
        return False
    said = parse_qs(parts.query)
    hosts = [unquote(parts.hostname or ""), *said.get("host", []), *said.get("hostaddr", [])]
    if all(host in LOOPBACK or host.startswith("/") or not host for host in hosts):
        return True
    return "sslmode" in said and set(said["sslmode"]) <= ENCRYPTED


def _convert(raw: str, kind: type, name: str, faults: list[str]) -> Any:
    if kind is bool:
        if raw.lower() in ("1", "true", "yes", "on"):
            return True
        if raw.lower() not in ("0", "false", "no", "off"):
            faults.append(f"{name} must be 1 or 0, not {raw!r}")
        return False
    if kind is int:
        try:
            return int(raw)
        except ValueError:
            faults.append(f"{name} must be a whole number, not {raw!r}")
            return 1
    return Path(raw) if issubclass(kind, Path) else raw


def _read_secret(path: str, name: str, faults: list[str]) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as exc:
        faults.append(f"{name} cannot be read: {exc.strerror}")
        return ""
