"""What an outgoing mail needs beyond its text, written into the row in the transaction of the click.

Nothing of this is looked up again when the mail leaves: a changed signature or address changes no mail on its way.
"""

from datetime import datetime
from email.utils import format_datetime
from html import escape

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_email import tokens, wire
from channels_email.servers import address_of, own_addresses
from inbox import variables
from inbox.models import Agent, Channel, Message, Ticket
from lib import html as markup
from lib import signing

MAX_REFERENCES = 20  # the first, which names the thread, and the latest
LOOP_PURPOSE = "loop"
REPLY_PREFIX = "re:"


def freeze(message: Message, answered: Message | None) -> None:
    """Fill `message` (unsaved): ids, From, Reply-To, subject, references, date and signature."""
    channel = message.channel
    address, name = from_address(channel, answered)
    domain = wire.ascii_domain(address.rpartition("@")[2]).lower()
    message.external_id = tokens.make_message_id(message.ticket_id, domain, side=message.side_id)
    message.reply_to = [{"name": name, "address": reply_address(channel, message, address)}]
    message.subject = message.subject or subject(message, answered)
    if answered is not None:
        message.in_reply_to = answered.external_id
        message.references = references(answered)
    message.payload = {
        **message.payload,
        "from": {"name": from_name(message, name), "address": address},
        "date": format_datetime(leaves_at(message)),
        "loop": signing.sign(LOOP_PURPOSE, message.external_id),
    }
    if message.html:
        message.html = markup.clean(message.html)
        message.text = message.text if message.text.strip() else markup.to_text(message.html)
        message.visible_text = message.visible_text or message.text
    append_signature(message)


def leaves_at(message: Message) -> datetime:
    """The time the mail will carry: now, or when it is due."""
    now = timezone.now()
    return max(now, message.next_attempt_at or now).astimezone(timezone.get_default_timezone())


def display_name(channel: Channel) -> str:
    """How the channel calls itself to customers."""
    return str(channel.settings.get("name") or (channel.brand.name if channel.brand else "") or channel.name)


def from_address(channel: Channel, answered: Message | None) -> tuple[str, str]:
    """(address, name) to answer from: that of ours which the customer wrote to, else the mailbox's main one."""
    own = own_addresses(channel)
    written_to = [one["address"] for one in [*answered.to, *answered.cc]] if answered is not None else []
    envelope = answered.payload.get("headers", {}) if answered is not None else {}
    written_to += [str(envelope.get(name, "")) for name in ("x-original-to", "delivered-to")]  # in copy, and unseen
    found = next((one for address in written_to for one in _plain(address) if one in own), None)
    brand = channel.brand.from_address.lower() if channel.brand else ""
    address = found or (brand if brand in own else address_of(channel))
    return address, own.get(address.lower()) or display_name(channel)


def _plain(address: str) -> tuple[str, str]:
    """An address lower-cased, as it stands and without its +tag."""
    local, _at, domain = address.strip().strip("<>").lower().rpartition("@")
    return f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"


def from_name(message: Message, name: str) -> str:
    """`Sana via Acme Support` for a person, the channel's name for automatic mail."""
    if message.agent is None or message.is_auto_reply:
        return name
    with translation.override(language_of(message)):
        return _("%(agent)s via %(channel)s") % {"agent": message.agent.name, "channel": name}


def language_of(message: Message) -> str:
    """The language for our own words in a mail: the ticket's if we speak it, not that of whoever clicked."""
    return message.ticket.language if message.ticket.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def reply_address(channel: Channel, message: Message, sender: str) -> str:
    """Where answers go: to the sender if its mail arrives here; tagged when the mailbox takes that, else plain."""
    arrives = {address_of(channel).lower(), *channel.addresses}
    address = sender if sender.lower() in arrives else address_of(channel)
    if channel.settings.get("plus_addressing") or channel.settings.get("catch_all"):
        return tokens.tagged_address(address, message.ticket_id, side=message.side_id) or address
    return address


def subject(message: Message, answered: Message | None) -> str:
    """`Re: …` once, in front of the subject of the message being answered; the ticket's own for a first message."""
    opened = message.side.subject if message.side is not None else message.ticket.subject
    text = wire.one_line(answered.subject if answered else opened)
    if answered is None or text.casefold().startswith(REPLY_PREFIX):
        return text[:998]
    return f"Re: {text}"[:998]


def references(answered: Message) -> list[str]:
    """RFC 5322 3.6.4: its references (or what it answers), then its own id; bounded."""
    chain = [*(answered.references or [answered.in_reply_to]), answered.external_id]
    chain = list(dict.fromkeys(one for one in chain if one))
    return chain if len(chain) <= MAX_REFERENCES else [chain[0], *chain[1 - MAX_REFERENCES :]]


def signature(ticket: Ticket, channel: Channel, agent: Agent | None) -> str:
    """The agent's own, else the team's, else the brand's; its variables filled in."""
    own = agent.signature if agent else ""
    words = own or (ticket.team.signature if ticket.team else "") or (channel.brand.signature if channel.brand else "")
    if "{{" not in words:
        return words.strip()
    return variables.render(words, variables.values(ticket, agent, channel), quiet=True).text.strip()


def append_signature(message: Message) -> None:
    """Put the signature under text and HTML, once; what the agent wrote stays in `visible_text`."""
    if message.payload.get("signed") or message.payload.get("unsigned"):
        return
    mark = signature(message.ticket, message.channel, None if message.is_auto_reply else message.agent)
    if not mark:
        return
    message.payload = {**message.payload, "signed": True}
    message.visible_text = message.visible_text or message.text
    message.text = f"{message.text.rstrip()}\n\n-- \n{mark}\n"
    if message.html:
        lines = "<br>\n".join(escape(line) for line in mark.splitlines())
        message.html = f"{message.html}\n{markup.SIGNATURE}\n{lines}</div>"
