"""Checks of what is around the program: its public address, certificate, sender's DNS records, memory, catalogues."""

import os
import secrets
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

import dns.exception
import dns.resolver

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain import sealing
from petitions.domain.retention import SEEN
from petitions.queries.board import outbox
from petitions.queries.catalogue import catalogue
from petitions.queries.retention import marks
from petitions.services.keys.keyring import keyring
from petitions.settings import LOOPBACK, ROOT, Settings

SECONDS = 5.0  # that another machine has for its answer
CERTIFICATE_LEFT = timedelta(days=14)  # certbot and Caddy renew 30 days before the end
MEBIBYTE = 2**20
LEAST_MEMORY, LEAST_INODES = 100 * MEBIBYTE, 10_000
FORGED = "203.0.113.113"  # what a visitor could claim; an address for documentation (RFC 5737)
WORKER_WAITS = timedelta(hours=3)


def checked(settings: Settings) -> tuple[list[str], list[str]]:
    """Faults and notes, as sentences. Asks other machines only about a site that is public."""
    host = urlsplit(settings.base_url).hostname or ""
    faults = [*_memory(), *_inodes(settings.instance), *catalogues_faults(), *_worker()]
    if host not in LOOPBACK:
        faults += [
            *address_faults(settings.base_url),
            *proxy_faults(settings.base_url, settings.proxy_hops),
            *sender_faults(parseaddr(settings.mail_from)[1].rpartition("@")[2]),
        ]
        if settings.is_https:
            faults += certificate_faults(host, urlsplit(settings.base_url).port or 443)
    return faults, [*_failed_mails(), *_untranslated()]


def _memory() -> list[str]:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:") and (free := int(line.split()[1]) * 1024) < LEAST_MEMORY:
            return [f"The memory is nearly full: {free // MEBIBYTE} MB are free"]
    return []


def _inodes(folder: Path) -> list[str]:
    free = os.statvfs(folder)
    if free.f_files and free.f_favail < LEAST_INODES:
        return [f"The disk can take only {free.f_favail} more files: delete some that nothing needs"]
    return []


def catalogues_faults(folder: Path = ROOT / "translations") -> list[str]:
    """Languages whose words were not compiled since they changed."""
    old = [
        source.parent.parent.name
        for source in sorted(folder.glob("*/LC_MESSAGES/messages.po"))
        if not (made := source.with_suffix(".mo")).exists() or made.stat().st_mtime < source.stat().st_mtime
    ]
    return [f"Pages in {', '.join(old)} may show English or old words: run make install"] if old else []


def _worker() -> list[str]:
    with reading() as connection:
        seen = marks(connection).get(SEEN)
    if seen and clock.now() - seen > WORKER_WAITS:
        return [f"The worker did nothing since {seen:%Y-%m-%d %H:%M} UTC: is the server, or flask worker, running?"]
    return []


def address_faults(base_url: str) -> list[str]:
    """Whether the public address answers from here."""
    try:
        urllib.request.urlopen(f"{base_url}/robots.txt", timeout=SECONDS).close()  # noqa: S310 - http or https only
    except (urllib.error.URLError, OSError) as exc:
        reason = getattr(exc, "reason", exc)
        return [f"{base_url} does not answer ({reason}): check the web server, its certificate and the domain"]
    return []


def proof(nonce: str) -> str:
    """What only this installation can send with `nonce`: so only its own doctor is told about its proxies."""
    return sealing.blind_index(keyring().secret_key.encode(), "proxies", nonce).hex()


def proxy_faults(base_url: str, hops: int) -> list[str]:
    """Whether as many proxies stand before the program as PETITIONS_PROXY_HOPS says: each adds to X-Forwarded-For."""
    nonce = secrets.token_hex(16)
    headers = {"X-Forwarded-For": FORGED, "X-Petitions-Probe": f"{nonce} {proof(nonce)}"}
    request = urllib.request.Request(f"{base_url}/proxies", headers=headers)  # noqa: S310 - http or https only
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as said:  # noqa: S310 - the same
            number = int(said.read(9))
    except (urllib.error.URLError, OSError, ValueError):
        return []  # address_faults says it, or an older version answers
    if number == hops:
        return []
    effect = "visitors can claim any network" if number < hops else "all visitors share one network's limits"
    return [f"PETITIONS_PROXY_HOPS is {hops}, but the program is behind {number}: {effect}. Set it to {number}"]


def certificate_faults(host: str, port: int) -> list[str]:
    """Whether the certificate ends soon."""
    try:
        context = ssl.create_default_context()
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            ends = (connection.getpeercert() or {}).get("notAfter", "")
    except OSError:
        return []  # address_faults says it
    left = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) - clock.now()
    return [f"The certificate of {host} ends in {left.days} days: it is not renewed"] if left < CERTIFICATE_LEFT else []


def sender_faults(domain: str) -> list[str]:
    """Whether the sender's domain has the records that mail servers look for."""
    found = []
    if _has_record(domain, lambda text: text.startswith("v=spf1")) is False:
        found.append(f"{domain} has no SPF record, so e-mails may land in spam: docs/install.md has the records")
    if _has_record(f"_dmarc.{domain}", lambda text: text.startswith("v=DMARC1")) is False:
        found.append(f"{domain} has no DMARC record, so e-mails may land in spam: docs/install.md has the records")
    return found


def _has_record(name: str, is_meant: Callable[[str], bool]) -> bool | None:
    """Whether the name has such a TXT record; None if DNS does not answer."""
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return False
    except (dns.exception.DNSException, OSError):
        return None
    return any(is_meant(b"".join(each.strings).decode("utf-8", "replace")) for each in answer)


def _failed_mails() -> list[str]:
    mails = outbox()
    reasons = ", ".join(f"{reason}: {number}" for reason, number in mails.failures.items())
    found = []
    if mails.failed:
        found.append(f"E-mails that could not be delivered in the last seven days: {mails.failed} ({reasons})")
    if mails.bounced:
        found.append(f"Addresses that do not exist, blocked in the last seven days: {mails.bounced}")
    return found


def _untranslated() -> list[str]:
    found = []
    for campaign in catalogue().campaigns:
        for language in campaign.languages:
            missing = sum(case.locale_for(language) != language for case in campaign.cases)
            if missing:
                found.append(f"{campaign.slug}: {missing} cases are not translated into {language}")
    return found
