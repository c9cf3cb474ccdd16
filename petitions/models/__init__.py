"""The tables. Importing this package registers all of them."""

from petitions.models.campaign import (
    Campaign,
    CampaignText,
    Case,
    CaseText,
    ConsentVersion,
    LetterVersion,
    Story,
    StoryText,
    TextVersion,
)
from petitions.models.collectors import Collector
from petitions.models.counts import ActionCount, Count, Limit, PublishedCount, Recount, Tally
from petitions.models.kit_orders import KitOrder
from petitions.models.moderation import Check, Hold, Invalidation, MailSlot, Mark, Suppression
from petitions.models.outbox import Message
from petitions.models.signing import Signature, Signer
from petitions.models.staff import NO_PASSWORD, Account, JournalRow, Recipient, StaffSession

__all__ = [
    "NO_PASSWORD",
    "Account",
    "ActionCount",
    "Campaign",
    "CampaignText",
    "Case",
    "CaseText",
    "Check",
    "Collector",
    "ConsentVersion",
    "Count",
    "Hold",
    "Invalidation",
    "JournalRow",
    "KitOrder",
    "LetterVersion",
    "Limit",
    "MailSlot",
    "Mark",
    "Message",
    "PublishedCount",
    "Recipient",
    "Recount",
    "Signature",
    "Signer",
    "StaffSession",
    "Story",
    "StoryText",
    "Suppression",
    "Tally",
    "TextVersion",
]
