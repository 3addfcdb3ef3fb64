"""The plain values that adapters deal in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from django.utils.translation import gettext_lazy as _

from inbox.fitting import Takes
from lib.http import LONGEST_WAIT

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from inbox.models import Message, Receipt, Ticket

Kind = Literal["message", "auto_reply", "bounce", "feedback_report", "list"]
AUTOMATIC: frozenset[str] = frozenset({"auto_reply", "bounce", "feedback_report"})  # written by no person


@dataclass(frozen=True, slots=True)
class Party:
    """One address as the wire gave it.

    `kind` is email, phone or a platform's name; `scope` the page or bot where ids are page-scoped. `also` are further
    addresses of the same person, of which the platform itself says so.
    """

    kind: str
    value: str
    name: str = ""
    scope: str = ""
    also: tuple[Party, ...] = ()


@dataclass(frozen=True, slots=True)
class InboundFile:
    """A file of an inbound message; `name` is already safe to store and to offer for download."""

    name: str
    content_type: str
    content: bytes
    inline: bool = False
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """A file that the platform keeps for us, for a while: fetched by `Adapter.fetch` right after its message is in.

    `ref` is what the adapter needs to find it, as JSON. `name` and `content_type` are the sender's claim, `size` in
    bytes the platform's, 0 where it does not say.
    """

    ref: Mapping[str, Any]
    name: str = ""
    content_type: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery status notification says (RFC 3464)."""

    recipients: tuple[str, ...]
    temporary: bool
    original_message_id: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One utterance that reached us, free of wire format.

    `key` is the same for every copy of this utterance and unique within `scope` ("email" over all mailboxes, the
    channel elsewhere). `at` is the platform's or our border server's stamp, never the sender's own clock. `tokens` are
    candidate signed tokens found in addresses; `references` are message ids, oldest first, without angle brackets.
    `sender` is None when there is no usable one. All text is free of NUL; `html` is already sanitised.

    `thread_key` names the comment thread or session it belongs to. `remote` are files that the platform still has.
    `claims` are addresses that its writer, or whoever passes it on, says are the writer's: nobody has proven them.
    `picture` is where that one's picture is to be had, where it says so.
    An `echo` is what we said ourselves, as the platform tells it, to the one in `to`: by Rabta (`reference` is then
    the id of our message, where the platform carries it) or in another app.
    """

    key: str
    scope: str
    sender: Party | None
    text: str
    external_id: str = ""
    kind: Kind = "message"
    suppress_auto_reply: bool = False
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    reply_to: tuple[Party, ...] = ()
    subject: str = ""
    visible_text: str = ""
    html: str = ""
    language: str = ""
    at: datetime | None = None
    written_at: datetime | None = None
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    files: tuple[InboundFile, ...] = ()
    bounce: Bounce | None = None
    loop: bool = False
    thread_key: str = ""
    content_kind: str = "text"
    payload: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    remote: tuple[RemoteMedia, ...] = ()
    echo: bool = False
    reference: int = 0
    claims: tuple[Party, ...] = ()
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that was just taken in, with its ticket, locked, the receipt it came in, and its `Inbound.picture`."""

    message: Message
    ticket: Ticket
    receipt: Receipt
    picture: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryUpdate:
    """What a platform reports later about a message we sent; states only ever move forward.

    It is named by `external_id`, or by `reference`, the id of our message where the platform carries it. With
    `through`, a time, it is about everything we sent to `person` until then (a read mark). An `error` of state
    `failed` is for agents to read; `unreachable` says that no message reaches this person there at all.
    """

    external_id: str
    state: Literal["sent", "delivered", "read", "failed"]
    at: datetime | None = None
    error: str = ""
    recipients: tuple[str, ...] = ()
    delayed: bool = False
    reference: int = 0
    person: Party | None = None
    through: datetime | None = None
    fault: Fault = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A message that is here has another text now. Of several the one with the latest `at` stands."""

    external_id: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A message was deleted on the platform: what it said is gone here, too. By its writer, as far as anybody tells;
    `ours`: by one of us.
    """

    external_id: str
    at: datetime
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """What somebody answers to a message with a picture; each person has one at a time, an empty `emoji` takes it back.

    `by` None are we ourselves, in another app. `opens` says that on this platform it opens the window for answers.
    """

    external_id: str
    by: Party | None
    emoji: str
    at: datetime
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button below a message of ours (id), by the button's key; see `inbox.presses`.

    `external_id` is what the platform calls the press, where it wants to be told that it has come in.
    """

    message: int
    key: str
    by: Party
    at: datetime
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class ReachUpdate:
    """Whether this person can still be reached on the channel: None leaves what is known as it is.

    `acted` says that they did something else than write which opens the window for answers.
    """

    person: Party
    at: datetime
    blocked: bool | None = None  # they, or the platform, let nothing of ours through
    opted_out: bool | None = None  # they asked for no more messages
    acted: bool = False


@dataclass(frozen=True, slots=True)
class Hiding:
    """A message that everybody could read was hidden on its platform (or, not `hidden`, is shown again)."""

    external_id: str
    hidden: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class AddressChange:
    """The platform says that somebody has another address now: the old one finds and reaches them no more."""

    person: Party
    to: Party
    at: datetime


@dataclass(frozen=True, slots=True)
class ChannelNews:
    """What the platform tells of the channel itself, kept on it under `name` until a time, or until it is over.

    `facts` None says that it is over, or never was. `warnings` puts what still holds into words. `reason` is what is
    kept with the receipt; `look` has the channel looked after at once.
    """

    name: str
    at: datetime
    reason: str
    facts: Mapping[str, Any] | None = None
    until: datetime | None = None
    look: bool = True


Change = (
    DeliveryUpdate | Edit | Withdrawal | Reaction | Press | Hiding | ReachUpdate | AddressChange | ChannelNews
)  # of what is here already
Parsed = Inbound | Change
Fault = Literal["", "rate", "auth", "window", "blocked"]


class Ignore(Exception):
    """Raised by `parse` for what is left out on purpose; its text is the reason kept on the receipt.

    With `keep` false the receipt's bytes are forgotten: nobody here may read them.
    """

    def __init__(self, reason: StrOrPromise, *, keep: bool = True) -> None:
        super().__init__(reason)
        self.keep = keep


class PartlyPolled(Exception):
    """What is new was fetched but for a part; the text says which and why, for people."""


class DeliveryError(Exception):
    """A send that did not succeed. `permanent` says whether trying again can help; the text is for the agent.

    `retry_after` is what the platform asked for, in seconds: at most a day is believed. `unknown`
    marks a request that left and got no answer. `channel` says that it is no fault of this message: the channel waits,
    and the message with it. `fault` is what kind of error it is, where that leads to more: `rate` (too many), `auth`
    (we are let in no more), `window` (too late for a free answer), `blocked` (this person cannot be reached).
    """

    def __init__(
        self,
        reason: StrOrPromise,
        *,
        permanent: bool,
        retry_after: float | None = None,
        unknown: bool = False,
        channel: bool = False,
        fault: Fault = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_WAIT)
        self.unknown = unknown
        self.channel = channel
        self.fault = fault


class Unverified(Exception):
    """A webhook's call that its platform has not signed, or not as it should: nothing of it is kept."""


