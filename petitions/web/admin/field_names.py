"""What the fields and states of texts are called in the editor."""

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

STATES = {
    "missing": lazy_pgettext("text", "missing"),
    "draft": lazy_pgettext("text", "draft"),
    "stale": lazy_pgettext("text", "to be checked"),
    "ready": lazy_pgettext("text", "ready"),
}
_ONE_PER_LINE = _l("One entry on each line.")
_TWO_PARTS = _l("One entry on each line: title | sentence")
_MARKDOWN = _l("An empty line begins a paragraph. **Two stars** make words bold, ## begins a heading.")
# For each field its name, and what else to know
LABELS = {
    "title": (_l("Title"), ""),
    "tagline": (_l("Heading of the first page"), ""),
    "summary": (_l("One sentence about it"), ""),
    "description": (_l("Description for search engines and shared links"), ""),
    "notice": (_l("Notice on every page"), ""),
    "intro": (_l("First paragraphs"), _MARKDOWN),
    "story": (_l("Story"), _MARKDOWN),
    "demand": (_l("What we ask"), _l("This is what people sign. Whoever signed before has signed the words of then.")),
    "addressee": (_l("Addressee"), ""),
    "image_alt": (_l("What the picture shows"), _l("For those who do not see it.")),
    "letter": (_l("Sample letter"), ""),
    "since": (_l("What happened since"), ""),
    "points": (_l("Points for a letter"), _ONE_PER_LINE),
    "avoid": (_l("What letters must not be about"), _ONE_PER_LINE),
    "card_rules": (_l("Rules for cards to the person"), _ONE_PER_LINE),
    "share": (_l("Text for sharing"), ""),
    "figure": (_l("Figure"), ""),
    "quote": (_l("Quotation"), ""),
    "quote_by": (_l("Who said it"), ""),
    "donation_title": (_l("Donations: title"), ""),
    "donation_text": (_l("Donations: text"), ""),
    "donation_label": (_l("Donations: words on the button"), ""),
    "donation_url": (_l("Donations: address of the page"), ""),
    "donation_thanks": (_l("Donations: text after signing"), ""),
    "donation_amounts": (_l("Donations: amounts"), _ONE_PER_LINE),
    "closed_text": (_l("Text after the end"), ""),
    "stories_figure": (_l("Figure above the stories"), ""),
    "steps": (_l("Steps"), _TWO_PARTS),
    "letters_to": (_l("Where letters can be brought"), ""),
    "postage": (_l("Postage"), _TWO_PARTS),
    "postage_as_of": (_l("Postage: as of"), ""),
}
