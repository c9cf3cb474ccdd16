"""The lines of HTML that show the form on the organisation's own site."""

from flask import render_template
from flask.typing import ResponseReturnValue

from petitions.queries.catalogue import catalogue


def embedding() -> ResponseReturnValue:
    """Each campaign with the sites that may show its form, and a line of HTML for each language and case."""
    return render_template("admin/embedding.html", campaigns=catalogue().campaigns)
