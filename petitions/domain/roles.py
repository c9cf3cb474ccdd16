"""Roles of staff, and what each may do. docs/roles.md shows the result for every page."""

from enum import StrEnum


class Right(StrEnum):
    """What a page of the staff desk needs."""

    OWN = "own"  # the own account
    FIGURES = "figures"  # see the counts
    PAPER = "paper"  # enter and verify what came back on paper
    CAMPAIGN = "campaign"  # texts, states, collectors, embedding
    SIGNATURES = "signatures"  # whatever touches names or makes signatures count: export, invalidation, erasure
    PEOPLE = "people"  # accounts, keys, journal, health of the server


class Role(StrEnum):
    """The role of an account."""

    OWNER = "owner"
    EDITOR = "editor"
    COUNTER = "counter"
    VIEWER = "viewer"


_VIEWER = frozenset({Right.OWN, Right.FIGURES})
_RIGHTS = {
    Role.OWNER: frozenset(Right),
    Role.EDITOR: _VIEWER | {Right.PAPER, Right.CAMPAIGN},
    Role.COUNTER: _VIEWER | {Right.PAPER},
    Role.VIEWER: _VIEWER,
}


def may(role: Role, right: Right) -> bool:
    """Whether accounts of this role have the right."""
    return right in _RIGHTS[role]


def needs_second_factor(role: Role) -> bool:
    """Whether accounts of this role need a second factor: those that reach names."""
    return may(role, Right.SIGNATURES)