class NotFetched(Exception):
    """A file could not be had of its platform; `permanent` says that it never will. The text is for agents."""

    def __init__(self, reason: StrOrPromise, *, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took the message. `external_ids` are its ids, the first is the message's own."""

    external_ids: tuple[str, ...] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawReceipt:
    """Bytes as they arrived, before anything looked at them.

    `external_id` makes a repeat of the same bytes harmless within its channel. `key` is the message's own id where it
    can be had without parsing (a Message-ID), so that an answer can wait for the message it answers. `at` is the
    border's stamp; `meta` the envelope (recipients, folder, uid).
    """

    raw: bytes
    external_id: str
    key: str = ""
    at: datetime | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the Test-connection button: what was tried, whether it worked, and what to do if not."""

    name: str
    ok: bool
    detail: StrOrPromise = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a reply may leave now, and if not why, in words for the agent. `until` is when the window closes, or
    closed; `allows` names what may leave all the same.
    """

    allowed: bool
    reason: StrOrPromise = ""
    until: datetime | None = None
    allows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a channel's page or of the composer that only its kind knows: a template, and what it reads as `panel`.

    `first` puts it on top: it asks somebody to do something. In the composer, `takes` says what an answer takes by the
    `way` that is chosen there, where that differs from the usual.
    """

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    first: bool = False
    takes: Mapping[str, Takes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """Where connecting a new channel begins.

    With a `question` that panel is shown first (which provider?); its answer comes back in the address. Otherwise the
    form opens with `initial` settings, and `about` stands above it.
    """

    question: Panel | None = None
    initial: Mapping[str, Any] = field(default_factory=dict)
    about: Panel | None = None


UNKNOWN_OUTCOME = _("The connection ended before the answer came: it is not known whether this message arrived.")
