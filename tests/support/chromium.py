"""Starts the Chromium of this machine."""

import os
import shutil

from playwright.sync_api import Browser, BrowserType, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]


def launch(playwright: Playwright) -> Browser:
    """The browser that BROWSER_BIN names, else an installed one, else Playwright's own."""
    return launch_type(playwright.chromium)


def launch_type(chromium: BrowserType, *more: str) -> Browser:
    """One more browser of the same kind, with `more` arguments."""
    found = os.environ.get("BROWSER_BIN") or next(filter(None, map(shutil.which, NAMES)), None)
    return chromium.launch(executable_path=found, args=[*ARGUMENTS, *more])
