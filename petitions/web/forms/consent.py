"""The consent texts: shown by the form, and stored with each signature."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from petitions.domain.retention import AFTER_DELIVERY, PENDING_LIFETIME
from petitions.locales import UNION
from petitions.queries.catalogue import PublicCampaign, PublicCase


def data_words(campaign: PublicCampaign, only: PublicCase | None = None, *, is_proven: bool = False) -> str:
    """Who gets the name, who can read name and address until then, and for how long they are stored.

    `is_proven`: the mailbox is confirmed already, so the signature counts at once.
    """
    days, wait = AFTER_DELIVERY.days, PENDING_LIFETIME.days
    said = _recipient_words([only] if only else campaign.cases, is_proven)
    said += [
        _("Both are stored encrypted, and only we can read them: %(controller)s.", controller=_name(campaign)),
        _(
            "We erase both %(days)s days after the signatures are delivered, no later than 12 months after the end.",
            days=days,
        ),
    ]
    if not is_proven:
        said.append(_("We erase both after %(days)s days if you do not confirm.", days=wait))
    return " ".join(said)


def _recipient_words(cases: Sequence[PublicCase], is_proven: bool) -> list[str]:
    named = [case for case in cases if case.hands_over_names]
    if not named:
        return [_("We hand over only the number of signatures: no name and no e-mail address.")]
    said = [
        _("We hand your name to the authorities addressed, unless you refused; never your e-mail address.")
        if is_proven
        else ngettext(
            "If you confirm, we hand your name to the authorities this petition addresses, never your e-mail address.",
            "If you confirm, we hand your name to the authorities these petitions address, never your e-mail address.",
            len(cases),
        )
    ]
    if len(named) < len(cases):
        said.append(_("Where we say so beside a case, we hand over only the number of signatures."))
    abroad = {case.country not in UNION for case in named}
    if abroad == {True}:
        said.append(_("These authorities are outside the European Union, where EU law does not protect your name."))
    elif True in abroad:
        said.append(_("Some of them are outside the European Union, where EU law does not protect your name."))
    return said


def confirm_words() -> str:
    """How many e-mails are sent, and when a signature counts."""
    return str(
        _("We send you one e-mail to confirm, and at most one reminder. Your signature counts once you confirm.")
    )


def newsletter_words() -> str:
    """The newsletter box."""
    return str(_("Also send me news about these cases. I can stop it at any time."))


def unnamed_words(campaign: PublicCampaign, only: PublicCase | None = None) -> str:
    """The box about the name; empty if no name is delivered, so that there is no box."""
    hands_over = any(case.hands_over_names for case in ([only] if only else campaign.cases))
    return str(_("Count my signature, but do not hand over my name.")) if hands_over else ""


def age_words(campaign: PublicCampaign) -> str:
    """The signer's statement about the age; empty if the campaign does not ask."""
    least = campaign.minimum_age
    return ngettext("I am at least %(num)s year old.", "I am at least %(num)s years old.", least) if least else ""


def more_words(campaign: PublicCampaign) -> str:
    """The consent text for signatures that a confirmed signer adds."""
    return "\n".join([at_once_words(), data_words(campaign, is_proven=True)])


def at_once_words() -> str:
    """When signatures count that a confirmed signer adds."""
    return str(_("No second e-mail: these signatures count at once."))


def consent_words(campaign: PublicCampaign, only: PublicCase | None = None) -> str:
    """The whole consent text, as stored with the signature."""
    said = [confirm_words(), newsletter_words(), unnamed_words(campaign, only), age_words(campaign)]
    said.append(data_words(campaign, only))
    return "\n".join(filter(None, said))


def _name(campaign: PublicCampaign) -> str:
    return str(campaign.controller["name"]).rstrip(".")
