"""What an application is made of: objects that `create_app` builds once, each in a typed place."""

from collections.abc import Callable
from typing import Generic, TypeVar, cast

from flask import Flask, current_app

PartType = TypeVar("PartType")


class Part(Generic[PartType]):
    """The place of one object in each application, declared where the object's class is; `new` makes a missing one."""

    def __init__(self, new: Callable[[], PartType] | None = None) -> None:
        self._new = new

    def put(self, app: Flask, value: PartType) -> PartType:
        """Give `app` its object."""
        app.extensions.setdefault("petitions", {})[self] = value
        return value

    def of(self, app: Flask | None = None) -> PartType:
        """The object of `app`, by default of the current application; raises KeyError if there is none."""
        places = (app or current_app).extensions.setdefault("petitions", {})
        if self._new is not None and self not in places:
            places[self] = self._new()
        return cast(PartType, places[self])
