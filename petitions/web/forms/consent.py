"""The words under which people sign: shown by the form, and kept with each signature."""

from flask_babel import gettext as _

from petitions.locales import UNION
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.queries.retention import AFTER_HAND_OVER, PENDING_LASTS


def data_words(campaign: PublicCampaign, only: PublicCase | None = None) -> str:
    """Who gets the name, who can read name and address until then, and for how long."""
    said = [
        _("If you confirm, we hand your name to the authorities this petition addresses, never your e-mail address.")
    ]
    abroad = {case.country not in UNION for case in ([only] if only else campaign.cases)}
    if abroad == {True}:
        said.append(_("These authorities are outside the European Union, where EU law does not protect your name."))
    elif True in abroad:
        said.append(_("Some of them are outside the European Union, where EU law does not protect your name."))
    said.append(_("Both are stored encrypted, and only we can read them: %(controller)s.", controller=_name(campaign)))
    said.append(
        _(
            "We erase both %(days)s days after the names are delivered, no later than 12 months after the end, "
            "or after %(wait)s days if you do not confirm.",
            days=AFTER_HAND_OVER.days,
            wait=PENDING_LASTS.days,
        )
    )
    return " ".join(said)


def confirm_words() -> str:
    """How many e-mails are sent, and when a signature counts."""
    return str(
        _("We send you one e-mail to confirm, and at most one reminder. Your signature counts once you confirm.")
    )


def newsletter_words() -> str:
    """What ticking the box means."""
    return str(_("Also send me news about these cases. I can stop it at any time."))


def consent_words(campaign: PublicCampaign, only: PublicCase | None = None) -> str:
    """All of it together, as it is kept with the signature."""
    return "\n".join([confirm_words(), newsletter_words(), data_words(campaign, only)])


def _name(campaign: PublicCampaign) -> str:
    return str(campaign.controller["name"]).rstrip(".")
