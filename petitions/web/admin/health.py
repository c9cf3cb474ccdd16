"""Health of the server: what `flask doctor` says, for staff without a command line."""

from flask import render_template
from flask.typing import ResponseReturnValue

from petitions.services.operations import diagnosis


def health() -> ResponseReturnValue:
    """All faults and notes, checked now."""
    return render_template("admin/health.html", found=diagnosis.diagnose())
