"""What all messengers share: windows, sending in parts, and what a message is made of on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import requests
from django.conf import settings
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from channels_social import media, reading
from inbox import counting, wake
from inbox.actions import messages, pictures
from inbox.actions.errors import ActionError
from inbox.adapters import Adapter, Arrival, DeliveryError, InboundFile, Panel, RemoteMedia, Sent, Start, Verdict
from inbox.models import Attachment, Channel, DeliveryState, Direction, Identity, Message, Reach, Ticket
from lib import http


@dataclass(frozen=True, slots=True)
class Part:
    """One message of the platform: words, or a file with the words under it. `first` is the one that may quote, `last`
    the one that has the buttons.
    """

    text: str = ""
    file: Attachment | None = None
    first: bool = False
    last: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """What a platform tells of somebody now: their name, and where their picture is to be had for a while.

    An empty name is none that we are told. A `picture` is "" for who has none, None for who may have one or not.
    """

    name: str = ""
    picture: str | None = None


class Wire(Protocol):
    """A platform's API behind one token, as `Messenger` sends over it."""

    def send_part(self, message: Message, part: Part) -> str:
        """Send one part; returns the platform's id of it. Raises DeliveryError."""

    def probe(self) -> None:
        """Ask who we are, or anything else that does no harm. Raises DeliveryError."""


