"""Why somebody is not asked: the first reason that holds, as its survey's page counts them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inbox import wishes
from inbox.actions.recipients import choose_channel, last_inbound
from inbox.adapters import adapter_for
from inbox.models import AuthorKind, Channel, DeliveryState, Direction, Event, Message, Origin, Status, Ticket
from reports.models import Answer, Asking, AskingState, Survey
from reports.surveys import rules
from reports.surveys.rules import When

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DONE = (Status.SOLVED.value, Status.CLOSED.value)

REASONS: dict[str, StrOrPromise] = {
    "off": _("the survey was switched off meanwhile"),
    "spam": _("spam"),
    "merged": _("merged into another ticket"),
    "trashed": _("in the trash"),
    "erased": _("the customer was erased"),
    "imported": _("imported from another system"),
    "internal": _("the customer wrote nothing"),
    "elsewhere": _("they wrote nowhere that the survey is for"),
    "unanswered": _("nobody of us answered"),
    "automatic": _("a robot or a mailing list wrote"),
    "reopened": _("opened again, or solved anew, meanwhile"),
    "waits": _("they wait for our answer"),
    "rated": _("they gave a rating by themselves"),
    "other": _("another survey of this kind asks them"),
    "often": _("asked not long ago"),
    "today": _("asked something else within a day"),
    "sample": _("not in the sample"),
    "opted_out": _("the customer wants no such messages"),
    "window_closed": _("the messenger lets nothing through any more"),
    "channel": _("the channel is paused or cannot send"),
    "public": _("everybody could read it"),
    "unreachable": _("no address on the channel"),
    "late": _("too late to be of use"),
}
A_DAY = timedelta(days=1)  # between two questions of different kinds to one customer
TOO_LATE = timedelta(days=2)  # after its time, when nobody asked because nothing ran


def in_sample(survey: Survey, key: str) -> bool:
    """Chance that is the same each time it is asked for."""
    digest = hashlib.sha256(f"{survey.pk}:{key}".encode()).digest()
    return int.from_bytes(digest[:4]) % 100 < rules.of(survey).sample


def of_ticket(ticket: Ticket) -> str:
    """Why nobody is ever asked about this ticket, as it is now; empty where they may be."""
    if ticket.spam:
        return "spam"
    if ticket.merged_into_id is not None:
        return "merged"
    if ticket.trashed_at is not None:
        return "trashed"
    if ticket.erased_at is not None or ticket.customer.erased_at is not None:
        return "erased"
    said = Message.objects.conversation().filter(ticket=ticket)
    if said.filter(origin=Origin.IMPORT).exists():
        return "imported"
    if ticket.last_customer_message_at is None:
        return "internal"
    ours = said.filter(Q(author_kind=AuthorKind.AGENT) | Q(origin=Origin.ECHO), direction=Direction.OUT)
    if not ours.exclude(state__in=[DeliveryState.FAILED, DeliveryState.CANCELLED]).exists():
        return "unanswered"
    last = last_inbound(ticket)
    return "automatic" if last is not None and last.suppress_auto_reply else ""


def solved_otherwise(asking: Asking, ticket: Ticket) -> bool:
    """Whether the solve that is asked about stands no more, or is not the last one."""
    if not ticket.is_done:
        return True
    since = Event.objects.filter(ticket=ticket, kind="status_changed", pk__gt=asking.event, data__to__in=DONE)
    return since.exclude(data__undo=True).exclude(data__from__in=DONE).exists()


def recently(survey: Survey, customer_id: int, now: datetime) -> bool:
    """Whether they were asked a question of this kind within the days that its rules say."""
    since = now - timedelta(days=rules.of(survey).every)
    asked = Answer.objects.filter(customer=customer_id, survey__kind=survey.kind, unasked=False, asked_at__gt=since)
    return asked.filter(failed_at__isnull=True).exists()


def today(survey: Survey, customer_id: int, now: datetime) -> bool:
    """Whether another kind of question left to them within a day: two at once are a burden, and few answer both."""
    asked = Answer.objects.filter(customer=customer_id, unasked=False, asked_at__gt=now - A_DAY, failed_at__isnull=True)
    return asked.exclude(survey__kind=survey.kind).exists()


def waits_already(asking: Asking) -> bool:
    """Whether an earlier asking of this kind waits for the same customer's same ticket."""
    waiting = Asking.objects.filter(customer=asking.customer_id, state=AskingState.WAITING, ticket=asking.ticket_id)
    others = waiting.filter(survey__kind=asking.survey.kind, event=asking.event, pk__lt=asking.pk)
    return others.exclude(survey=asking.survey_id).exists()


def to_ask_now(asking: Asking, ticket: Ticket, now: datetime) -> str:
    """Why they are not asked now that the time has come; empty where they are."""
    survey = asking.survey
    chosen = rules.of(survey)
    if not survey.active:
        return "off"
    if asking.due_at < now - TOO_LATE:
        return "late"
    if why := of_ticket(ticket):
        return why
    if chosen.when in {When.SOLVED, When.LATER} and solved_otherwise(asking, ticket):
        return "reopened"
    if chosen.when == When.PERIODIC and ticket.waiting_since is not None:
        return "waits"
    given = Answer.objects.filter(ticket=ticket, unasked=True, survey__kind=survey.kind)
    if given.filter(answered_at__gt=now - timedelta(days=chosen.every)).exists():
        return "rated"
    if waits_already(asking):
        return "other"
    if recently(survey, ticket.customer_id, now):
        return "often"
    if today(survey, ticket.customer_id, now):
        return "today"
    return of_channel(ticket, choose_channel(ticket)[0])


def of_channel(ticket: Ticket, channel: Channel) -> str:
    """Why nothing can leave there now."""
    adapter = adapter_for(channel.kind)
    if wishes.refusal(ticket, channel, automatic=True):
        return "opted_out"
    if not adapter.may_reply(ticket, channel).allowed:
        return "window_closed"
    return "channel" if channel.paused or not adapter.may_send(channel).allowed else ""
