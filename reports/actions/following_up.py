"""Closing the loop: what a survey does about a bad answer, once for each asking."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import mentions, reply, tickets
from inbox.actions.recipients import default_recipients
from inbox.adapters import Party, adapter_for
from inbox.models import Agent, LinkKind, Status, Ticket, TicketLink
from reports.models import Answer
from reports.surveys import rules, scales


def act(answer: Answer, ticket: Ticket, value: int) -> None:
    """Open the ticket again, tell somebody, give it to them: whatever the rules say of such an answer. `ticket` is
    locked, and may be one that nothing is done with any more.
    """
    chosen = rules.of(answer.survey)
    if answer.followed_up or not chosen.is_low(value) or ticket.spam or ticket.trashed_at or ticket.erased_at:
        return
    if not (chosen.reopen or chosen.tell):
        return
    answer.followed_up = True
    answer.save(update_fields=["followed_up"])
    about = ticket
    if chosen.reopen:
        about = _open(ticket)
    whom = Agent.objects.filter(pk=chosen.tell, is_active=True).first() if chosen.tell else None
    if whom is None:
        return
    with translation.override(whom.language or settings.LANGUAGE_CODE):
        text = _("%(survey)s: the customer answered %(answer)s. Please see to it, @%(name)s.") % {
            "survey": answer.survey.name,
            "answer": scales.in_words(answer.survey, value, answer.language),
            "name": whom.name,
        }
    note = reply.note(about, by=None, text=text)
    if not note.mentions.filter(agent=whom).exists():
        mentions.write(note, [whom.pk], by=None)
    if chosen.assign and about.status != Status.CLOSED:
        tickets.assign(about, by=None, agent=whom)


def add_words(answer: Answer, ticket: Ticket) -> None:
    """Whoever was told of a bad answer reads why, for the words come after the click; `ticket` is locked."""
    chosen = rules.of(answer.survey)
    if not (answer.followed_up and chosen.tell) or ticket.spam or ticket.trashed_at or ticket.erased_at:
        return
    if ticket.status == Status.CLOSED and chosen.reopen:
        links = TicketLink.objects.filter(target=ticket, kind=LinkKind.FOLLOW_UP).select_related("source")
        ticket = next((one.source for one in links.order_by("-pk")[:1]), ticket)
    whom = Agent.objects.filter(pk=chosen.tell, is_active=True).first()
    with translation.override((whom.language if whom is not None else "") or settings.LANGUAGE_CODE):
        said = _("%(survey)s: the customer wrote to their answer:") % {"survey": answer.survey.name}
    words = answer.comment.replace("@", "@\u2060")  # a customer mentions nobody of us
    reply.note(ticket, by=None, text=f"{said}\n\n{words}")


def _open(ticket: Ticket) -> Ticket:
    """The ticket, open; for one that is closed for good the follow-up that is opened for it."""
    if ticket.status != Status.CLOSED:
        return tickets.set_status(ticket, Status.OPEN, by=None) if ticket.is_done else ticket
    channel = ticket.reply_channel
    to, _copies = default_recipients(ticket, channel)
    adapter = adapter_for(channel.kind)
    party = (
        Party(adapter.identity_kind, to[0]["address"], to[0].get("name", ""), adapter.scope(channel)) if to else None
    )
    again = tickets.begin(
        by=None,
        channel=channel,
        customer=ticket.customer,
        party=party,
        subject=ticket.subject,
        team=ticket.team,
        priority=ticket.priority,
    )
    TicketLink.objects.create(source=again, target=ticket, kind=LinkKind.FOLLOW_UP)
    log.record(again, "follow_up_of", of=ticket.pk)
    return again
