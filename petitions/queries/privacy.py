"""The facts in the privacy notice and in the impact assessment: the real settings, as words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from petitions import locales
from petitions.domain import retention
from petitions.queries.catalogue import PublicCampaign
from petitions.settings import Settings


def notice_facts(campaign: PublicCampaign, keys: Sequence[str], settings: Settings, locale: str) -> dict[str, Any]:
    """The facts for `templates/public/privacy.txt`, for readers of `locale`."""

    def day(moment: datetime | None) -> str:
        here = ZoneInfo(campaign.timezone)
        return locales.long_date(moment.astimezone(here).date(), locale) if moment else ""

    return {
        "controller": campaign.controller,
        "asks_birth_date": campaign.asks_birth_date,
        "minimum_age": campaign.minimum_age,
        "hands_over_names": any(case.hands_over_names for case in campaign.cases),
        "is_abroad": any(case.hands_over_names and case.country not in locales.UNION for case in campaign.cases),
        "keys": len(keys),
        "mail_host": _mail_host(settings),
        "proxies": settings.proxy_hops,
        "link_days": retention.PENDING_LIFETIME.days,
        "mail_hours": int(retention.MAIL_LIFETIME.total_seconds() // 3600),
        "hand_over_days": retention.AFTER_DELIVERY.days,
        "kit_order_days": retention.KIT_ORDERS_AFTER_SENDING.days,
        "closes_on": day(campaign.closes_at),
        "erased_by": day(campaign.erased_by),
        "erased_on": day(campaign.erased_at),
    }


def dpia_facts(campaign: PublicCampaign, keys: Sequence[str], settings: Settings) -> dict[str, str]:
    """The facts for `docs/dpia-template.md`, in English."""
    facts = notice_facts(campaign, keys, settings, "en")
    birth_date = ", date of birth (the recipients ask for it)" if campaign.asks_birth_date else ""
    hops = f"{settings.proxy_hops} of our own proxies in front" if settings.proxy_hops else "no proxy in front"
    return {
        "campaign": str(campaign.text("en")["title"]),
        **{f"controller_{key}": str(campaign.controller.get(key, "")) for key in ("name", "address", "email")},
        "fields": f"name, e-mail address{birth_date}",
        "keys": str(facts["keys"]),
        "database": "one SQLite file on this server" if settings.is_sqlite else "a Postgres database",
        "mail": facts["mail_host"] or "no mail server is set",
        "proxies": f"{hops}; {'HTTPS' if settings.is_https else 'NO HTTPS'}",
        "languages": ", ".join(campaign.languages),
        "closes_on": facts["closes_on"] or "OPEN POINT: no closing date is set",
        "erased_by": facts["erased_on"] or facts["erased_by"] or "OPEN POINT: unknown without a closing date",
        "security_contact": settings.security_contact or "OPEN POINT: PETITIONS_SECURITY_CONTACT is not set",
        **{key: str(facts[key]) for key in ("link_days", "mail_hours", "hand_over_days")},
    }


def _mail_host(settings: Settings) -> str:
    parts = urlsplit(settings.mail_url)
    return (parts.hostname or "localhost") if parts.scheme in ("smtp", "smtps") else ""