class Messenger(Adapter):
    """The base of messengers. A subclass says what its platform calls things, and brings a `Wire`."""

    messenger = True
    settings_template = "channels_social/settings.html"
    patience = timedelta(minutes=2)
    knows_people = False  # whether `profile` can be asked
    tells_names = False  # whether it is from `profile` that a name comes, for messages bring none
    writing_seconds: ClassVar[int] = 0  # how often it is told that somebody writes, while they do; 0: never
    tells_reading: ClassVar[bool] = False  # can it show that a message was read?
    writing_shows_reading: ClassVar[bool] = False  # does it, once it shows that somebody writes?
    caption = 0  # what the words under a file may have, in the units of `limit`; 0: files come without

    def start(self, asked: Mapping[str, str]) -> Start:
        """What to click where, step by step, above the form."""
        return Start(about=Panel(f"channels_social/guides/{self.kind}.html", {"base": settings.BASE_URL}))

    def wire(self, channel: Channel, session: requests.Session) -> Wire:
        raise NotImplementedError

    def show_activity(self, wire: Any, message: Message, *, writing: bool) -> None:
        """Show whoever wrote this message that it was read, or (`writing`) that they are being answered. A courtesy: it
        takes seconds at most, and what it is refused delays nothing else. Raises DeliveryError.
        """
        raise NotImplementedError

    @contextmanager
    def connection(self, channel: Channel) -> Iterator[Wire]:
        with http.Session() as session:
            yield self.wire(channel, session)

    def probe(self, connection: Wire) -> None:
        """Whether the platform answers at all; what it answers to this is no matter."""
        try:
            connection.probe()
        except DeliveryError as error:
            if not error.permanent:
                raise

    def parts(self, message: Message) -> list[Part]:
        """What this message is on the wire, in order; the same each time it is asked."""
        files = list(message.attachments.order_by("pk")) if message.has_files else []
        limit = self.limit
        texts = counting.split(message.text, limit) if limit else [message.text] if message.text.strip() else []
        if len(files) == 1 and len(texts) == 1 and limit and 0 < counting.size(message.text, limit) <= self.caption:
            return [Part(message.text, files[0], first=True)]
        found = [Part(text) for text in texts] + [Part(file=file) for file in files]
        last = len(found) - 1
        return [Part(one.text, one.file, first=place == 0, last=place == last) for place, one in enumerate(found)]

    def send(self, message: Message, connection: Wire) -> Sent:
        """One part after the other; each that was taken is written down at once, and never sent again."""
        parts = self.parts(message)
        ids = messages.begin_parts(message, len(parts))
        for part in parts[len(ids) :]:
            external_id = connection.send_part(message, part)
            if len(parts) > 1:
                messages.part_left(message, external_id)
            ids.append(external_id)
        return Sent(tuple(ids))

    def raw(self, message: Message) -> tuple[bytes, str]:
        told = {
            "to": message.to,
            "parts": [{"text": one.text, "file": one.file.name if one.file else None} for one in self.parts(message)],
            "in_reply_to": message.in_reply_to,
            "ids": [message.external_id, *message.parts.order_by("position").values_list("external_id", flat=True)[1:]],
        }
        return json.dumps(told, ensure_ascii=False, indent=1).encode(), "application/json"

    def freeze(self, message: Message, answered: Message | None) -> None:
        """What is answered is quoted, if somebody chose to; the id of the message comes with the platform's answer."""
        quotes = message.payload.get("options", {}).get("quotes")
        if quotes:
            named = Message.objects.filter(pk=quotes).values_list("external_id", flat=True)
            message.in_reply_to = named.first() or ""

    def fetch(self, channel: Channel, media: RemoteMedia) -> InboundFile:
        with http.Session() as session:
            return self.fetch_file(channel, session, media)

    def fetch_file(self, channel: Channel, session: requests.Session, remote: RemoteMedia) -> InboundFile:
        """Fetch one file. Raises NotFetched. By default its address stands in `ref`."""
        return media.download(session, str(remote.ref.get("url", "")), remote)

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Have it looked up who wrote, where that was not done this week; of who has no name yet, each time they write.

        One query a channel. Losing the wake-up costs no more than that they are asked for when they write again.
        """
        for channel, addresses in _writers(arrivals).items() if self.knows_people else ():
            known = Identity.objects.active().filter(
                kind=self.identity_kind, scope=self.scope(channel), value__in=addresses
            )
            due = pictures.is_due() | Q(name="") if self.tells_names else pictures.is_due()
            if ids := sorted(known.filter(due).values_list("pk", flat=True)):
                wake.run("channels_social.tasks.profiles", [channel.pk, *ids], "social")

    def profile(self, channel: Channel, session: requests.Session, identity: Identity) -> Profile:
        """What the platform tells of this person, within the channel's scope. Raises DeliveryError."""
        raise NotImplementedError

    late_ways: frozenset[str] = frozenset()  # what may leave after the window has closed

    def may_reply(self, ticket: Ticket, channel: Channel) -> Verdict:
        """Not to whoever said STOP here, nor where nothing gets through, nor after the window."""
        return verdict(self, ticket, channel)

    def prepare(
        self, ticket: Ticket, channel: Channel, text: str, options: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """`quotes` (id of a message) shows what is answered above it, on platforms that do that."""
        left = dict(options)
        kept: dict[str, Any] = {}
        if quotes := left.pop("quotes", None):
            quoted = Message.objects.filter(pk=reading.number(quotes), ticket=ticket, channel=channel)
            if not quoted.exclude(external_id="").exists():
                raise ActionError(_("The message that is quoted is not there."), "options")
            kept["quotes"] = reading.number(quotes)
        if left:
            raise ActionError(_("This channel has no such options."), "options")
        return text, kept

    def closed(self, closed_at: datetime | None) -> str:
        """Why an answer may not leave now, for agents; None: they have never written here."""
        if closed_at is None:
            return _("They have not written here yet: answers of one's own words are not let through.")
        return _("They wrote last too long ago: since %(time)s answers of one's own words are not let through.") % {
            "time": date_format(timezone.localtime(closed_at), "SHORT_DATETIME_FORMAT")
        }


def _writers(arrivals: Sequence[Arrival]) -> dict[Channel, set[str]]:
    """Who wrote on which channel, by their addresses."""
    found: dict[Channel, set[str]] = {}
    for message in (one.message for one in arrivals):
        if message.direction == Direction.IN and message.author_address and message.channel is not None:
            found.setdefault(message.channel, set()).add(message.author_address)
    return found


def spoke_in_public(ticket: Ticket) -> bool:
    """Whether one of us has said something in this ticket that everybody reads, and not taken it back."""
    ours = Message.objects.filter(ticket=ticket, direction=Direction.OUT, payload__public=True)
    return ours.exclude(state=DeliveryState.CANCELLED).exists()


def verdict(adapter: Messenger, ticket: Ticket, channel: Channel) -> Verdict:
    reach = reach_of(adapter, ticket, channel)
    if reach is None:
        # They never wrote here: where there are windows, none is open.
        return (
            Verdict(True) if adapter.window is None else Verdict(False, adapter.closed(None), None, adapter.late_ways)
        )
    if reach.opted_out_at is not None:
        return Verdict(False, _("This customer asked for no more messages here."))
    if reach.blocked_at is not None:
        return Verdict(False, _("Nothing gets through to this customer here: they have blocked us, or left."))
    if not reach.open and reach.closes_at is not None:
        return Verdict(False, adapter.closed(reach.closes_at), reach.closes_at, adapter.late_ways)
    return Verdict(True, until=reach.closes_at)


def reach_of(adapter: Messenger, ticket: Ticket, channel: Channel) -> Reach | None:
    """How the ticket's customer can be reached on this channel; one query."""
    return nearest(Identity.objects.active().filter(customer=ticket.customer_id), ticket, channel)


def nearest(own: QuerySet[Identity], ticket: Ticket, channel: Channel) -> Reach | None:
    """Of these addresses of one person, how the one is reached that an answer in this ticket goes to: who wrote last in
    it, as `recipients.default_recipients` has it. Somebody who was merged may have two of a kind.
    """
    found = Reach.objects.filter(channel=channel, identity__in=own)
    newest = [F(name).desc(nulls_last=True) for name in ("last_in_at", "closes_at")]
    if ticket.pk is None:  # it is only about to be begun: nobody has written in it
        return found.order_by(*newest).first()
    said = Message.objects.conversation().filter(
        ticket=ticket,
        channel=channel,
        direction=Direction.IN,
        unverified=False,
        deleted_at__isnull=True,
        author_address=OuterRef("identity__value"),
    )
    found = found.annotate(spoke=Subquery(said.order_by("-id").values("id")[:1]))
    return found.order_by(F("spoke").desc(nulls_last=True), *newest).first()


def unsupported(kind: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of a message of a kind that nobody here knows: its raw form, to be looked at."""
    return {"kind": kind[:60], "raw": dict(raw)}
