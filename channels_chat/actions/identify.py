"""Who a visitor is: what the site vouches for (HMAC), and what somebody merely says.

The HMAC covers the user's id and nothing else. An e-mail address that comes with it stays a claim: whoever is logged in
to the site could write another one into the call. A claim is proven by an answer from that address
(`inbox.actions.proving`).

The site's id means somebody of this site alone: identities of visitors have their channel as scope, since user 7 of one
shop is nobody in another.
"""

from __future__ import annotations

import hashlib
import hmac as hmacs
import logging
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from prometheus_client import Counter

from channels_chat import hub
from channels_chat.actions import visitors
from channels_chat.actions.visitors import scope
from channels_chat.forms import SECRET
from channels_chat.models import Visitor
from inbox import log
from inbox.actions import customers, joining
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.addresses import usable
from inbox.models import Channel, Customer, Identity, Ticket

logger = logging.getLogger(__name__)

LONGEST_ID = 190
NAME_LENGTH = 200
LOG_EVERY = 60.0  # seconds a channel
REFUSED = Counter("rabta_chat_identity_refused", "Users of a site that were named with a wrong proof.", ["channel"])
_logged: dict[int, float] = {}


def verify(channel: Channel, user: Mapping[str, Any], hmac: str) -> str:
    """The user's id if the channel's secret proves it, else an empty string."""
    given = id_of(user)
    secret = channel.secrets.get(SECRET) if given else ""
    if not secret or not isinstance(hmac, str):
        _refused(channel)
        return ""
    proof = hmacs.new(str(secret).encode(), given.encode(), hashlib.sha256).hexdigest()
    if not hmacs.compare_digest(proof.encode(), hmac.strip().lower().encode("utf-8", "replace")):
        _refused(channel)
        return ""
    return given


def id_of(user: Mapping[str, Any]) -> str:
    """The site's id of somebody as text; empty for what is none. Spelled otherwise it is somebody else's."""
    given = user.get("id")
    if isinstance(given, bool) or not isinstance(given, str | int):
        return ""
    try:
        text = str(given)
        text.encode()
    except ValueError:  # half a character, or a number of thousands of digits
        return ""
    return text if text.isprintable() and 0 < len(text) <= LONGEST_ID and text == text.strip() else ""


def _refused(channel: Channel) -> None:
    REFUSED.labels(channel.slug).inc()
    now = time.monotonic()
    if now - _logged.get(channel.pk, -LOG_EVERY) >= LOG_EVERY:
        _logged[channel.pk] = now
        logger.warning("chat channel %s: a user was named with a wrong proof", channel.slug)


def identify(visitor: Visitor, user: Mapping[str, Any], hmac: str, key: str = "") -> bool:
    """The site says who is logged in. False where this session is not theirs: a wrong proof, or somebody else's.

    Somebody else's session ends with that (in this browser, where its `key` is given): its key opens nothing any more,
    and what was said in it is not shown to whoever logged in after them. So it does where an anonymous session turned
    out to be another person who is proven.
    """
    proven = verify(visitor.channel, user, hmac)
    if not proven:
        return False
    fits = _fits(visitor, proven)
    if fits:
        claim(visitor, user)
    elif visitors.end(visitor, key):
        hub.tell([visitor.pk])
    return fits


def _fits(visitor: Visitor, proven: str) -> bool:
    """Whether the session is this user's, who has it from now on. Holds no row while customers are locked."""
    for _try in range(3):
        visitor.refresh_from_db()
        free = Visitor.objects.filter(pk=visitor.pk, user="", ended_at__isnull=True)
        if visitor.ended_at is not None:
            return False
        if visitor.user:
            return visitor.user == proven
        if visitor.customer_id is None:  # nobody knows them by another name yet
            done = free.filter(customer__isnull=True).update(user=proven, address=f"u:{proven}")
        elif not _vouch(visitor, visitor.customer_id, proven):
            return False
        else:
            done = free.update(user=proven)
        if done:
            visitor.refresh_from_db()
            return True
    return False


