"""Where a signer came from, as a coarse label: kept with the signature until erasure, shown only as sums."""

from urllib.parse import parse_qs, urlsplit

from flask import request

DIRECT, EMBEDDED = "direct", "embed"
# Where a link is shared: the label that a signature keeps, its name, and the address that opens the other site
CHANNELS = {
    "whatsapp": ("WhatsApp", "https://wa.me/?text={text}%20{url}"),
    "telegram": ("Telegram", "https://t.me/share/url?url={url}&text={text}"),
    "bluesky": ("Bluesky", "https://bsky.app/intent/compose?text={text}%20{url}"),
    "facebook": ("Facebook", "https://www.facebook.com/sharer/sharer.php?u={url}"),
    "x": ("X", "https://x.com/intent/post?text={text}&url={url}"),
    "sms": ("SMS", "sms:?&body={text}%20{url}"),
    "email": ("", "mailto:?subject={text}&body={url}"),
}
LABELS = frozenset({*CHANNELS, "mastodon", "copy", "share", "print"})


def source() -> str:
    """The label of this form: how its page was reached, which the page's address says (in the header Referer)."""
    if request.endpoint and request.endpoint.startswith("embed."):
        return EMBEDDED
    asked = parse_qs(urlsplit(request.referrer or "").query).get("via", [""])[0]
    return asked if asked in LABELS else DIRECT
