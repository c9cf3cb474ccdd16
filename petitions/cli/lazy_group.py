"""Commands whose heavy libraries are imported only when they are used."""

from importlib import import_module
from typing import Any

import click
from flask.cli import AppGroup


class LazyGroup(AppGroup):
    """A group with commands that are imported only when they are called or their help is shown."""

    def __init__(self, *args: Any, elsewhere: dict[str, str], **kw: Any) -> None:
        super().__init__(*args, **kw)
        self._elsewhere = elsewhere  # by command: "module:name"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted([*super().list_commands(ctx), *self._elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in self._elsewhere:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._elsewhere[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command
