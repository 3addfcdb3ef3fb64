"""The channel contract: what an adapter is, and the registry of kinds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _

from inbox.actions.errors import ActionError
from inbox.adapters.values import (
    Arrival,
    Check,
    Inbound,
    InboundFile,
    Panel,
    Parsed,
    Press,
    RawReceipt,
    RemoteMedia,
    Sent,
    Start,
    Unverified,
    Verdict,
)
from inbox.counting import Limit
from inbox.fitting import Takes

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse
    from django_stubs_ext import StrOrPromise

    from inbox.models import Agent, Channel, Message, Receipt, Ticket


class Adapter:
    """The base of every channel kind. Methods that touch the wire run outside any database transaction."""

    kind: ClassVar[str]
    label: ClassVar[StrOrPromise]
    icon: ClassVar[str] = "message"
    identity_kind: ClassVar[str]
    polls: ClassVar[bool] = False
    repeat_safe: ClassVar[bool] = False  # may a send whose outcome is not known be repeated?
    global_ids: ClassVar[bool] = False  # are its message ids unique over all channels of this kind?
    reopen_days: ClassVar[int] = 3
    rich_text: ClassVar[bool] = False
    limit: ClassVar[Limit | None] = None  # what one message takes of words, where no channel or answer differs
    joins_open_ticket: ClassVar[bool] = True  # what they write joins their open ticket
    live: ClassVar[bool] = False
    stores: ClassVar[bool] = False  # its far side is Rabta itself: a reply has left once it is stored, without a worker
    undoable: ClassVar[bool] = False  # what agents send from the screen waits for a moment, so that they can undo it
    messenger: ClassVar[bool] = False  # for each person it is kept how they can be reached here (`Reach`)
    window: ClassVar[timedelta | None] = None  # how long after what they wrote an answer may be free, if not for ever
    buttons: ClassVar[int] = 0  # so many can stand below a message of ours (`inbox.presses`)
    button_letters: ClassVar[int] = 20  # what fits on one
    patience: ClassVar[timedelta] = timedelta(0)  # how long news of a message waits for that message to be here

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> Form:
        """A form that validates `Channel.settings`; what `secrets` names in its cleaned data is kept encrypted."""
        raise NotImplementedError

    secrets: ClassVar[tuple[str, ...]] = ()  # dotted names within settings that are kept encrypted
    signs_with: ClassVar[str] = ""  # which of them is made where none is given, told once, and can be rolled

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether a kept secret that nobody gives again may go with changed settings, both as `settings_form` cleaned
        them. No, where it would reach another server, another account there, or travel less safely than before."""
        return old == new

    hours_setting: ClassVar[str] = ""  # which setting holds hours of business (inbox.schedules); none: the channel does

    connect_label: ClassVar[StrOrPromise] = ""  # "Connect a mailbox"; without one it is connected from the shell alone
    settings_template: ClassVar[str] = "settings/channels/_fields.html"  # the fields of `form`, in the settings' page

    def start(self, asked: Mapping[str, str]) -> Start:
        """How connecting begins, given what stands in the address of the page."""
        return Start()

    def posted(self, data: Mapping[str, str]) -> dict[str, Any]:
        """What a posted page says, as settings: without what is the page's own help to its reader."""
        return dict(data)

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        """The settings that tell most, for the channel's page: (label, value); never a secret."""
        return []

    def panels(self, channel: Channel, agent: Agent) -> list[Panel]:
        """What else stands on the channel's page for this person."""
        return []

    def check(self, channel: Channel) -> list[Check]:
        """Try the connection and say, line by line, what works."""
        raise NotImplementedError

    def poll(self, channel: Channel, cursor: dict[str, Any]) -> Iterator[tuple[list[RawReceipt], dict[str, Any]]]:
        """Yield batches of what is new together with the cursor to keep once that batch is committed.

        Raises PartlyPolled at the end where a part could not be asked. After any other error it is asked less and less
        often.
        """
        raise NotImplementedError

    def polls_now(self, channel: Channel) -> bool:
        """Whether this channel is asked for news; else its platform tells them."""
        return self.polls

    def poll_again(self, channel: Channel) -> timedelta:
        """How long after a poll that brought all there was the next one begins. 0: at once, for it waits itself."""
        return timedelta(seconds=20)

    def refetch(self, receipt: Receipt) -> RawReceipt | None:
        """Fetch what could not be had when `receipt` was made; None when its bytes are all there are.

        Raises DeliveryError or OSError, whose text says why it still cannot be had.
        """
        return None

    def webhook(
        self, request: HttpRequest, channel: Channel, body: bytes
    ) -> tuple[list[RawReceipt], HttpResponse | None]:
        """Verify a call (POST) over its raw `body`, then split it into one receipt an event.

        The answer is given once these are stored; None is an empty 200. Raises Unverified, before anything is parsed,
        and ValueError for a body that nobody can read.
        """
        raise NotImplementedError

    def handshake(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        """Answer the platform's question (GET) whether this address is ours. Raises Unverified."""
        raise Unverified("this platform asks nothing")

    def fetch(self, channel: Channel, media: RemoteMedia) -> InboundFile:
        """Fetch a file that the platform keeps. Raises NotFetched."""
        raise NotImplementedError

    def tend(self, channel: Channel) -> dict[str, Any]:
        """Look after a channel, now and then and when it has changed: is the log-in good, are we still told of news?

        What is not as it should be is mended where that can be done. Returns what is kept in `Channel.condition`;
        raises DeliveryError where the platform lets us in no more.
        """
        return {}

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        """Turn stored bytes into plain values. Raises `Ignore`, or any error, which is kept on the receipt."""
        raise NotImplementedError

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """What else is to be done for messages of this kind that were taken in, in the transaction that does it."""

    def replied(self, message: Message) -> None:
        """A reply has left, or is on its way: called with its ticket locked, in the transaction that says so."""

    def pressed(self, channel: Channel, press: Press) -> None:
        """A press was taken in, in this transaction: the platform may want to be told."""

    def shows_press(self, message: Message, key: str) -> None:
        """Which of a message's buttons is pressed, noted in the row (which is saved next) as this kind shows it."""

    def said(self, tickets: Collection[int]) -> None:
        """Something new stands in these tickets (numbers), of whatever channel or a note; called in the transaction
        that wrote it, each time: what it takes to tell of it is done after the commit.
        """

    def status_changed(self, ticket: Ticket, *, by: Agent | None) -> None:
        """A ticket of any channel, locked, was solved, closed or opened again; called in that transaction."""

    def after_reply(self, ticket: Ticket) -> str:
        """The status that a reply gives its ticket, where nobody chose another."""
        return str(settings.AFTER_REPLY_STATUS)

    def freeze(self, message: Message, answered: Message | None) -> None:
        """Write into the unsaved row what the wire will need (ids, headers), inside the transaction of the click."""

    @contextmanager
    def connection(self, channel: Channel) -> Iterator[Any]:
        """One connection for several sends; whatever it yields is handed to `send`. Raises DeliveryError."""
        yield None

    def probe(self, connection: Any) -> None:
        """Ask for something that does no harm, before a message goes to a far side that failed a moment ago: one that
        got no answer would be of unknown fate. Raises DeliveryError; by default nothing is asked.
        """

    def send(self, message: Message, connection: Any) -> Sent:
        """Send one message. Raises DeliveryError."""
        raise NotImplementedError

    def left(self, message: Message, connection: Any) -> None:
        """What else is to be done once a message has left, and that is written down. Nothing depends on it."""

    def raw(self, message: Message) -> tuple[bytes, str]:
        """What leaves or left on the wire, and its content type."""
        raise NotImplementedError

    def may_reply(self, ticket: Ticket, channel: Channel) -> Verdict:
        """Whether an answer may leave on this channel now. What may leave although it is not `allowed`, such as a
        template, stands in `allows`, by the name that `prepare` gives as `way`.
        """
        return Verdict(True)

    def rings(self, ticket: Ticket, channel: Channel) -> bool:
        """Whether a message makes a telephone ring here: in quiet hours (`inbox.quiet`) what we begin waits."""
        return self.messenger

    def prepare(
        self, ticket: Ticket, channel: Channel, text: str, options: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """The text of an answer with such options, and what its row keeps of them (`payload["options"]`).

        `options` is what only this kind knows: a template with its values, an answer in public or not. Its `way` is
        looked for in `Verdict.allows`. Raises ActionError, also for an option that is not known, and Unconfirmed for
        what its writer is asked about first, such as an answer that everybody reads.
        """
        if options:
            raise ActionError(_("This channel has no such options."), "options")
        return text, {}

    def takes(self, ticket: Ticket, channel: Channel, options: Mapping[str, Any]) -> Takes:
        """What an answer takes of words and files; what does not fit is refused before it is queued, and told while one
        writes. `options` are those that `prepare` returned, empty for the usual answer. No queries: every page asks.
        """
        return Takes(self.limit)

    def composer_panel(
        self, ticket: Ticket, channel: Channel, agent: Agent, options: Mapping[str, str] | None = None
    ) -> Panel | None:
        """What whoever answers here chooses from, beside the text: fields named `option.…`, which go to `prepare`.
        `options` is what stands in them, where the panel is asked for anew, or what a draft of perhaps days ago says:
        what cannot be chosen any more is left out. `Panel.takes` is what each `way` takes.
        """
        return None

    def route_hint(self, ticket: Ticket, beside: Mapping[str, Sequence[Mapping[str, Any]]]) -> StrOrPromise:
        """What whoever answers should know of the way, such as that the answer takes another one; empty for nothing.

        `beside` are the rows of `inbox.panel`: what else is asked for is another query of every ticket's page.
        """
        return ""

    def may_send(self, channel: Channel) -> Verdict:
        """Whether the channel is able to send at all (a mailbox without SMTP keeps its replies queued, and says so)."""
        return Verdict(True)

    def own_addresses(self, channel: Channel) -> Collection[str]:
        """The addresses that are the channel's, lower-cased, whether mail arrives there or only leaves from there: they
        are never a customer. Reads of the channel its settings and addresses alone; asked for each batch of receipts.
        """
        return channel.addresses

    def scope(self, channel: Channel) -> str:
        """Within which an address of this channel means somebody (`Party.scope`); empty where it does everywhere."""
        return ""

    def reaches(self, channel: Channel, ticket: Ticket | None = None) -> list[tuple[str, str]]:
        """By which addresses (kind, scope) somebody is written to on this channel, the best first; for what a ticket
        is about, where that makes a difference (a comment is answered to who commented).
        """
        return [(self.identity_kind, self.scope(channel))]

    def takes_in(self, address: str) -> bool:
        """Whether mail to this address ends up in one of our channels, where agents read it."""
        return False

    def signature(self, ticket: Ticket, channel: Channel, agent: Agent | None) -> str:
        """What the channel puts under a reply of this agent, as plain text; shown while one writes it."""
        return ""

    def warnings(self, channel: Channel) -> list[str]:
        """What will stop this channel, or hinders it without stopping it: sentences for the main screen."""
        return []

    def login_ends_at(self, channel: Channel) -> datetime | None:
        """When its token, or the consent behind it, ends by itself; None where it does not, or nobody knows."""
        return None

    def explain(self, inbound: Inbound) -> dict[str, Any]:
        """What the system makes of this message, for people who ask why."""
        return {}


_registry: dict[str, Adapter] = {}


def register(adapter: Callable[[], Adapter]) -> Callable[[], Adapter]:
    """Class decorator: make this kind known. Called when the adapter's app is ready."""
    made = adapter()
    _registry[made.kind] = made
    return adapter


def adapter_for(kind: str) -> Adapter:
    """The adapter of a kind; KeyError names an unknown one."""
    return _registry[kind]


def kinds() -> dict[str, Adapter]:
    """Every registered adapter by kind."""
    return dict(_registry)
