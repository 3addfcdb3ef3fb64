"""Parts that are being built: called if they are there."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Part:
    """A module by name; what it does not have yet answers None."""

    def __init__(self, name: str) -> None:
        self.name = f"channels_chat.{name}"

    def __getattr__(self, what: str) -> Any:
        try:
            module = import_module(self.name)
        except ModuleNotFoundError as error:
            if error.name != self.name:
                raise
            return lambda *args, **kwargs: None
        return getattr(module, what, lambda *args, **kwargs: None)


identify, proactive, flow = Part("actions.identify"), Part("actions.proactive"), Part("actions.flow")
after, endings, queueing = Part("actions.after"), Part("actions.endings"), Part("actions.queueing")
forms, queue = Part("actions.forms"), Part("queue")
