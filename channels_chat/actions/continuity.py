"""A visitor who is gone gets by e-mail what they did not see any more; the widget shows it next time all the same.

It is one mail in the same ticket (`inbox.actions.carrying`), with our signed ids: the customer's answer comes back into
the ticket, and proves their address. What is marked as carried in the transaction of the mail's row is never carried
again, whoever dies when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import config, history, letters
from channels_chat.actions import presence
from channels_chat.models import Chat, Visitor
from inbox import log
from inbox.actions import carrying, customers
from inbox.actions.work import is_ours, our_addresses
from inbox.adapters import kinds
from inbox.models import Attachment, AuthorKind, Channel, DeliveryState, Direction, Message, Ticket
from inbox.models.messages import MessageQuerySet

AFTER = timedelta(seconds=60)
PATIENCE = 5  # times that, while somebody here goes on writing
MOST = 100  # visitors a round
MOST_SAID = 100  # messages of one mail
MOST_BYTES = 15 * 1024 * 1024  # of files in one mail
TOO_OLD = timedelta(days=7)


def after(channel: Channel) -> timedelta | None:
    """How long a visitor must be gone before their mail; None where the channel sends none.

    Where nobody has decided, answers go on by e-mail; `"continuity": null` says no.
    """
    chosen = channel.settings.get("continuity", {})
    return None if chosen is None else timedelta(seconds=int(chosen.get("after") or AFTER.seconds))


def mailbox(channel: Channel) -> Channel | None:
    """Through which mailbox that can send: the one that the settings name, else one of the brand, else the oldest."""
    slug = (config.of(channel).continuity or {}).get("channel")
    adapters = {kind: one for kind, one in kinds().items() if one.identity_kind == "email"}
    found = Channel.objects.filter(kind__in=adapters, paused=False).select_related("brand").order_by("pk")
    able = [one for one in found if adapters[one.kind].may_send(one).allowed and (not slug or one.slug == slug)]
    return min(able, key=lambda one: (one.brand_id != channel.brand_id, one.pk), default=None)


def owe(message: Message) -> None:
    """A person wrote to a visitor: until their page shows it, it may have to go by e-mail."""
    if message.author_kind != AuthorKind.AGENT:
        return
    theirs = Visitor.objects.filter(channel=message.channel_id, chats__engagement__ticket=message.ticket_id)
    ids = list(theirs.values_list("pk", flat=True).distinct())
    Visitor.objects.filter(pk__in=ids, owed_at__isnull=True).update(owed_at=timezone.now())


def unseen(visitor: Visitor) -> MessageQuerySet:
    """What was said to this visitor that no page of theirs has shown, and no mail has brought."""
    to_them = Q()
    for name in history.addresses_of(visitor):
        to_them |= Q(to__contains=[{"address": name}])
    tickets = Chat.objects.filter(visitor=visitor).values("engagement__ticket")
    return (
        Message.objects.conversation()
        .said()
        .filter(to_them, ticket__in=tickets, channel=visitor.channel_id, direction=Direction.OUT)
        .filter(state__in=[DeliveryState.SENT, DeliveryState.DELIVERED])  # a page had it, and nobody looked
        .filter(author_kind__in=[AuthorKind.AGENT, AuthorKind.BOT])
        .filter(created_at__gt=timezone.now() - TOO_OLD)
        .exclude(payload__has_key="carried")
    )


def sweep() -> int:
    """Write to visitors who are gone and have not seen our answer; returns how many mails are queued."""
    now = timezone.now()
    owed = Visitor.objects.filter(owed_at__isnull=False)
    count = 0
    for channel in Channel.objects.filter(pk__in=owed.values("channel")).order_by("pk"):
        grace = after(channel)
        here = owed.filter(channel=channel)
        if grace is None:
            here.update(owed_at=None)
            continue
        due = here.filter(_gone(now - grace), owed_at__lte=now - grace)
        for pk in due.order_by("owed_at").values_list("pk", flat=True)[:MOST]:
            count += _continue(pk, now, grace)
    return count


def _gone(since: datetime) -> Q:
    """Of visitors: no page of theirs is here, since then. Of whom no process says anything, theirs has died."""
    unsaid = Q(ended_at__lte=since) | Q(last_seen_at__lte=since - presence.SILENT)
    return Q(gone_at__lte=since) | Q(gone_at__isnull=True) & unsaid


def _continue(pk: int, now: datetime, grace: timedelta) -> int:
    """One visitor: a mail a ticket of theirs that has something for them, most often one."""
    visitor = Visitor.objects.select_related("channel", "customer").filter(pk=pk).first()
    if visitor is None:
        return 0
    waiting = list(unseen(visitor).values_list("ticket", "created_at"))
    newest = max((at for _ticket, at in waiting), default=None)
    goes_on = newest is not None and newest > now - grace
    if goes_on and visitor.owed_at is not None and visitor.owed_at > now - PATIENCE * grace:
        return 0  # somebody is writing to them at this moment: one mail for all of it
    count = 0
    for number in sorted({ticket for ticket, _at in waiting}):
        with transaction.atomic():
            ticket = Ticket.objects.select_for_update(no_key=True).get(pk=number)
            row = Visitor.objects.select_for_update(no_key=True).filter(_gone(now - grace), pk=pk).first()
            if row is None:
                return count  # they are back
            row.channel, row.customer = visitor.channel, visitor.customer
            count += _mail(ticket, row)
    still = bool(waiting) and not count  # no mailbox or no address yet: there may be one later
    Visitor.objects.filter(pk=pk, owed_at=visitor.owed_at).update(owed_at=now if still else None)
    return count


def _mail(ticket: Ticket, visitor: Visitor) -> int:
    """Queue the mail of one ticket, which is locked; 0 where there is nothing to say, or no way."""
    if ticket.spam or ticket.trashed_at or ticket.erased_at or ticket.merged_into_id:
        return 0
    rows = unseen(visitor).filter(ticket=ticket).select_for_update(no_key=True, of=("self",)).order_by("pk")
    said = list(rows[:MOST_SAID])
    writers = [one for one in said if one.author_kind == AuthorKind.AGENT]
    address, box = address_of(visitor), mailbox(visitor.channel)
    if not writers or not address or box is None or _here_elsewhere(visitor, ticket):
        return 0
    files = _files(said)
    language = letters.language_of(visitor)
    with translation.override(language):
        subject, text, html = _words(visitor, ticket, said)
    mail = carrying.carry(
        ticket,
        said,
        box,
        to={"name": letters.name_of(visitor), "address": address},
        text=text,
        html=html,
        subject=subject,
        language=language,
        writer=writers[-1].agent,
        files=files,
    )
    log.record(ticket, "chat_mailed", message=mail.pk, messages=[one.pk for one in said])
    return 1


def address_of(visitor: Visitor) -> str:
    """Where mail reaches a visitor: the address that they typed, else one that is their customer's; empty for none,
    and for a customer who wants nothing by mail."""
    if visitor.customer is not None and "email" in visitor.customer.opt_outs:
        return ""
    if visitor.email:
        return "" if is_ours(visitor.email, our_addresses()) else visitor.email
    known = customers.active_values(visitor.customer_id, "email") if visitor.customer_id else []
    return known[0] if known else ""


def _here_elsewhere(visitor: Visitor, ticket: Ticket) -> bool:
    """Whether the same person chats in this ticket from another browser, and sees it there."""
    others = Visitor.objects.filter(customer=visitor.customer_id, channel=visitor.channel_id, gone_at__isnull=True)
    others = others.filter(ended_at__isnull=True, chats__engagement__ticket=ticket)
    return visitor.customer_id is not None and others.exclude(pk=visitor.pk).exists()


def _files(said: Sequence[Message]) -> list[Attachment]:
    """The files of these messages, as many as mail takes; the others are named in the text alone."""
    found, total = [], 0
    for file in Attachment.objects.filter(message__in=said).exclude(stored="").order_by("pk"):
        if total + file.size <= MOST_BYTES:
            found.append(file)
            total += file.size
    return found


def _words(visitor: Visitor, ticket: Ticket, said: Sequence[Message]) -> tuple[str, str, str]:
    """Subject, text and HTML of the mail, in the language that is active."""
    shop = config.of(visitor.channel).name
    asked = Message.objects.conversation().filter(ticket=ticket, direction=Direction.IN).order_by("pk")
    subject = letters.subject_of(ticket.subject or letters.first_words(asked[:1]), shop)
    name = letters.name_of(visitor)
    opening = [_("Hello %(name)s,") % {"name": name} if name else _("Hello,")]
    opening.append(_("you had left our chat before you could read this:"))
    closing = [
        _("Just answer this mail, or go on in the chat: {}"),
        _("This address was given in a chat with %(shop)s. If that was not you, please ignore this mail.")
        % {"shop": shop},
    ]
    text, html = letters.write(opening, letters.lines(visitor, said, tamed=True), closing, letters.page_of(visitor))
    return subject, text, html
