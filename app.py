"""The application that gunicorn and the `flask` command load."""

from petitions.factory import create_app

app = create_app()
