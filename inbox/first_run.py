"""From nothing to the first answered ticket: the steps that an admin of a new organisation is led through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from inbox.models import Agent, AuthorKind, Channel, Direction, Message, Setting
from inbox.rights import Right, may

KEY = "first_run"
WELCOME = "first-person"  # salt of the link's signature
WELCOME_HOURS = 6  # it stays in the journal of whatever started Rabta; each start prints a new one


def is_empty() -> bool:
    """Whether nobody can log in yet."""
    return not Agent.objects.filter(is_bot=False).exists()


def welcome_path() -> str:
    """Where the first person makes themselves an admin: told only to who starts Rabta, and of no use afterwards."""
    return reverse("welcome", args=[TimestampSigner(salt=WELCOME).sign("welcome").partition(":")[2]])


def is_welcome(token: str) -> bool:
    """Whether a link is ours and young, and nobody is here yet."""
    try:
        TimestampSigner(salt=WELCOME).unsign(f"welcome:{token}", max_age=timedelta(hours=WELCOME_HOURS))
    except BadSignature:
        return False
    return is_empty()


@dataclass(frozen=True)
class Step:
    label: str
    about: str
    url: str
    done: bool


def _facts(agent: Agent) -> tuple[list[bool], str, int | None]:
    """Whether it was put away, and for each step whether it is done; the first mailbox's address, and the first ticket
    that somebody wrote to: one query, which reads a row of each.
    """
    parts = [
        Setting.objects.filter(pk=KEY),
        Channel.objects.all(),
        Agent.objects.filter(is_bot=False).exclude(pk=agent.pk),
        Message.objects.filter(direction=Direction.IN),
        Message.objects.filter(direction=Direction.OUT, author_kind=AuthorKind.AGENT),
    ]
    sql: list[str] = []
    params: list[Any] = []
    for part in parts:
        text, values = part.order_by().values("pk")[:1].query.sql_with_params()
        sql.append(f"EXISTS ({text})")
        params += values
    sql += [
        "(SELECT addresses[1] FROM inbox_channel ORDER BY id LIMIT 1)",
        "(SELECT ticket_id FROM inbox_message WHERE direction = %s ORDER BY id LIMIT 1)",
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(sql)}", [*params, Direction.IN])
        *done, address, ticket = cursor.fetchone()
    return [bool(one) for one in done], address or "", ticket


def steps(agent: Agent) -> list[Step]:
    """The steps while one of them is left, for those who may take them; nothing once they are done or put away."""
    if not may(agent, Right.CHANNELS):
        return []
    (away, channel, colleague, received, answered), address, ticket = _facts(agent)
    if away or (channel and received and answered and colleague):
        return []
    told = (
        (_("Connect a mailbox"), _("What customers write to it becomes tickets; answers leave from it."), channel),
        (
            _("Receive the first message"),
            _("Write to %(address)s from an address of your own. It appears here by itself.") % {"address": address}
            if address
            else _("Write to the mailbox from an address of your own. It appears here by itself."),
            received,
        ),
        (_("Answer it"), _("Open the ticket, press r, write, and send with Ctrl and Enter."), answered),
        (_("Invite a colleague"), _("They get a link, set a password and see the same inbox."), colleague),
    )
    urls = (
        reverse("settings-channel-connect", args=["email"]),
        reverse("settings-channels"),
        reverse("ticket", args=[ticket]) if ticket else reverse("inbox"),
        reverse("settings-invite"),
    )
    return [Step(label, about, url, done) for (label, about, done), url in zip(told, urls, strict=True)]


def put_away() -> None:
    """Show the steps to nobody any more."""
    Setting.objects.update_or_create(pk=KEY, defaults={"value": "put away"})
