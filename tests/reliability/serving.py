"""The application that gunicorn serves in these tests, with the bug named in SEEDED_BUG, if any."""

import os

from app import app
from tests.reliability.bugs import BUGS

__all__ = ["app"]

if name := os.environ.get("SEEDED_BUG"):
    BUGS[name]()
