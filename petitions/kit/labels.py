"""The words that the pieces of the kit print beside the campaign's own: in the language of the request."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext

KINDS = (
    *("cover", "story", "letter", "lined", "signatures", "youth"),
    *("card", "poster", "flyer", "tent", "tally", "lesson"),
)
ONCE = ("cover", "poster", "flyer", "tent", "tally", "lesson")  # one for all cases together


def names() -> dict[str, str]:
    """The name of each kind of piece, in the order in which a kit has them."""
    return {
        "cover": _("Instructions and return slip"),
        "story": _("A page on each case"),
        "letter": _("Sample letters"),
        "lined": _("Lined sheets for letters by hand"),
        "signatures": _("Signature sheets, one case each"),
        "youth": _("Signature sheets for children and young people"),
        "card": _("Solidarity cards"),
        "poster": _("Poster"),
        "flyer": _("Flyers"),
        "tent": _("Table sign, to fold"),
        "tally": _("Tally sheet"),
        "lesson": _("A lesson of 45 minutes"),
    }


def printed() -> dict[str, Any]:
    """All words of all pieces."""
    return _of_letters() | _of_sheets() | _of_lesson()


def _of_letters() -> dict[str, Any]:
    return {
        "name": _("Your name"),
        "town": _("Your town"),
        "day": pgettext("on paper", "Date"),
        "signature": _("Signature"),
        "help": _("To help you write. Cut this part off before you post the letter. Please ask for:"),
        "avoid": _("Please do not write about:"),
        "card-for": _("A message for:"),
        "card-rule": _(
            "Write a few kind words. Sign with your first name only if you prefer. "
            "Do not write about politics, religion or the charges."
        ),
        "code": _("QR code that leads to:"),
    }


def _of_sheets() -> dict[str, Any]:
    return {
        "kit": _("Your kit for writing letters"),
        "steps": [
            _("Choose a case, and read its page."),
            _("Write a letter by hand. The sample letter helps; your own words count most."),
            _("Ask others to sign. A sheet is for one case only, because each case goes to other authorities."),
            _("Bring or send everything back to us, with the slip below, or post the letters yourself."),
        ],
        "contents": _("What is in this kit"),
        "slip": _("Return slip"),
        "collector": _("Collector’s code"),
        "sender": _("From (name, class or group)"),
        "case": pgettext("on paper", "Case"),
        "signatures": pgettext("on paper", "Signatures"),
        "letters": pgettext("on paper", "Letters"),
        "cards": pgettext("on paper", "Cards"),
        "demand": _("What we ask for"),
        "addressee": _("To"),
        "until": _("Please write until"),
        "first-name": _("First name"),
        "last-name": _("Last name"),
        "age": _("Age"),
        "sheet-intro": _("Please write clearly. Everyone signs once for each case, on paper or online."),
        "youth-intro": _("For classes and groups: first name, age and signature are enough."),
        "tally": _("Tally sheet"),
        "tally-intro": _("One stroke for each signature, letter or card. Please do not count the same sheet twice."),
        "place": _("Place"),
        "counted": _("Counted by"),
        "sign-here": _("Sign here:"),
    }


def _of_lesson() -> dict[str, Any]:
    return {
        "lesson": _("Writing for rights: a lesson of 45 minutes"),
        "lesson-intro": _(
            "Each case is a station with its page, lined sheets and a signature sheet. "
            "Pupils work in pairs and visit two stations. Nobody has to write or sign."
        ),
        "minutes": _("Minutes"),
        "step": _("What happens"),
        "plan": [
            ["0–5", _("What are human rights? Collect what the pupils know.")],
            ["5–10", _("Explain the campaign, and what a letter can do.")],
            ["10–25", _("First station: read the case, and name the right that is violated.")],
            ["25–38", _("Second station: write a letter or a card.")],
            ["38–43", _("Read some letters aloud. Those who want to sign a sheet.")],
            ["43–45", _("Collect everything for the envelope, with the return slip.")],
        ],
        "stations": _("The stations"),
        "questions-title": _("Questions to talk about"),
        "questions": [
            _("Which right is at stake? Which article of the Universal Declaration names it?"),
            _("Who could change the situation?"),
            _("Why might many letters help more than one?"),
        ],
        "lesson-care": _(
            "Some cases are about violence. Read the pages before the lesson, and choose the stations that suit "
            "your class. "
            "For pupils below the age of consent to data processing use the sheet for young people."
        ),
    }
