"""The generic channel: any software posts messages in and is posted the answers. docs/channels/api.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social import checks, reading
from channels_social.api import events, wire
from channels_social.api.settings import READERS, SECRET, ApiSettings, is_public, limit_of
from channels_social.api.shapes import Malformed
from channels_social.api.wire import Integrator, Piece
from channels_social.messenger import Messenger, Part, Profile, spoke_in_public
from inbox import counting
from inbox.actions import channel_secrets, pictures
from inbox.actions.errors import ActionError, Unconfirmed
from inbox.adapters import Arrival, Check, DeliveryError, Panel, Parsed, RawReceipt, Unverified, Verdict, register
from inbox.counting import Limit
from inbox.fitting import Takes
from inbox.models import Agent, Channel, Direction, Identity, Message, Receipt, Ticket
from inbox.rights import Right, may
from lib import http, standard_webhooks

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

OPTION = "public"  # of an answer: "yes" or "no"
ASK = "ask"  # of an answer: yes, once its writer has been asked


@register
class ApiAdapter(Messenger):
    kind = "api"
    label = gettext_lazy("Software of your own")
    icon = "code"
    identity_kind = "api"
    repeat_safe = True  # each try carries the same webhook-id
    secrets = (SECRET,)
    knows_people = True
    signs_with = SECRET
    connect_label = gettext_lazy("Connect software of your own")

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> ApiSettings:
        return ApiSettings(data, channel)

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """It belongs to the channel, whatever its settings, and never leaves: both sides sign with it."""
        return True

    def scope(self, channel: Channel) -> str:
        """What the integrator calls people means somebody on this channel alone."""
        return f"channel:{channel.pk}"

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        hours = channel.settings.get("window_hours")
        return [
            (_("Answers are posted to"), str(channel.settings.get("webhook_url") or _("nowhere"))),
            (_("Who can read messages and answers"), str(dict(READERS)["yes" if is_public(channel) else "no"])),
            (_("Hours in which a message can be answered"), str(hours or _("at any time"))),
        ]

    def panels(self, channel: Channel, agent: Agent) -> list[Panel]:
        """Where to post to, and how; whoever may change the channel can roll its secret, which nobody reads."""
        known = {
            "url": checks.hook_url(channel),
            "slug": channel.slug,
            "may_roll": may(agent, Right.CHANNELS),
            "former_until": channel_secrets.former_until(channel, SECRET),
        }
        return [Panel("channels_social/api_panel.html", known)]

    def wire(self, channel: Channel, session: requests.Session) -> Integrator:
        return Integrator(
            session, str(channel.settings.get("webhook_url", "")), channel_secrets.in_force(channel, SECRET)
        )

    # In ------------------------------------------------------------------------------------------------------------

    def webhook(
        self, request: HttpRequest, channel: Channel, body: bytes
    ) -> tuple[list[RawReceipt], HttpResponse | None]:
        """One event or a list. Of a call that is signed, and wrong in any part of it, nothing is kept: it is told why,
        field by field."""
        try:
            secret, *former = channel_secrets.in_force(channel, SECRET) or [""]
            call = standard_webhooks.verify(secret, request.headers, body, former=former)
        except standard_webhooks.Wrong as error:
            raise Unverified(str(error)) from error
        try:
            found = events.split(body)
        except Malformed as error:
            return [], _problem(error)
        stored = [(place, one) for place, one in enumerate(found) if one["type"] != events.PING]
        return [_receipt(one, call, place) for place, one in stored], JsonResponse({"received": len(found)})

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        told = reading.load(raw)
        if not isinstance(told, dict):
            raise ValueError("no event")
        known = events.Known(self.scope(receipt.channel), receipt.at, is_public(receipt.channel))
        return events.parse(told, known)

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """Where somebody's picture is comes with what they wrote: the newest place counts, and another one at once."""
        places = {
            (one.message.channel_id, one.message.author_address): one.picture
            for one in sorted(arrivals, key=lambda one: one.message.created_at)
            if one.picture
        }
        if places:
            known = Identity.objects.active().filter(kind=self.identity_kind, value__in=[who for _, who in places])
            rows = known.values_list("pk", "scope", "value")
            scopes = {one.message.channel_id: self.scope(one.message.channel) for one in arrivals}
            pictures.told(
                {pk: url for (channel, who), url in places.items() for pk, scope, value in rows
                 if (scope, value) == (scopes[channel], who)}
            )  # fmt: skip
        super().arrived([one for one in arrivals if one.picture])

    def profile(self, channel: Channel, session: requests.Session, identity: Identity) -> Profile:
        """Nobody is asked: the integrator has said where the picture is."""
        return Profile(picture=pictures.source_of(identity) or None)

    # Out -----------------------------------------------------------------------------------------------------------

    def may_send(self, channel: Channel) -> Verdict:
        if channel.settings.get("webhook_url"):
            return Verdict(True)
        return Verdict(False, _("This channel has no address that answers are posted to: give one in its settings."))

    def may_reply(self, ticket: Ticket, channel: Channel) -> Verdict:
        """As for any messenger; and where a window is set, not after it."""
        verdict = super().may_reply(ticket, channel)
        hours = channel.settings.get("window_hours")
        if not verdict.allowed or not hours:
            return verdict
        closes = _last_heard(ticket, channel)
        if closes is not None:
            closes += timedelta(hours=int(hours))
        if closes is None or closes <= timezone.now():
            return Verdict(False, self.closed(closes), closes)
        return Verdict(True, until=closes)

    def rings(self, ticket: Ticket, channel: Channel) -> bool:
        """What everybody can read is no message to somebody."""
        return not is_public(channel)

    def prepare(
        self, ticket: Ticket, channel: Channel, text: str, options: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """`public` ("yes" or "no") says who reads the answer; without it, whoever reads what is answered. The composer
        says "ask" for the first of a ticket that everybody is to read: that is confirmed by `public_ok`.
        """
        left = dict(options)
        chosen = left.pop(OPTION, None)
        agreed = bool(left.pop("public_ok", ""))
        if chosen == ASK:
            if not agreed:
                raise Unconfirmed(
                    _("Everybody can read this answer, as they can read what it answers. Is it meant for all?"),
                    "public",
                    "public_ok",
                    _("Send it for all to read"),
                )
            chosen = "yes"
        text, kept = super().prepare(ticket, channel, text, left)
        if chosen is not None:
            if chosen not in {"yes", "no", True, False}:
                raise ActionError(_("“public” is yes or no."), "options")
            kept[OPTION] = chosen in {"yes", True}
        return text, kept

    def takes(self, ticket: Ticket, channel: Channel, options: Mapping[str, Any]) -> Takes:
        """As many characters as the channel's settings say; files are fetched from Rabta, of any kind."""
        return Takes(_limit(channel))

    def composer_panel(
        self, ticket: Ticket, channel: Channel, agent: Agent, options: Mapping[str, str] | None = None
    ) -> Panel | None:
        """Asked where it makes a difference: what was written last can be read by everybody."""
        last = Message.objects.filter(ticket=ticket, channel=channel, direction=Direction.IN).order_by("-pk")
        payload = last.values_list("payload", flat=True).first()
        if not payload or not payload.get("public"):
            return None
        told = {"everybody": "yes" if spoke_in_public(ticket) else ASK, "public": (options or {}).get(OPTION) != "no"}
        return Panel("channels_social/api_composer.html", told)

    def freeze(self, message: Message, answered: Message | None) -> None:
        """An answer stands where what it answers stands: in its thread, below it, and as public as it is."""
        super().freeze(message, answered)
        about = answered.payload if answered is not None else {}
        if answered is not None and not message.in_reply_to:
            message.in_reply_to = answered.external_id
        if about.get("thread"):
            message.payload["thread"] = about["thread"]
        chosen = message.payload.get("options", {}).get(OPTION)
        public = chosen if chosen is not None else about.get("public", False if about else is_public(message.channel))
        if public:
            message.payload["public"] = True

    def parts(self, message: Message) -> list[Part]:
        """One event; longer than the channel takes, several. The files go with the first."""
        files = tuple(message.attachments.order_by("pk")) if message.has_files else ()
        texts = counting.split(message.text, _limit(message.channel)) or [""]
        return [
            Piece(text, first=place == 0, place=place, files=() if place else files) for place, text in enumerate(texts)
        ]

    def raw(self, message: Message) -> tuple[bytes, str]:
        told = [wire.event_of(message, one) for one in self.parts(message) if isinstance(one, Piece)]
        return json.dumps(told, ensure_ascii=False, indent=1).encode(), "application/json"

    # Health --------------------------------------------------------------------------------------------------------

    def check(self, channel: Channel) -> list[Check]:
        """Post a ping, signed as any answer is. `tend` does not: nobody wants one every few minutes."""
        lines = [Check(_("Messages"), True, _("They are posted to %(url)s") % {"url": checks.hook_url(channel)})]
        sending = self.may_send(channel)
        if not sending.allowed:
            return [*lines, Check(_("Answers"), False, sending.reason)]
        try:
            with http.Session() as session:
                self.wire(channel, session).ping()
        except DeliveryError as error:
            return [*lines, Check(_("Answers"), False, error.reason)]
        url = channel.settings["webhook_url"]
        return [*lines, Check(_("Answers"), True, _("%(url)s took a signed ping.") % {"url": url})]


def _limit(channel: Channel) -> Limit:
    return Limit(limit_of(channel), "codepoints")


def _receipt(event: Mapping[str, Any], call: str, place: int) -> RawReceipt:
    created = event["type"] == "message.created"
    raw = json.dumps(event, ensure_ascii=True).encode()
    return RawReceipt(raw, events.name(event, call, place), key=str(event["id"]) if created else "")


def _problem(error: Malformed) -> HttpResponse:
    """RFC 9457, as the API tells of errors: the first in words, all of them by field."""
    name, said = next(iter(error.errors.items()))
    told = {
        "type": "about:blank",
        "title": _("Malformed event"),
        "status": 422,
        "detail": f"{name}: {said}" if name else said,
        "errors": {field or "body": [words] for field, words in error.errors.items()},
    }
    return JsonResponse(told, status=422, content_type="application/problem+json")


def _last_heard(ticket: Ticket, channel: Channel) -> datetime | None:
    heard = Message.objects.filter(ticket_id=ticket.pk, channel=channel, direction=Direction.IN)
    return heard.order_by("-created_at").values_list("created_at", flat=True).first()
