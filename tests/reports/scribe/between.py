"""What happens between tickets, and between customers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from inbox.models import Agent, Customer, Message, Ticket, TicketLink
from tests.reports.scribe.tickets import DONE, Tickets, at_first


class Between(Tickets):
    def of(self, ticket: Ticket) -> list[Message]:
        return [one for one in self.rows.messages if one.ticket_id == ticket.pk]

    def link(self, source: Ticket, target: Ticket, kind: str, *, by: Agent) -> None:
        self.rows.links.append(TicketLink(source_id=source.pk, target_id=target.pk, kind=kind, created_at=self.now))
        self.record(source, "link_added", by=by, kind=kind, target=target.pk)
        self.record(target, "link_added", by=by, kind=kind, source=source.pk)

    def follows_up(self, ticket: Ticket, before: Ticket, writer: Customer) -> None:
        self.rows.links.append(
            TicketLink(source_id=ticket.pk, target_id=before.pk, kind="follow_up", created_at=self.now)
        )
        self.record(ticket, "follow_up_of", by=("customer", writer.pk), of=before.pk)

    def merge(self, gone: Ticket, kept: Ticket, *, by: Agent) -> None:
        moved = self.of(gone)
        for message in moved:
            message.ticket_id = kept.pk
        engaged = self._engaged(gone, kept)
        self.rows.links.append(TicketLink(source_id=gone.pk, target_id=kept.pk, kind="merged", created_at=self.now))
        before = gone.status
        gone.status, gone.merged_into_id, gone.closed_at = "closed", kept.pk, self.now
        stood = [kept.status]
        self.record(kept, "merged_from", by=by, source=gone.pk)
        if kept.status in DONE and before not in DONE:
            self.status(kept, before, by=by, why="merge")
        stood.append(kept.status)
        self.record(
            gone,
            "merged",
            by=by,
            into=kept.pk,
            was=before,
            kept=[{"status": one} for one in stood],
            messages=sorted(one.pk for one in moved),
            engagements=engaged,
            links=[],
            came={},
        )

    def unmerge(self, back: Ticket, kept: Ticket, *, by: Agent) -> None:
        was = [one for one in self.rows.events if one.ticket_id == back.pk and one.kind == "merged"][-1].data
        for message in self.of(kept):
            if message.pk in was["messages"]:
                message.ticket_id = back.pk
        self._engaged(kept, back, was["engagements"])
        self.rows.links[:] = [
            one for one in self.rows.links if (one.source_id, one.target_id, one.kind) != (back.pk, kept.pk, "merged")
        ]
        back.merged_into_id, back.closed_at, back.status = None, None, was["was"]
        self.record(back, "unmerged", by=by, **{"from": kept.pk, "status": back.status})
        self.record(kept, "unmerged_from", by=by, source=back.pk)
        before, after = (one["status"] for one in was["kept"])
        if before != after == kept.status:
            self.record(kept, "status_changed", undo=True, **{"from": kept.status, "to": before})
            kept.status = before

    def move(self, message: Message, source: Ticket, target: Ticket, *, by: Agent) -> None:
        message.ticket_id = target.pk
        self._engaged(source, target, self._logged_with([message.pk]))
        way: dict[str, Any] = {"from": source.pk, "to": target.pk}
        for ticket in sorted((source, target), key=lambda one: one.pk):
            self.record(ticket, "message_moved", by=by, message=message.pk, **way)

    def split(self, old: Ticket, messages: Sequence[Message], *, by: Agent) -> Ticket:
        new = Ticket(
            pk=next(self.ids["ticket"]),
            customer_id=old.customer_id,
            channel_id=old.channel_id,
            reply_channel_id=old.reply_channel_id,
            status=old.status,
            solved_at=old.solved_at,
            priority=old.priority,
            assignee_id=old.assignee_id,
            team_id=old.team_id,
            tags=list(old.tags),
            language=old.language,
            created_at=messages[0].created_at,
            last_message_at=self.now,
            updated_at=self.now,
        )
        self.rows.tickets.append(new)
        self.record(new, "ticket_created", by=by, channel=new.channel_id, **at_first(new))
        ids = sorted(one.pk for one in messages)
        for message in messages:
            message.ticket_id = new.pk
        self._engaged(old, new, self._logged_with(ids))
        self.rows.links.append(TicketLink(source_id=new.pk, target_id=old.pk, kind="child", created_at=self.now))
        way: dict[str, Any] = {"from": old.pk, "to": new.pk, "split": True}
        for pk in ids:
            self.record(new, "message_moved", by=by, message=pk, **way)
        self.record(old, "split", by=by, into=new.pk, messages=ids)
        self.record(new, "split_from", by=by, source=old.pk, messages=ids)
        return new

    def _engaged(self, old: Ticket, new: Ticket, only: Collection[int] | None = None) -> list[int]:
        """Chats and calls go over, too; returns their ids."""
        found = [one for one in self.rows.engagements if one.ticket_id == old.pk and (only is None or one.pk in only)]
        for one in found:
            one.ticket_id = new.pk
        return [one.pk for one in found]

    def _logged_with(self, messages: Collection[int]) -> list[int]:
        names = {f"message:{pk}" for pk in messages}
        return [one.pk for one in self.rows.engagements if one.external_id in names]

    def join(self, gone: Customer, kept: Customer, *, by: Agent) -> list[Any]:
        """Two customers turn out to be one; returns what went over."""
        moved: list[Any] = []
        rows: list[Any] = [*self.rows.tickets, *self.rows.messages, *self.rows.answers]
        for one in rows:
            if one.customer_id == gone.pk:
                one.customer_id = kept.pk
                moved.append(one)
        gone.merged_into_id = kept.pk
        self.record(None, "customer_merged", by=by, customer=gone.pk, into=kept.pk, merge=0)
        return moved

    def part(self, back: Customer, kept: Customer, moved: Sequence[Any], *, by: Agent) -> None:
        """They are two after all: what went over goes back, and what came since stays."""
        for one in moved:
            if one.customer_id == kept.pk:
                one.customer_id = back.pk
        back.merged_into_id = None
        self.record(None, "customer_unmerged", by=by, customer=back.pk, merge=0, **{"from": kept.pk})
