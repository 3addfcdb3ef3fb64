"""Merge: one matter that came as two tickets becomes one; the source is locked and points to where it went."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, calls, counts, drafts, links, mentions, states
from inbox.actions.errors import ActionError
from inbox.actions.reply import change_status
from inbox.models import (
    Agent,
    Direction,
    Engagement,
    LinkKind,
    Message,
    Participant,
    ParticipantRole,
    SideConversation,
    Status,
    Tag,
    Ticket,
    TicketFollower,
    TicketLink,
)

STATUS = ("status", "solved_at", "reopen_count")  # what opening a ticket again changes


def merge(source: Ticket, into: Ticket, *, by: Agent | None) -> Ticket:
    """Move all of `source` into `into` and close `source`; replies to it follow. Returns the target.

    Raises ActionError. The event of the merge names all that moved, so that it can be undone.
    """
    if source.pk == into.pk:
        raise ActionError(_("A ticket cannot be merged into itself."), "same")
    with transaction.atomic():
        _lock_messages(Message.objects.filter(ticket=source.pk))
        numbers = sorted([source.pk, into.pk])
        rows = {t.pk: t for t in Ticket.objects.select_for_update(no_key=True).filter(pk__in=numbers).order_by("pk")}
        gone, kept = rows[source.pk], rows[into.pk]
        if gone.merged_into_id == kept.pk:
            return kept
        for ticket in (gone, kept):
            if ticket.merged_into_id is not None:
                raise ActionError(_("Ticket #%(number)s is merged already.") % {"number": ticket.pk}, "merged")
            if ticket.trashed_at is not None:
                raise ActionError(
                    _("Ticket #%(number)s is in the trash; restore it first.") % {"number": ticket.pk}, "trashed"
                )
        if kept.status == Status.CLOSED:
            raise ActionError(_("Ticket #%(number)s takes no more messages.") % {"number": kept.pk}, "closed")
        moved = list(Message.objects.filter(ticket=gone).values_list("pk", flat=True))
        engagements = list(Engagement.objects.filter(ticket=gone).values_list("pk", flat=True))
        Message.objects.filter(pk__in=moved).update(ticket=kept)
        mentions.follow(moved, kept)
        Engagement.objects.filter(pk__in=engagements).update(ticket=kept)
        SideConversation.objects.filter(ticket=gone).update(ticket=kept)
        came = {"participants": _take_participants(gone, kept, by), "followers": _take_followers(gone, kept)}
        drafts.move(gone, kept)
        linked = links.move(gone, kept)
        TicketLink.objects.get_or_create(source=gone, target=kept, kind=LinkKind.MERGED)
        before, now = gone.status, timezone.now()
        gone.status, gone.merged_into, gone.closed_at, gone.waiting_since = Status.CLOSED, kept, now, None
        tags = [name for name in gone.tags if name not in kept.tags]
        channels = sorted({*gone.also_channels, gone.channel_id} - {*kept.also_channels, kept.channel_id})
        came |= {"tags": list(Tag.objects.filter(name__in=tags).values_list("pk", flat=True)), "channels": channels}
        log.record(kept, "merged_from", by=by, source=gone.pk)
        kept.tags += tags
        kept.also_channels = sorted([*kept.also_channels, *channels])
        fields, stood = ["tags", "also_channels"], states.of(kept, STATUS)
        if kept.is_done and before in {Status.OPEN, Status.PENDING, Status.ON_HOLD}:
            fields += change_status(kept, before, by=by, why="merge")  # not answered there: not answered here
        what = {"messages": sorted(moved), "engagements": engagements, "links": linked, "came": came}
        log.record(gone, "merged", by=by, into=kept.pk, was=before, kept=[stood, states.of(kept, STATUS)], **what)
        base.save(gone, "status", "merged_into", "closed_at", "waiting_since")
        base.save(kept, *fields)
        counts.recount(kept)
        base.said(numbers, moved)
        return kept


def _lock_messages(messages: QuerySet[Message]) -> None:
    """Messages first, then tickets, as delivery locks them."""
    list(messages.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _take_followers(gone: Ticket, kept: Ticket) -> list[int]:
    """Ids of the agents who follow `kept` from now on."""
    there = set(TicketFollower.objects.filter(ticket=kept).values_list("agent", flat=True))
    theirs = TicketFollower.objects.filter(ticket=gone).exclude(agent__in=there).values_list("agent", flat=True)
    came = list(theirs)
    TicketFollower.objects.bulk_create(
        [TicketFollower(agent_id=agent, ticket=kept) for agent in came], ignore_conflicts=True
    )
    return came


def _take_participants(gone: Ticket, kept: Ticket, by: Agent | None) -> list[int]:
    """Ids of the participants of `kept` that there are more."""
    here = set(Participant.objects.filter(ticket=kept).values_list("identity_id", flat=True))
    made = Participant.objects.bulk_create(
        [
            Participant(
                ticket=kept,
                identity_id=participant.identity_id,
                role=ParticipantRole.CC if participant.role == ParticipantRole.REQUESTER else participant.role,
                confirmed=participant.confirmed,
                added_by=by,
            )
            for participant in Participant.objects.filter(ticket=gone, until__isnull=True)
            if participant.identity_id not in here
        ]
    )
    return [one.pk for one in made]


def _give_back(kept: Ticket, came: dict[str, list[int]], stood: list[states.State] | None) -> list[str]:
    """Take from `kept` what came to it with a ticket that leaves again; returns the fields to be saved.

    Who has written there since stays in copy, what its other messages came by stays one of its channels, and a status
    that was chosen since stays.
    """
    still = Message.objects.filter(ticket=kept, deleted_at__isnull=True)
    wrote = still.filter(direction=Direction.IN).values("author_address")
    others = Participant.objects.filter(pk__in=came.get("participants", ()), ticket=kept)
    others.exclude(identity__value__in=wrote).delete()
    TicketFollower.objects.filter(ticket=kept, agent__in=came.get("followers", ())).delete()
    names = set(Tag.objects.filter(pk__in=came.get("tags", ())).values_list("name", flat=True))
    kept.tags = [name for name in kept.tags if name not in names]
    used = set(still.values_list("channel", flat=True))
    kept.also_channels = [pk for pk in kept.also_channels if pk not in came.get("channels", ()) or pk in used]
    fields = ["tags", "also_channels"]
    if stood and stood[0] != stood[1] == states.of(kept, STATUS):
        log.record(kept, "status_changed", by=None, undo=True, **{"from": kept.status, "to": stood[0]["status"]})
        for name, value in stood[0].items():
            setattr(kept, name, states.moment(value) if name.endswith("_at") else value)
        fields += STATUS
    return fields


def unmerge(source: Ticket, *, by: Agent | None) -> Ticket:
    """Undo a merge: what it moved goes back to `source`, which opens again. Returns `source`.

    What was written to the other ticket since stays there, and what left that one since stays where it is. Raises
    ActionError.
    """
    with transaction.atomic():
        into = Ticket.objects.values_list("merged_into", flat=True).get(pk=source.pk)
        if into is None:
            raise ActionError(_("Ticket #%(number)s is not merged.") % {"number": source.pk}, "not_merged")
        was = source.events.filter(kind="merged").order_by("-pk").values_list("data", flat=True).first() or {}
        # Merged when the event did not yet name what moved: by where it began.
        moving = Q(pk__in=was["messages"]) if "messages" in was else Q(first_ticket=source.pk)
        _lock_messages(Message.objects.filter(moving, ticket=into))
        numbers = sorted([source.pk, into])
        rows = {t.pk: t for t in Ticket.objects.select_for_update(no_key=True).filter(pk__in=numbers).order_by("pk")}
        back, kept = rows[source.pk], rows[into]
        if back.merged_into_id != kept.pk:
            raise ActionError(_("Ticket #%(number)s is not merged.") % {"number": source.pk}, "not_merged")
        if kept.merged_into_id is not None:
            raise ActionError(_("Ticket #%(number)s is merged already.") % {"number": kept.pk}, "merged")
        moved = list(Message.objects.filter(moving, ticket=kept).values_list("pk", flat=True))
        if "engagements" in was:
            engaged = Engagement.objects.filter(ticket=kept, pk__in=was["engagements"])
        else:
            engaged = calls.engagements_of(kept, moved)
        engaged.update(ticket=back)
        Message.objects.filter(pk__in=moved).update(ticket=back)
        mentions.follow(moved, back)
        SideConversation.objects.filter(messages__in=moved).update(ticket=back)
        Message.objects.filter(side__ticket=back, ticket=kept).update(ticket=back)  # what was said there since
        TicketLink.objects.filter(source=back, target=kept, kind=LinkKind.MERGED).delete()
        links.move(kept, back, only=was.get("links", ()))
        back.merged_into, back.closed_at = None, None
        back.status = str(was.get("was") or Status.OPEN)
        if back.status == Status.CLOSED:
            back.closed_at = timezone.now()
        log.record(back, "unmerged", by=by, **{"from": kept.pk, "status": back.status})
        log.record(kept, "unmerged_from", by=by, source=back.pk)
        base.save(back, "merged_into", "closed_at", "status")
        base.save(kept, *_give_back(kept, was.get("came", {}), was.get("kept")))
        counts.recount(back)
        counts.recount(kept)
        base.said(numbers, moved)
        return back
