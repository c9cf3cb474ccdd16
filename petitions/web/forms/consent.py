"""The words under which people sign: shown by the form, and kept with each signature."""

from functools import cache

from flask_babel import gettext as _

from petitions.web.i18n import locale


def data_words() -> str:
    """What happens with name and address, in one sentence."""
    return str(_("We seal your name and address: only the section can open them."))


def confirm_words() -> str:
    """What the mail is for, and when a signature counts."""
    return str(_("We send one mail there. Your signature counts once you confirm it."))


def newsletter_words() -> str:
    """What ticking the box means."""
    return str(_("Also send me news about these cases. I can stop it at any time."))


def consent_words() -> str:
    """All of it together, as it is kept with the signature."""
    return _consent_words(locale())


@cache
def _consent_words(_locale: str) -> str:
    return "\n".join([confirm_words(), newsletter_words(), data_words()])
