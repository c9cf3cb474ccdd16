"""Takes docs/campaign.jpg, the picture in README.md, from a running server with the demo campaign; `make picture`.

Some people sign and confirm first, as visitors do, so that the counts are not empty. Needs Chromium.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from petitions.settings import ROOT
from tests.support.chromium import launch
from tests.support.server import Server

PICTURE = ROOT / "docs" / "campaign.jpg"
LARGEST = 200_000  # bytes
SIGN = "/en/write-for-rights-2024/sign"
CASES = sorted(path.name for path in (ROOT / "petitions/demo/write-for-rights-2024/cases").iterdir())
SIGNERS = 120
VIEW = {"width": 1280, "height": 1120}


def fill(server: Server) -> None:
    """Let people sign and confirm two thirds of the cases each, and record signatures that came on paper."""
    for number in range(SIGNERS):
        chosen = [case for place, case in enumerate(CASES) if (number + place * place) % 3]
        server.post(SIGN, first_name="Ann", last_name="Example", email=address(number), cases=chosen)
    for number in range(SIGNERS):
        server.post(server.link(address(number)).removeprefix(server.url))
    for place, case in enumerate(CASES):
        server.flask("tally", "record", case, "paper", str(190 + 31 * (place * 4 % 9)))


def address(number: int) -> str:
    """An e-mail address for each signer."""
    return f"signer{number}@example.org"


def main() -> None:
    """Take the picture; ends with a sentence if it is too large."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "instance", PETITIONS_MAIL_PER_MINUTE="60000")
        server.flask("setup")
        server.start()
        try:
            fill(server)
            browser = launch(playwright)
            page = browser.new_page(viewport=VIEW, locale="en-GB", reduced_motion="reduce")
            page.goto(f"{server.url}/en/")
            page.screenshot(path=PICTURE, type="jpeg", quality=70)
            browser.close()
        finally:
            server.stop()
    size = PICTURE.stat().st_size
    print(f"{PICTURE.relative_to(ROOT)}: {size} bytes")
    if size > LARGEST:
        sys.exit(f"The picture must have at most {LARGEST} bytes")


if __name__ == "__main__":
    main()
