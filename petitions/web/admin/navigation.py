"""The staff desk's navigation: five tasks, each with its pages, as far as the account's role may open them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from petitions.domain.roles import Right, may
from petitions.queries import board as boards
from petitions.web import sessions
from petitions.web.admin import chosen

ROOT = "/admin"
TASKS = (
    (_l("Overview"), (("admin.board", _l("Counts")), ("admin.list_sources", _l("How signers came")))),
    (
        _l("Campaign"),
        (
            ("admin.edit_campaign", _l("Dates and settings")),
            ("admin.list_cases", _l("Cases")),
            ("admin.list_texts", _l("Texts")),
            ("admin.embedding", _l("Embedding")),
            ("admin.list_campaigns", _l("All campaigns")),
        ),
    ),
    (
        _l("Paper"),
        (
            ("admin.paper", _l("What came back")),
            ("admin.list_collectors", _l("Collectors")),
            ("admin.list_kit_orders", _l("Kits by post")),
        ),
    ),
    (
        _l("Signatures"),
        (
            ("admin.list_invalidations", _l("Invalidations")),
            ("admin.export_form", _l("Export")),
            ("admin.decrypt_export", _l("Open an exported file")),
            ("admin.retention", _l("Erasing")),
            ("admin.help_desk", _l("Help desk")),
        ),
    ),
    (
        lazy_pgettext("staff pages", "Settings"),
        (
            ("admin.list_staff", _l("Staff")),
            ("admin.keys", _l("Keys")),
            ("admin.mailing", _l("E-mails")),
            ("admin.health", _l("Health of the server")),
            ("admin.list_journal", _l("Journal")),
            ("admin.account", _l("Your account")),
        ),
    ),
)


@dataclass(frozen=True)
class Page:
    """A page of the desk, and whether this request is about it."""

    endpoint: str
    name: object

    @property
    def is_here(self) -> bool:
        """Whether the present page is this one, or lies below it."""
        path = url_for(self.endpoint)
        return request.path == path or (path.rstrip("/") != ROOT and request.path.startswith(f"{path}/"))


@dataclass(frozen=True)
class Task:
    """A task and its pages."""

    name: object
    pages: list[Page]

    @property
    def is_here(self) -> bool:
        """Whether the present page is one of them."""
        return any(page.is_here for page in self.pages)


def context(rights: Mapping[str, Right | None]) -> dict[str, Any]:
    """What every page of the desk shows: the tasks, and the campaigns to choose from."""
    return {"desk": desk(rights), "campaigns": boards.campaigns(), "here": chosen.slug_or_none()}


def desk(rights: Mapping[str, Right | None]) -> list[Task]:
    """The tasks that this account may open."""
    role = sessions.current().login.role
    tasks = [
        Task(name, [Page(each, said) for each, said in pages if (right := rights[each]) and may(role, right)])
        for name, pages in TASKS
    ]
    return [task for task in tasks if task.pages]
