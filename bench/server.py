"""What gunicorn serves to be measured: the real application, a bare "hello", and signing without a database."""

from collections.abc import Iterable
from typing import Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from petitions.factory import create_app

real = create_app()

stub = create_app()


class NoDatabase:
    """Stands in for the write queue: takes everything, keeps nothing."""

    def submit(self, handler: Any, item: Any) -> None:
        """Do not store `item`."""


stub.extensions["petitions_write_queue"] = NoDatabase()

bare = Flask("bare")


@bare.get("/")
def hello() -> str:
    """The least that Flask can do."""
    return "hello"


class Measured:
    """The WSGI callable; what the real application has ready is ready here too."""

    extensions = real.extensions

    def __init__(self) -> None:
        self._dispatch = DispatcherMiddleware(
            real.wsgi_app, {"/bench/hello": bare.wsgi_app, "/bench/stub": stub.wsgi_app}
        )

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer."""
        return self._dispatch(environ, start_response)


app = Measured()
