"""The e-mail channel: IMAP, SMTP or a pipe in; SMTP out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from channels_email import checks, freezing, imap, mime, moving, oauth, probes, reports, screens, servers, tokens
from channels_email.directory import Directory
from channels_email.explain import explain
from channels_email.forms import SECRETS, EmailSettingsForm, same_log_in
from channels_email.render import render
from channels_email.sending import Link
from channels_email.servers import address_of, server
from inbox import post
from inbox.actions.parsing import raw_of
from inbox.actions.receive import own_addresses
from inbox.adapters import (
    AUTOMATIC,
    Adapter,
    Check,
    DeliveryError,
    Ignore,
    Inbound,
    InboundFile,
    Panel,
    Parsed,
    RawReceipt,
    Sent,
    Start,
    Verdict,
    register,
)
from inbox.models import Agent, Channel, Direction, Message, Receipt, Ticket

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


MARK_SEARCHED = 1024 * 1024  # bytes; letters of ours have few thousand, and reports bring them with little around
HOUSE_MAIL = _("a letter of Rabta itself to somebody who works here, or what answers or reports one; it is not kept")


def _is_house_mail(inbound: Inbound) -> bool:
    """What the bytes did not show: marks in what was encoded, and links that a machine sends back without the mark."""
    if inbound.kind in AUTOMATIC and (post.has_link(inbound.text) or post.has_link(inbound.html)):
        return True
    enclosed = (file.content.decode("latin-1") for file in inbound.files if _is_mail(file))
    return any(
        post.is_marked(text) or (inbound.kind in AUTOMATIC and post.has_link(text))
        for text in (inbound.text, *enclosed)
    )


def _is_mail(file: InboundFile) -> bool:
    return file.content_type.startswith(("message/", "text/rfc822"))


@register
class EmailAdapter(Adapter):
    kind = "email"
    label = _("E-mail")
    icon = "mail"
    identity_kind = "email"
    polls = True
    repeat_safe = True  # the same Message-ID again: clients show one
    global_ids = True  # Message-IDs
    reopen_days = 14
    rich_text = True
    undoable = True
    joins_open_ticket = False  # two mails of one person are two matters unless they say otherwise
    secrets = SECRETS
    connect_label = _("Connect a mailbox")
    settings_template = "channels_email/settings.html"

    def start(self, asked: Mapping[str, str]) -> Start:
        return screens.start(asked)

    def posted(self, data: Mapping[str, str]) -> dict[str, Any]:
        return screens.posted(data)

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        return screens.facts(channel)

    def panels(self, channel: Channel, agent: Agent) -> list[Panel]:
        return screens.panels(channel, agent)

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> EmailSettingsForm:
        return EmailSettingsForm(data, channel)

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        return same_log_in(name.partition(".")[0], old, new)

    def check(self, channel: Channel) -> list[Check]:
        try:
            reading, sending = server(channel, "imap"), server(channel, "smtp")
        except DeliveryError as error:
            return [Check(str(_("Password")), False, error.reason)]
        lines: list[Check] = []
        if reading:
            lines += checks.check_imap(reading)
        if sending:
            lines += checks.check_smtp(sending, address_of(channel))
        if not reading:
            lines.append(Check("IMAP", True, _("None: mail comes by pipe or through the SMTP receiver.")))
        if not sending:
            lines.append(Check("SMTP", False, self.may_send(channel).reason))
        return lines

    def poll(self, channel: Channel, cursor: dict[str, Any]) -> Iterator[tuple[list[RawReceipt], dict[str, Any]]]:
        reading = server(channel, "imap")
        if reading is None or (reading.oauth and oauth.awaited(channel)):
            return  # `warnings` says what is to be done first
        mover = moving.Mover(channel, reading.move_to) if reading.move_to else None
        yield from imap.poll(reading, cursor, mover)

    def refetch(self, receipt: Receipt) -> RawReceipt | None:
        if receipt.size or "uid" not in receipt.meta:
            return None
        reading = server(receipt.channel, "imap")
        if reading is None:
            raise imap.MailboxAway(_("This channel has no IMAP server any longer."))
        return imap.again(reading, receipt.meta)

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        if not raw and receipt.meta.get("error"):
            raise ValueError(receipt.meta["error"])
        if probes.is_probe(raw):
            raise Ignore(_("a test mail of “Test connection”"))
        if post.is_marked(raw[:MARK_SEARCHED].decode("latin-1")):
            raise Ignore(HOUSE_MAIL, keep=False)
        envelope = [str(one) for one in receipt.meta.get("recipients", ())]
        inbound = mime.parse(raw, own=own_addresses(), recipients=envelope)
        if _is_house_mail(inbound):
            raise Ignore(HOUSE_MAIL, keep=False)
        if tokens.is_own_message_id(inbound.external_id):
            raise Ignore(_("our own mail came back (its Message-ID is signed by us)"))
        if report := reports.delivery_updates(inbound, raw):
            return report
        candidates = [*inbound.tokens, inbound.in_reply_to, *reversed(inbound.references)]
        signed = [number for one in candidates if (number := tokens.ticket_of(one)) is not None]
        payload = {**inbound.payload, "signed_tickets": list(dict.fromkeys(signed))}
        sides = [pk for one in candidates if (pk := tokens.side_of(one)) is not None]
        if sides:
            payload["signed_sides"] = list(dict.fromkeys(sides))
        inbound = replace(
            inbound,
            text=post.without_links(inbound.text),
            visible_text=post.without_links(inbound.visible_text),
            html=post.without_links(inbound.html),
        )
        return [replace(inbound, payload=payload, at=inbound.at or receipt.at)]

    def own_addresses(self, channel: Channel) -> Collection[str]:
        return servers.own_addresses(channel).keys()

    def freeze(self, message: Message, answered: Message | None) -> None:
        freezing.freeze(message, answered)

    @contextmanager
    def connection(self, channel: Channel) -> Iterator[Link]:
        sending = server(channel, "smtp")
        if sending is None:
            raise DeliveryError(self.may_send(channel).reason, permanent=False)
        link = Link(sending)
        link.open()
        try:
            yield link
        finally:
            link.close()

    def send(self, message: Message, connection: Link) -> Sent:
        return connection.send(message)

    def raw(self, message: Message) -> tuple[bytes, str]:
        if message.direction == Direction.OUT:
            return render(message), "message/rfc822"
        if message.receipt is None:
            raise FileNotFoundError("the original of this message is no longer kept")
        return raw_of(message.receipt), "message/rfc822"

    def may_send(self, channel: Channel) -> Verdict:
        sending = channel.settings.get("smtp")
        if sending:
            waits = oauth.awaited(channel) if sending.get("oauth") else ""
            return Verdict(not waits, waits)
        return Verdict(False, _("This mailbox has no SMTP server, so replies stay queued until one is set."))

    def signature(self, ticket: Ticket, channel: Channel, agent: Agent | None) -> str:
        return freezing.signature(ticket, channel, agent)

    def takes_in(self, address: str) -> bool:
        return Directory().find(address) is not None

    def warnings(self, channel: Channel) -> list[str]:
        return [*oauth.warnings(channel), *moving.warnings(channel)]

    def login_ends_at(self, channel: Channel) -> datetime | None:
        return oauth.ends_at(channel)

    def explain(self, inbound: Inbound) -> dict[str, Any]:
        return explain(inbound)
