"""A fixture that runs commands."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """Type a command; what it reads may be given as `input`. Commands bring a context of their own."""
    runner = app.test_cli_runner()

    def typed(*words: object, input: str | None = None) -> Result:
        result = runner.invoke(args=[str(word) for word in words], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return typed
