"""The demo campaign, whose cases the documents are about."""

import pytest
from flask import Flask

from petitions.cli.setup import DEMO_CAMPAIGN
from tests.support.factories import load_campaign


@pytest.fixture
def demo(app: Flask) -> Flask:
    """The application with the demo campaign."""
    load_campaign(app, DEMO_CAMPAIGN)
    return app
