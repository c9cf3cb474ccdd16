"""The WSGI applications for the bench: the real one, a bare "hello", and signing without a database."""

from typing import Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from petitions.db.transactions import WRITE_QUEUE
from petitions.factory import create_app

real = create_app()

stub = create_app()


class NoDatabase:
    """Stands in for the write queue: takes everything, keeps nothing."""

    def submit(self, handler: Any, item: Any) -> None:
        """Do not store `item`."""


WRITE_QUEUE.put(stub, NoDatabase())

bare = Flask("bare")


@bare.get("/")
def hello() -> str:
    """The least that Flask can do."""
    return "hello"


app = DispatcherMiddleware(real.wsgi_app, {"/bench/hello": bare.wsgi_app, "/bench/stub": stub.wsgi_app})
