"""What webhooks can tell: public names, and the lines of the log (`inbox.log`) that they come from.

The names are a promise, as is everything in docs/webhooks.md. A line whose kind is not here makes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from inbox.models import Event, Status

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PING = "ping"
ERASED = "customer_erased"

# Name → what it tells, in the order and groups that people see.
GROUPS: list[tuple[StrOrPromise, dict[str, StrOrPromise]]] = [
    (
        _("Tickets"),
        {
            "ticket.created": _("A ticket was opened."),
            "ticket.updated": _("Something about a ticket changed: status, priority, subject, tags, snooze, spam…"),
            "ticket.assigned": _("A ticket was given to somebody or to a team, or taken from them."),
            "ticket.solved": _("A ticket was solved."),
            "ticket.reopened": _("A solved ticket was opened again."),
            "ticket.closed": _("A ticket was closed for good."),
            "ticket.merged": _("A ticket was merged into another one."),
        },
    ),
    (
        _("Messages"),
        {
            "message.received": _("A customer wrote."),
            "message.created": _("An answer was written; it leaves next."),
            "message.sent": _("An answer left: the far server took it."),
            "message.delivered": _("An answer arrived at the customer's."),
            "message.read": _("The customer read an answer."),
            "message.failed": _("An answer could not be delivered."),
            "message.refused": _("An answer was refused for some of its recipients."),
            "message.moved": _("A message was moved to another ticket."),
            "message.scheduled": _("An answer was written that leaves later."),
            "message.cancelled": _("An answer that was to leave later does not."),
            "message.logged": _("A call or a visit was logged."),
            "note.added": _("Somebody left a note."),
            "side.received": _("A third party answered in a side conversation."),
            "side.created": _("A message to a third party was written; it leaves next."),
        },
    ),
    (
        _("Live chat"),
        {
            "chat.requested": _("A visitor asked for a human."),
            "chat.accepted": _("An agent took a chat."),
            "chat.transferred": _("A chat was handed to a colleague or a team."),
            "chat.ended": _("A chat is over."),
            "chat.rated": _("A visitor rated a chat."),
        },
    ),
    (
        _("Surveys"),
        {
            "survey.asked": _("A customer was asked a survey."),
            "survey.answered": _("A customer answered a survey, or rated a chat."),
            "survey.changed": _("A customer changed an answer, or wrote something beside it."),
            "survey.failed": _("A survey did not reach its customer."),
        },
    ),
    (
        _("Customers"),
        {
            "customer.created": _("A customer was entered here."),
            "customer.updated": _("Something about a customer was changed here."),
            "customer.merged": _("A customer was merged into another one."),
            "customer.erased": _("A customer was erased for ever; forget them, too."),
        },
    ),
    (
        _("Channels"),
        {
            "channel.created": _("A channel was connected."),
            "channel.updated": _("Settings of a channel were changed."),
            "channel.failing": _("A channel can no longer receive or send."),
            "channel.recovered": _("A channel works again."),
        },
    ),
]
KINDS: dict[str, StrOrPromise] = {kind: about for _label, kinds in GROUPS for kind, about in kinds.items()}


def _status(data: dict[str, Any]) -> tuple[str, ...]:
    special = {Status.SOLVED.value: "ticket.solved", Status.CLOSED.value: "ticket.closed"}.get(data.get("to", ""))
    return (special, "ticket.updated") if special else ("ticket.updated",)


_UPDATED = ("ticket.updated",)
# Kind of the log → public names, the most specific first.
_NAMES: dict[str, tuple[str, ...] | Callable[[dict[str, Any]], tuple[str, ...]]] = {
    "ticket_created": ("ticket.created",),
    "status_changed": _status,
    "priority_changed": _UPDATED,
    "subject_changed": _UPDATED,
    "tags_changed": _UPDATED,
    "spam_changed": _UPDATED,
    "trashed": _UPDATED,
    "restored": _UPDATED,
    "snoozed": _UPDATED,
    "fields_changed": _UPDATED,
    "unmerged": _UPDATED,
    "participant_confirmed": _UPDATED,
    "participant_added": _UPDATED,
    "participant_removed": _UPDATED,
    "requester_changed": _UPDATED,
    "link_added": _UPDATED,
    "link_removed": _UPDATED,
    "assigned": ("ticket.assigned", "ticket.updated"),
    "reopened": ("ticket.reopened",),
    "merged": ("ticket.merged", "ticket.updated"),
    "message_received": ("message.received",),
    "message_added": ("message.created",),
    "message_sent": ("message.sent",),
    "message_delivered": ("message.delivered",),
    "message_read": ("message.read",),
    "message_failed": ("message.failed",),
    "message_unknown": ("message.failed",),
    "message_refused": ("message.refused", "message.failed"),
    "message_moved": ("message.moved",),
    "message_scheduled": ("message.scheduled",),
    "message_cancelled": ("message.cancelled",),
    "message_logged": ("message.logged",),
    "note_added": ("note.added",),
    "side_message_received": ("side.received",),
    "side_message_added": ("side.created",),
    "chat_requested": ("chat.requested",),
    "chat_accepted": ("chat.accepted",),
    "chat_transferred": ("chat.transferred",),
    "chat_ended": ("chat.ended",),
    "chat_rated": ("chat.rated",),
    "survey_asked": ("survey.asked",),
    "survey_answered": ("survey.answered",),
    "survey_changed": ("survey.changed",),
    "survey_failed": ("survey.failed",),
    "customer_created": ("customer.created",),
    "customer_changed": ("customer.updated",),
    "identity_added": ("customer.updated",),
    "identity_retired": ("customer.updated",),
    "customer_merged": ("customer.merged", "customer.updated"),
    ERASED: ("customer.erased",),
    "channel_created": ("channel.created",),
    "channel_changed": ("channel.updated",),
    "channel_failing": ("channel.failing",),
    "channel_recovered": ("channel.recovered",),
}


def names(event: Event) -> tuple[str, ...]:
    """The public names of this line of the log, the most specific first; none for what is not told."""
    found = _NAMES.get(event.kind, ())
    return found(event.data) if callable(found) else found


def customer_of(event: Event) -> int | None:
    """The customer that an event without a ticket is about; of a merge the one that stays."""
    if event.ticket_id is not None:
        return None
    found = event.data.get("into" if event.kind == "customer_merged" else "customer")
    return found if isinstance(found, int) else None
