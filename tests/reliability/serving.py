"""What gunicorn serves in the chaos tests: our application, with the bug that SEEDED_BUG names, if any."""

import os

from app import app
from tests.reliability.bugs import BUGS

__all__ = ["app"]

if name := os.environ.get("SEEDED_BUG"):
    BUGS[name]()
