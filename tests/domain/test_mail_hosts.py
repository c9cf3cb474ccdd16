"""Mistyped domains of well-known mail hosts get a question; all others are accepted."""

import pytest

from petitions.domain.mail_hosts import _KNOWN, suggestion


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmsil.com", "gmail.com"),
        ("GMAIL.CON", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.cm", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yaho.fr", "yahoo.fr"),
        ("icluod.com", "icloud.com"),
        ("laposte.nte", "laposte.net"),
        ("pt.luu", "pt.lu"),
    ],
)
def test_a_slip_is_asked_about(typed: str, meant: str) -> None:
    assert suggestion(f"Ann.Lee+x@{typed}") == f"Ann.Lee+x@{meant}"


def test_other_hosts_are_left_alone() -> None:
    others = "mail.com email.com ymail.com gmx.lu gmx.com gmx.at hotmail.be hotmail.it outlook.be yahoo.be yahoo.co.uk"
    others += " live.be free.de pt.de p.lu vt.lu wab.de me.com example.org amnesty.lu ail.com com"
    for host in (*_KNOWN, *others.split()):
        assert suggestion(f"ann@{host}") is None, host
    assert suggestion("no address") is None
