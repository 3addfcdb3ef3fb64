"""How a comment can be answered now: where everybody reads it, or in private; and what stands in the way.

Meta lets one private message through for each comment, within a week; what they answer to that goes on as any talk.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from channels_social.messenger import spoke_in_public
from inbox.actions.errors import ActionError
from inbox.adapters import Panel, Party
from inbox.models import Channel, Direction, Message, Participant, Status, Ticket

if TYPE_CHECKING:
    from channels_social.meta import MetaAdapter
    from channels_social.meta_send import Rules

DAY, WEEK = timedelta(hours=24), timedelta(days=7)
PUBLIC, PRIVATE, HUMAN_AGENT = "public", "private", "human_agent"  # the last one: in private, after the window
URL = re.compile(r"https?://\S+", re.IGNORECASE)
TAG = re.compile(r"(?<!\w)#\w+")


def panel(adapter: MetaAdapter, ticket: Ticket, channel: Channel, chosen: str) -> Panel:
    """In public or in private: what cannot be chosen says why, before anything is written. `chosen` is a way that was
    chosen already, perhaps days ago.
    """
    talk, comment = talk_in_private(ticket, channel), last_comment(ticket, channel)
    going_on = talk is not None and goes_on(talk, comment)
    private, shut = PRIVATE, {PUBLIC: "", PRIVATE: ""}
    if comment is None:
        shut[PUBLIC] = _("There is no comment here that could be answered so.")
    elif comment.payload.get("live"):
        shut[PUBLIC] = _("Comments of a live broadcast can be answered in private alone.")
    if talk is not None and going_on:
        verdict = adapter.verdict_of(talk)
        if not verdict.allowed and verdict.allows:
            private = next(iter(verdict.allows))
        elif not verdict.allowed:
            shut[PRIVATE] = str(verdict.reason)
    elif comment is None:
        shut[PRIVATE] = shut[PUBLIC]
    elif (why := no_private(ticket, comment)) is not None:
        shut[PRIVATE] = str(why.reason)
    first = PRIVATE if chosen in {PRIVATE, HUMAN_AGENT} or (chosen != PUBLIC and talk is not None) else PUBLIC
    if shut[first]:  # what is for one alone does not become public by itself: its writer chooses anew
        first = PRIVATE if first == PUBLIC else ""
    person = {"person": talk.author_address} if talk is not None and going_on else {}
    told = {
        "ways": [(PUBLIC, first == PUBLIC, shut[PUBLIC]), (private, first == PRIVATE, shut[PRIVATE])],
        "late": private != PRIVATE,
        "anew": not first,
        "asks": not spoke_in_public(ticket),
        "private_first": talk is not None,
    }
    takes = {
        PUBLIC: adapter.takes(ticket, channel, {"way": PUBLIC}),
        private: adapter.takes(ticket, channel, {"way": PRIVATE} | person),
    }
    return Panel("channels_social/_comment_ways.html", told, takes=takes)


def no_private(ticket: Ticket, comment: Message) -> ActionError | None:
    """Why a comment cannot be answered in private any more: that is one message for each, within a week."""
    if comment.created_at + WEEK < timezone.now():
        return ActionError(_("A comment can be answered in private for seven days; they are over."), "window_closed")
    mine = Message.objects.filter(ticket=ticket, payload__private=True, payload__answers=comment.external_id)
    if mine.exclude(state__in=["failed", "cancelled"]).exists():
        return ActionError(
            _("This comment was answered in private already: Meta lets one message through, until they answer."),
            "private",
        )
    return None


def too_many(rules: Rules, text: str) -> str:
    """Why an answer with so many addresses and hashtags is not let through under a comment; empty if it is."""
    urls, tags = len(URL.findall(text)), len(TAG.findall(text))
    if rules.comment_urls is not None and urls > rules.comment_urls:
        return _("%(platform)s takes one link in an answer under a comment: leave one.") % {"platform": rules.platform}
    if rules.comment_tags is not None and tags > rules.comment_tags:
        told = {"platform": rules.platform, "most": rules.comment_tags}
        return _("%(platform)s takes %(most)s hashtags in an answer under a comment: leave some out.") % told
    return ""


def goes_on(talk: Message, comment: Message | None) -> bool:
    """Whether an answer in private goes on with what they said there, and does not begin with their comment."""
    return comment is None or talk.pk > comment.pk or talk.created_at + DAY > timezone.now()


def last_comment(ticket: Ticket, channel: Channel) -> Message | None:
    """The newest comment of somebody else, which an answer is about."""
    here = Message.objects.conversation().filter(ticket=ticket, channel=channel, direction=Direction.IN)
    found = here.filter(payload__public=True, withdrawn_at__isnull=True, deleted_at__isnull=True)
    return found.exclude(external_id="").order_by("-pk").first()


def talk_in_private(ticket: Ticket, channel: Channel) -> Message | None:
    """What they answered last in private, in a ticket about comments."""
    last = Message.objects.conversation().filter(ticket=ticket, channel=channel, direction=Direction.IN)
    found = last.exclude(payload__has_key="public").exclude(author_address="").order_by("-pk").first()
    return found if found is not None and found.deleted_at is None else None


def private_answer(channel: Channel, who: Party) -> str:
    """Our private answer to a comment of theirs of the last days, whose ticket is not done: the id of that message."""
    here = Participant.objects.filter(
        identity__kind=who.kind, identity__scope=who.scope, identity__value=who.value, ticket__channel=channel
    ).exclude(ticket__thread_key="")
    open_ones = here.exclude(ticket__status__in=[Status.SOLVED, Status.CLOSED]).values("ticket")
    found = Message.objects.filter(
        ticket__in=open_ones,
        direction=Direction.OUT,
        payload__private_to=who.value,
        created_at__gt=timezone.now() - WEEK,
    )
    return found.exclude(external_id="").order_by("-pk").values_list("external_id", flat=True).first() or ""
