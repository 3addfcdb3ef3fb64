"""/tickets/: the list, one ticket, its messages and its log."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import concurrency
from api.serializers.common import address
from api.serializers.messages import MessageIn, MessageOut
from api.serializers.sides import SideIn, SideOut
from api.serializers.tickets import (
    EventOut,
    LinkIn,
    LinkOut,
    MergeIn,
    SplitIn,
    TicketFilters,
    TicketIn,
    TicketOut,
    TicketPatch,
)
from api.views.base import View
from inbox import access
from inbox.actions import blocks, calls, erasing, links, merge, reply, side, split, tickets, trash
from inbox.models import Agent, Message, Ticket, TicketLink
from inbox.rights import Right

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of what you saw; 412 when it has changed since."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of what you have; 304 when it is still so."
)
LINK = OpenApiParameter("link", int, OpenApiParameter.PATH, description="The id of the link.")
OWNER = {"assignee": "agent", "team": "team"}


def set_spam(ticket: Ticket, spam: bool, *, by: Agent | None) -> Ticket:
    return tickets.set_spam(ticket, True, by=by) if spam else blocks.release(ticket, by=by)


def set_trashed(ticket: Ticket, trashed: bool, *, by: Agent | None) -> Ticket:
    return (trash.trash if trashed else trash.restore)(ticket, by=by)


SETTERS: dict[str, Callable[..., Ticket]] = {
    "status": tickets.set_status,
    "priority": tickets.set_priority,
    "subject": tickets.set_subject,
    "tags": tickets.set_tags,
    "spam": set_spam,
    "trashed": set_trashed,
    "snoozed_until": tickets.snooze,
}


class TicketView(View):
    lookup_field = "number"
    queries = {"list": TicketFilters}

    def sees(self, name: Any) -> None:
        access.get_ticket(self.agent, name)

    def shown(self, number: int) -> dict[str, Any]:
        """The ticket's JSON as it is now."""
        access.get_ticket(self.agent, number)
        return dict(TicketOut(TicketOut.with_all(Ticket.objects.all()).get(pk=number)).data)

    @extend_schema(operation_id="tickets_list", responses=TicketOut(many=True))
    def list(self, request: Request) -> Response:
        """Tickets that this agent may see, spam and merged ones included; those in the trash only with `trashed`."""
        found = TicketFilters.apply(access.tickets(self.agent), self.filters)
        return self.page(TicketOut.with_all(found), TicketOut)

    @extend_schema(operation_id="tickets_open", request=TicketIn, responses={201: TicketOut})
    def create(self, request: Request) -> Response:
        """Open a ticket: with a customer's message (`in`), or with one of ours that is sent to them (`out`)."""
        self.require(Right.ANSWER)
        ticket = tickets.open_ticket(by=self.agent, **self.taken(TicketIn))
        return Response(
            self.shown(ticket.number), status=201, headers={"Location": address(f"/api/v1/tickets/{ticket.number}/")}
        )

    @extend_schema(
        operation_id="tickets_get",
        responses={200: TicketOut, 304: OpenApiResponse(description="It is as you have it.")},
        parameters=[IF_NONE_MATCH],
    )
    def retrieve(self, request: Request, number: int) -> Response:
        """One ticket; `ETag` names its state."""
        return concurrency.answer(request, self.shown(number))

    @extend_schema(operation_id="tickets_erase", responses={204: None})
    def destroy(self, request: Request, number: int) -> Response:
        """Erase for good what was said in a ticket that lies in the trash; 409 while it does not."""
        ticket = access.writable_ticket(self.agent, number)
        self.require(Right.ERASE)
        trash.erase(ticket, by=self.agent)
        return Response(status=204)

    @extend_schema(operation_id="tickets_change", request=TicketPatch, responses=TicketOut, parameters=[IF_MATCH])
    def partial_update(self, request: Request, number: int) -> Response:
        """Change what is named: all of it, or nothing."""
        ticket = access.writable_ticket(self.agent, number)
        asked = self.taken(TicketPatch, before=ticket.attributes)
        with transaction.atomic():
            if {"spam", "trashed"} & set(asked):
                erasing.lock_messages(ticket)  # what waits is taken back; messages are locked before tickets
            Ticket.objects.select_for_update(no_key=True, of=("self",)).get(pk=ticket.pk)
            if "If-Match" in request.headers:
                concurrency.require_match(request, self.shown(ticket.pk))
            if asked.get("trashed") is False:
                trash.restore(ticket, by=self.agent)
            owner = {new: asked.pop(name) for name, new in OWNER.items() if name in asked}
            if owner:
                tickets.assign(ticket, by=self.agent, **owner)
            if plain := {name: asked.pop(name) for name in tickets.FIELDS & set(asked)}:
                tickets.set_fields(ticket, by=self.agent, **plain)
            for name, value in asked.items():
                SETTERS[name](ticket, value, by=self.agent)
        # Whoever gave the ticket to a team they are not in sees it no more, but is told what became of it.
        done = TicketOut.with_all(Ticket.objects.all()).get(pk=ticket.pk)
        return concurrency.answer(request, dict(TicketOut(done).data))

    @extend_schema(operation_id="tickets_messages_list", responses=MessageOut(many=True))
    @action(detail=True, methods=["get"])
    def messages(self, request: Request, number: int) -> Response:
        """The messages of a ticket, oldest first."""
        ticket = access.get_ticket(self.agent, number)
        return self.page(MessageOut.with_all(ticket.messages.order_by("pk")), MessageOut)

    @extend_schema(operation_id="tickets_messages_add", request=MessageIn, responses={201: MessageOut})
    @messages.mapping.post
    def add_message(self, request: Request, number: int) -> Response:
        """Answer the customer, leave a note, or log a call or visit.

        A reply is queued at once and sent in the background, or when `send_at` has come: until then it can be taken
        back (`DELETE /messages/{id}/`), and it is by itself when the customer writes first.
        """
        ticket = access.get_ticket(self.agent, number)
        asked = self.taken(MessageIn, ticket=ticket)
        kind = asked.pop("kind")
        if kind == "note":
            message = reply.note(ticket, by=self.agent, **asked)
        else:
            self.require(Right.ANSWER)
            if kind == "logged":
                message = calls.record(ticket, by=self.agent, **asked)
            else:
                message = reply.reply(ticket, by=self.agent, unasked=True, **asked)
        made = MessageOut.with_all(Message.objects.all()).get(pk=message.pk)
        return Response(
            MessageOut(made).data, status=201, headers={"Location": address(f"/api/v1/messages/{made.pk}/")}
        )

    @extend_schema(operation_id="tickets_events_list", responses=EventOut(many=True))
    @action(detail=True, methods=["get"])
    def events(self, request: Request, number: int) -> Response:
        """The log of a ticket, oldest first."""
        ticket = access.get_ticket(self.agent, number)
        return self.page(ticket.events.order_by("pk"), EventOut)

    @extend_schema(operation_id="tickets_merge", request=MergeIn, responses=TicketOut)
    @action(detail=True, methods=["post"], url_path="merge")
    def merge(self, request: Request, number: int) -> Response:
        """Merge this ticket into another; answers with that other one."""
        source = access.writable_ticket(self.agent, number)
        try:
            into = access.writable_ticket(self.agent, self.taken(MergeIn)["into"])
        except Http404 as error:
            raise ValidationError({"into": [_("There is no such ticket, or not for you.")]}) from error
        merge.merge(source, into, by=self.agent)
        return Response(self.shown(into.pk))

    @extend_schema(operation_id="tickets_unmerge", request=None, responses=TicketOut)
    @action(detail=True, methods=["post"], url_path="unmerge")
    def unmerge(self, request: Request, number: int) -> Response:
        """Undo the merge of this ticket: what first belonged to it comes back."""
        ticket = access.writable_ticket(self.agent, number)
        if ticket.merged_into_id is not None:
            access.writable_ticket(self.agent, ticket.merged_into_id)
        return Response(self.shown(merge.unmerge(ticket, by=self.agent).pk))

    @extend_schema(operation_id="tickets_split", request=SplitIn, responses={201: TicketOut})
    @action(detail=True, methods=["post"], url_path="split")
    def split(self, request: Request, number: int) -> Response:
        """Move messages of this ticket, with their files, into a new one of the same customer; answers with that."""
        ticket = access.writable_ticket(self.agent, number)
        new = split.split(ticket, by=self.agent, **self.taken(SplitIn))
        done = TicketOut.with_all(Ticket.objects.all()).get(pk=new.pk)
        return self.made(TicketOut(done).data, f"tickets/{new.pk}/")

    @extend_schema(operation_id="tickets_sides_list", responses=SideOut(many=True))
    @action(detail=True, methods=["get"])
    def sides(self, request: Request, number: int) -> Response:
        """The side conversations of a ticket, oldest first."""
        ticket = access.get_ticket(self.agent, number)
        return self.page(ticket.sides.select_related("channel").order_by("pk"), SideOut)

    @extend_schema(operation_id="tickets_sides_start", request=SideIn, responses={201: SideOut})
    @sides.mapping.post
    def start_side(self, request: Request, number: int) -> Response:
        """Write to a third party about a ticket; the customer sees nothing of it, nor of what is answered."""
        ticket = access.writable_ticket(self.agent, number)
        asked = self.taken(SideIn)
        ids = asked.pop("forwards", [])
        said = list(ticket.messages.conversation().filter(pk__in=ids, deleted_at__isnull=True).order_by("pk"))
        if len(said) != len(set(ids)):
            raise ValidationError({"forwards": [_("There is no such message in this ticket.")]})
        message = side.start(ticket, by=self.agent, forwards=said, **asked)
        return self.made(SideOut(message.side).data, f"sides/{message.side_id}/")

    def _links(self, ticket: Ticket) -> QuerySet[TicketLink]:
        """What hangs together with a ticket, as far as this agent sees the other one."""
        seen = access.tickets(self.agent)
        ends = Q(source=ticket, target__in=seen) | Q(target=ticket, source__in=seen)
        return TicketLink.objects.filter(ends).order_by("pk")

    @extend_schema(operation_id="tickets_links_list", responses=LinkOut(many=True))
    @action(detail=True, methods=["get"], url_path="links")
    def links(self, request: Request, number: int) -> Response:
        """Follow-ups, duplicates, incidents of a problem, children, and what was merged; in both directions."""
        return self.page(self._links(access.get_ticket(self.agent, number)), LinkOut)

    @extend_schema(operation_id="tickets_links_add", request=LinkIn, responses={201: LinkOut})
    @links.mapping.post
    def add_link(self, request: Request, number: int) -> Response:
        """Say what this ticket is of another one; said again, it is the same link."""
        ticket, asked = access.writable_ticket(self.agent, number), self.taken(LinkIn)
        try:
            other = access.writable_ticket(self.agent, asked["of"])
        except Http404 as error:
            raise ValidationError({"of": [_("There is no such ticket, or not for you.")]}) from error
        row = links.link(ticket, other, asked["relation"], by=self.agent)
        return self.made(LinkOut(row).data, f"tickets/{ticket.pk}/links/{row.pk}/")

    @extend_schema(operation_id="tickets_links_remove", responses={204: None}, parameters=[LINK])
    @action(detail=True, methods=["delete"], url_path="links/<int:link>")
    def remove_link(self, request: Request, number: int, link: int) -> Response:
        """Take a link away; that of a merge goes with the merge."""
        ticket = access.writable_ticket(self.agent, number)
        row = self._links(ticket).select_related("source", "target").filter(pk=link).first()
        if row is None:
            raise Http404
        links.unlink(row, by=self.agent)
        return Response(status=204)
