"""The chat channel. Its far side is Rabta itself: what is stored has left, and visitors' pages are told of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from channels_chat import checks, config, hub, screens
from channels_chat.actions import visitors
from channels_chat.forms import SECRET, ChatSettings
from inbox import files, presses
from inbox.adapters import Adapter, Arrival, Check, Inbound, InboundFile, Panel, Parsed, Party, Sent, register
from inbox.counting import Limit
from inbox.models import Agent, Attachment, Channel, Message, Receipt, Status, Ticket
from lib import language

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@register
class ChatAdapter(Adapter):
    kind = "chat"
    label = _("Live chat")
    icon = "message"
    identity_kind = "chat"
    live = True
    stores = True
    repeat_safe = True
    joins_open_ticket = False  # the session does: what a visitor writes joins the newest ticket of their browser
    buttons = 20
    button_letters = 80
    limit = Limit(config.MOST_TEXT)
    secrets = (SECRET,)
    hours_setting = "hours"
    connect_label = _("Put a chat on your website")
    settings_template = "channels_chat/settings/start.html"

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> ChatSettings:
        return ChatSettings(data, channel)

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """It belongs to the channel, whatever its settings: sites sign with it."""
        return True

    def posted(self, data: Mapping[str, str]) -> dict[str, Any]:
        return screens.posted(data)

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        return screens.facts(channel)

    def panels(self, channel: Channel, agent: Agent) -> list[Panel]:
        return screens.panels(channel, agent)

    def check(self, channel: Channel) -> list[Check]:
        return checks.check(channel)

    def warnings(self, channel: Channel) -> list[str]:
        return checks.warnings(channel)

    def scope(self, channel: Channel) -> str:
        return visitors.scope(channel.pk)

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        """What `channels_chat.intake` wrote down of one message."""
        said = json.loads(raw)
        text = said["text"].replace("\x00", "")
        return [
            Inbound(
                key=receipt.external_id,
                scope=visitors.scope(receipt.channel_id),
                sender=Party("chat", said["address"], said.get("name") or "", visitors.scope(receipt.channel_id)),
                text=text,
                visible_text=text,
                external_id=receipt.external_id,
                language=language.detect(text, said.get("language") or ""),
                at=receipt.at,
                thread_key=said["address"],
                subject=said.get("subject") or "",
                files=tuple(_file(one) for one in Attachment.objects.filter(pk__in=said.get("files") or ())),
                payload={"cid": said["cid"], "visitor": said["visitor"], **_kept(said)},
            )
        ]

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        from channels_chat.actions import chats

        chats.arrived(arrivals)

    def replied(self, message: Message) -> None:
        from channels_chat.actions import chats

        chats.replied(message)

    def said(self, tickets: Collection[int]) -> None:
        """Pages and desks hear at once of what came into a chat's ticket on another channel."""
        hub.tell_of(tickets)

    def status_changed(self, ticket: Ticket, *, by: Agent | None) -> None:
        from channels_chat.actions import endings

        endings.status_changed(ticket, by=by)

    def after_reply(self, ticket: Ticket) -> str:
        """While they chat nobody waits for anybody: the ticket stays open."""
        from channels_chat.actions import chats

        return Status.OPEN.value if chats.is_live(ticket) else super().after_reply(ticket)

    def shows_press(self, message: Message, key: str) -> None:
        message.payload["chat"]["data"]["pressed"] = key
        hub.tell_of([message.ticket_id])

    def route_hint(self, ticket: Ticket, beside: Mapping[str, Sequence[Mapping[str, Any]]]) -> StrOrPromise:
        from channels_chat import added

        return added.route_hint(ticket, beside)

    def freeze(self, message: Message, answered: Message | None) -> None:
        if shown := presses.under(message):
            message.payload["chat"] = {"kind": "buttons", "data": {"buttons": shown, "pressed": None, "stays": True}}
        message.external_id = f"chat-{uuid.uuid4().hex}"

    def send(self, message: Message, connection: Any) -> Sent:
        """What waited for its time: it is there once this is written down."""
        hub.tell_of([message.ticket_id])
        return Sent((message.external_id,))

    def raw(self, message: Message) -> tuple[bytes, str]:
        told = {"id": message.external_id, "to": message.to, "text": message.text, "chat": message.payload.get("chat")}
        return json.dumps(told, ensure_ascii=False, indent=1).encode(), "application/json"


def _file(row: Attachment) -> InboundFile:
    return InboundFile(row.name, row.content_type, files.get(row.stored))


def _kept(said: Mapping[str, Any]) -> dict[str, Any]:
    """What the widget's own kinds of message carry: a form that was filled in, a button that was pressed."""
    return {"chat": said["chat"]} if said.get("chat") else {}
