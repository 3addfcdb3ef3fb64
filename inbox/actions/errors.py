"""Why an action could not be done, in words for the person who asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from inbox.models import Message


class ActionError(ValueError):
    """`reason` is for the person, `code` for programs; `field` names the one of a form that it is about, if any."""

    def __init__(self, reason: StrOrPromise, code: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.field = field


class Unconfirmed(ActionError):
    """Its writer has to say yes first: by the option `option` of `Adapter.prepare`, which ends in `_ok` and is
    never kept in a draft; `yes` are words for a button.
    """

    def __init__(self, reason: StrOrPromise, code: str, option: str, yes: StrOrPromise) -> None:
        super().__init__(reason, code)
        self.option = option
        self.yes = yes


class Stale(ActionError):
    """Somebody wrote publicly while this was being written; `since` is what they said, oldest first, and `event` the
    last line of the log by then.
    """

    def __init__(self, since: Sequence[Message], event: int) -> None:
        super().__init__(_("Somebody wrote in this ticket meanwhile."), "stale")
        self.since = since
        self.event = event
