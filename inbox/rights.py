"""What each role may do. The table in docs/people.md is this one, and a test keeps them alike.

What somebody may *see* is another question, answered by `inbox.access`: a right reaches only what its holder sees.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from inbox.models import Agent, Role

P = ParamSpec("P")


class Right(StrEnum):
    NOTE = "note"  # read, and leave notes
    ANSWER = "answer"  # reply; change tickets and customers
    SHARE = "share"  # macros, views and tags that others see
    EXPORT = "export"  # take a customer's data out
    REPORTS = "reports"  # figures of teams and people
    TEAMS = "teams"  # make teams, say who is in them
    CARE = "care"  # pause and test a channel, retry what failed, count its mailbox
    CHANNELS = "channels"  # connect channels, change their settings
    FIELDS = "fields"  # say which fields tickets, customers and organisations have
    PEOPLE = "people"  # invite, change roles, end sessions of others
    ERASE = "erase"  # erase a customer for ever
    WEBHOOKS = "webhooks"  # send events to other systems; tokens of others
    AUDIT = "audit"  # read who changed settings and permissions


LIGHT = frozenset({Right.NOTE})
AGENT = LIGHT | {Right.ANSWER}
MANAGER = AGENT | {Right.SHARE, Right.EXPORT, Right.REPORTS, Right.TEAMS, Right.CARE}
ADMIN = frozenset(Right)

RIGHTS: dict[str, frozenset[Right]] = {
    Role.LIGHT: LIGHT,
    Role.AGENT: AGENT,
    Role.MANAGER: MANAGER,
    Role.ADMIN: ADMIN,
}


def may(agent: Agent, right: Right) -> bool:
    return right in RIGHTS.get(agent.role, frozenset())


def require(agent: Agent, right: Right) -> None:
    """Raises PermissionDenied."""
    if not may(agent, right):
        raise PermissionDenied


def needs(
    right: Right,
) -> Callable[
    [Callable[Concatenate[Any, P], HttpResponse]],
    Callable[Concatenate[Any, P], HttpResponse],
]:
    """Decorator of a view, below `agent_only`: 403 for whoever lacks this right."""

    def decorate(view: Callable[Concatenate[Any, P], HttpResponse]) -> Callable[Concatenate[Any, P], HttpResponse]:
        @wraps(view)
        def guarded(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            require(request.user, right)
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]  # positional by Django's custom

    return decorate
