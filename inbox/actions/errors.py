"""Why an action could not be done, in words for the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ActionError(ValueError):
    """`reason` is for the person, `code` for programs."""

    def __init__(self, reason: StrOrPromise, code: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
