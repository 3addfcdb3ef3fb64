"""Where people are logged in: which browser, from which address, since when; and ending it.

A row is made when somebody logs in and goes with its session, so that no address outlives it. When a page was last
opened is noted once in a few minutes, from memory: no page costs a query for it.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox.models import Agent, LogIn
from inbox.models.people import USER_AGENT_LENGTH

NOTE_EVERY = 300.0  # seconds
MOST_NOTED = 10_000
_noted: dict[str, float] = {}  # session -> when it was last written down, in this process

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
            ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
           ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip


def described(user_agent: str) -> str:
    """A browser's User-Agent in words: "Firefox on Windows"."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


@receiver(user_logged_in)
def logged_in(sender: object, request: HttpRequest, user: Agent, **told: Any) -> None:
    note(request, user)


@receiver(user_logged_out)
def logged_out(sender: object, request: HttpRequest, user: Agent | None, **told: Any) -> None:
    if request.session.session_key:
        LogIn.objects.filter(session=request.session.session_key).delete()


def note(request: HttpRequest, agent: Agent) -> None:
    """Write down that this session lives, if that was not done lately. A few queries, once in five minutes."""
    key = request.session.session_key or ""
    now = time.monotonic()
    if not key or now - _noted.get(key, -NOTE_EVERY) < NOTE_EVERY:
        return
    if len(_noted) >= MOST_NOTED:
        _noted.clear()
    _noted[key] = now
    at = timezone.now()
    told = {
        "agent": agent,
        "user_agent": "".join(c for c in request.META.get("HTTP_USER_AGENT", "") if c.isprintable())[
            :USER_AGENT_LENGTH
        ],
        "address": get_adapter().get_client_ip(request) if "REMOTE_ADDR" in request.META else None,
        "seen_at": at,
    }
    with transaction.atomic():
        LogIn.objects.filter(agent=agent).exclude(session__in=_standing()).delete()
        LogIn.objects.update_or_create(session=key, defaults=told)
        Agent.objects.filter(pk=agent.pk).update(last_seen_at=at)


def of(agent: Agent) -> list[LogIn]:
    """The log-ins of this person whose session still stands, the latest first."""
    return list(LogIn.objects.filter(agent=agent, session__in=_standing()).order_by("-seen_at", "-pk"))


def end(agent: Agent, key: str) -> int:
    """End one session of this person. Returns 1, or 0 when it is not theirs or over."""
    if not LogIn.objects.filter(agent=agent, session=key).delete()[0]:
        return 0
    return Session.objects.filter(session_key=key).delete()[0]


def end_all(agent: Agent, but: str = "") -> int:
    """End every session of this person, but one. Reads all sessions: those from before there were log-ins count."""
    LogIn.objects.filter(agent=agent).exclude(session=but).delete()
    mine = [
        one.session_key
        for one in Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key=but).iterator()
        if one.get_decoded().get(SESSION_KEY) == str(agent.pk)
    ]
    return Session.objects.filter(session_key__in=mine).delete()[0]


def prune() -> int:
    """Forget sessions that ran out, and every log-in without its session. Returns how many log-ins went."""
    Session.objects.filter(expire_date__lte=timezone.now() - timedelta(days=1)).delete()
    return LogIn.objects.exclude(session__in=_standing()).delete()[0]


def _standing() -> QuerySet[Session, Any]:
    return Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