def _vouch(visitor: Visitor, customer_id: int, proven: str) -> bool:
    """Give the proven id to the visitor's customer, or the visitor to the customer who has it; False where neither is
    right, since both are people who are known for certain.
    """
    customer = Customer.objects.get(pk=customer_id)
    party = Party("chat", f"u:{proven}", visitor.name, scope(visitor.channel_id))
    owner = Identity.objects.active().filter(kind=party.kind, scope=party.scope, value=party.value)
    owner = owner.select_related("customer")
    if owner.first() is None and _other_user(visitor, customer, proven):
        return False
    try:
        found = owner.first() or customers.add_identity(customer, party, by=None, how="hmac")
    except ActionError:  # given to somebody else in this very moment
        found = owner.get()
    if found.customer_id == customer.pk:
        return True
    if not anonymous(customer, visitor):
        return False
    try:
        joining.merge(customer, found.customer, by=None)
    except ActionError:  # merged or erased meanwhile
        return False
    visitor.customer_id = found.customer_id
    return True


def _other_user(visitor: Visitor, customer: Customer, proven: str) -> bool:
    """Whether this customer is known to be another user of the same site."""
    users = Identity.objects.active().filter(customer=customer, kind="chat", scope=scope(visitor.channel_id))
    return users.filter(value__startswith="u:").exclude(value=f"u:{proven}").exists()


def anonymous(customer: Customer, visitor: Visitor) -> bool:
    """Whether nothing is known for certain of this customer but that this browser wrote."""
    proved = Identity.objects.active().filter(customer=customer)
    return not (
        proved.exclude(kind="chat", value=f"v:{visitor.public}").exists()
        or customer.external_id
        or customer.merged.exists()
        or Ticket.objects.filter(customer=customer).exclude(channel=visitor.channel_id).exists()
        or Visitor.objects.filter(customer=customer).exclude(pk=visitor.pk).exists()
    )


def claim(visitor: Visitor, fields: Mapping[str, Any]) -> None:
    """Keep what was typed, or what the site says without proof: name, e-mail, phone. What is no such thing is left out.

    They stand on the visitor, and as claims among the addresses of their customer once there is one; no history is
    joined by that.
    """
    said = {name: value for name in ("name", "email", "phone") if (value := _usable(name, fields.get(name)))}
    if not said:
        return
    Visitor.objects.filter(pk=visitor.pk).update(**said)
    visitor.refresh_from_db()
    if visitor.customer_id is not None:
        with transaction.atomic():
            _tell(visitor, visitor.customer_id)


def _usable(name: str, given: Any) -> str:
    if not isinstance(given, str) or len(given) > 1000:
        return ""
    if name == "name":
        line = " ".join(given.split())[:NAME_LENGTH].strip()
        return "".join(char for char in line if char.isprintable())
    try:
        value = usable(name, given)
    except ValidationError:
        return ""
    return value if len(value) <= (40 if name == "phone" else 320) else ""


def wrote(visitor: Visitor, ticket: Ticket) -> None:
    """The visitor's first message was taken in, and they have a customer: what was said of them goes there.

    Within the transaction that takes it in, the customer's row held.
    """
    if visitor.user:
        party = Party("chat", f"u:{visitor.user}", visitor.name, scope(visitor.channel_id))
        try:
            mine = customers.add_identity(ticket.customer, party, by=None, how="hmac")
            if mine.verified_how == "channel":  # how intake made it
                Identity.objects.filter(pk=mine.pk).update(verified_how="hmac")
        except ActionError:  # another customer's: agents are offered a merge
            customers.add_claims(ticket.customer, [party])
    _tell(visitor, ticket.customer_id)


def _tell(visitor: Visitor, customer_id: int) -> None:
    """Give a customer the name and the addresses that this visitor goes by."""
    customer = Customer.objects.get(pk=customer_id)
    name = visitor.name or visitor.email.partition("@")[0][:NAME_LENGTH] or _called(visitor)
    nameless = {"", visitor.address.partition("@")[0][:NAME_LENGTH], _called(visitor)}  # the second is intake's
    if customer.name in nameless and customer.name != name:
        if Customer.objects.filter(pk=customer_id, name=customer.name).update(name=name):
            log.record(None, "customer_changed", customer=customer_id, fields=["name"])
            customers.announce(customer_id)
    given = [Party(kind, value, visitor.name) for kind, value in (("email", visitor.email), ("phone", visitor.phone))]
    customers.add_claims(customer, [party for party in given if party.value])


def _called(visitor: Visitor) -> str:
    """What somebody without a name is called, so that agents can tell two of them apart."""
    with translation.override(settings.LANGUAGE_CODE):
        return _("Visitor %(code)s") % {"code": visitor.public.hex[:4].upper()}
