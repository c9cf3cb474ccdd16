"""The lines of HTML that show the form on the section's own site."""

from flask import render_template
from flask.typing import ResponseReturnValue

from petitions.queries.catalogue import catalogue


def embedding() -> ResponseReturnValue:
    """Each campaign with the sites that may show it, and a line for each language and case."""
    return render_template("admin/embedding.html", campaigns=catalogue().campaigns)
