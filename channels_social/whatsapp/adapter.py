"""WhatsApp: one number of a business, over Meta's Cloud API."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social import checks, graph, media, reading
from channels_social.messenger import Messenger, Part
from channels_social.whatsapp import notices, parsing, templates
from channels_social.whatsapp.api import DOCUMENTS, MOST, PLATFORM, TYPES, WITHOUT_WORDS, WhatsApp, kind_of
from channels_social.whatsapp.settings import WhatsAppSettings
from inbox.actions import receive
from inbox.actions.errors import ActionError
from inbox.adapters import (
    Check,
    DeliveryError,
    InboundFile,
    NotFetched,
    Panel,
    Parsed,
    RawReceipt,
    RemoteMedia,
    Unverified,
    register,
)
from inbox.counting import Limit
from inbox.fitting import Files, Takes, up_to
from inbox.models import Agent, Channel, DeliveryState, Message, Receipt, Ticket
from lib import http

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NUMBER_FIELDS = "display_phone_number,verified_name,quality_rating"
MOST_SHOWN = 100  # templates in the composer


@register
class WhatsAppAdapter(Messenger):
    kind = "whatsapp"
    icon = "whatsapp"
    label = gettext_lazy("WhatsApp")
    identity_kind = "phone"
    limit = Limit(4096)
    caption = 1024
    window = timedelta(hours=24)
    writing_seconds = 20  # of the 25 that WhatsApp shows it
    tells_reading = True
    writing_shows_reading = True
    late_ways = frozenset({"template"})
    buttons = 10
    secrets = ("token", "app_secret")
    connect_label = gettext_lazy("Connect WhatsApp")

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> WhatsAppSettings:
        return WhatsAppSettings(data, channel)

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Never to another server, nor for another account."""
        return all(old.get(one) == new.get(one) for one in ("api_url", "waba_id"))

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        return [
            (_("Number"), reading.text(channel.condition.get("number"), 40)),
            (_("Name at WhatsApp"), reading.text(channel.condition.get("name"), 200)),
            (_("WhatsApp Business account ID"), str(channel.settings.get("waba_id", ""))),
            (_("Templates"), str(len(known_templates(channel)) or "")),
            graph.end_of(channel),
        ]

    def panels(self, channel: Channel, agent: Agent) -> list[Panel]:
        return [graph.webhook_panel(channel, "WhatsApp")]

    def reaches(self, channel: Channel, ticket: Ticket | None = None) -> list[tuple[str, str]]:
        """By number, or those who hide theirs by the id that WhatsApp gives them for this business."""
        return [("phone", ""), (parsing.USER, "")]

    def wire(self, channel: Channel, session: requests.Session) -> WhatsApp:
        secrets = channel.secrets
        return WhatsApp(
            session,
            graph.base_of(channel),
            str(secrets.get("token", "")),
            str(secrets.get("app_secret", "")),
            str(channel.settings.get("phone_number_id", "")),
        )

    # In ------------------------------------------------------------------------------------------------------------

    def handshake(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        return graph.handshake(request, channel)

    def webhook(
        self, request: HttpRequest, channel: Channel, body: bytes
    ) -> tuple[list[RawReceipt], HttpResponse | None]:
        """News of another number of the same account go to its channel: WhatsApp has one address for all of them. Those
        of the account itself go to each of them.
        """
        graph.verify(request, channel, body)
        whose: dict[str, Channel | None] = {"": channel, str(channel.settings.get("phone_number_id")): channel}
        found: dict[int, list[RawReceipt]] = {}
        everybody: list[Channel] | None = None
        for field, value, about in parsing.values(body):
            number = parsing.number_of(value)
            if not number and field in notices.FIELDS:
                everybody = _siblings(request, channel, body) if everybody is None else everybody
                for one in everybody:
                    whose[str(one.settings.get("phone_number_id"))] = one
                    found.setdefault(one.pk, []).extend(parsing.receipts(field, value, about))
            elif number not in whose:
                whose[number] = _sibling(request, channel, number, body)
            if (of := whose[number]) is not None:
                found.setdefault(of.pk, []).extend(parsing.receipts(field, value, about))
        for other in whose.values():
            if other is not None and other.pk != channel.pk:
                receive.put(other, found[other.pk])
        return found.get(channel.pk, []), None

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        told = reading.load(raw)
        if not isinstance(told, dict):
            raise ValueError("no event of WhatsApp")
        return parsing.parse(told, f"channel:{receipt.channel_id}", receipt.at, receipt.channel)

    def fetch_file(self, channel: Channel, session: requests.Session, remote: RemoteMedia) -> InboundFile:
        """Ask for its address, good for five minutes, then get it with the token."""
        wire = self.wire(channel, session)
        try:
            found = wire.get(str(remote.ref.get("id", "")))
        except DeliveryError as error:
            reason = _("WhatsApp has this file no more.") if error.permanent else error.reason
            raise NotFetched(reason, permanent=error.permanent, retry_after=error.retry_after) from None
        sized = replace(remote, size=remote.size or reading.number(found.get("file_size")))
        # An address that is over is asked for anew: that it is gone says nothing of the file.
        url = reading.text(found.get("url"), 2000)
        return media.download(session, url, sized, headers=wire.bearer, gone=frozenset())

    # Out -----------------------------------------------------------------------------------------------------------

    def prepare(
        self, ticket: Ticket, channel: Channel, text: str, options: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """`template` ("name|language") with its variables in order, as "1", "2", …; the text is what it says then."""
        left = dict(options)
        chosen = str(left.pop("template", "") or "").strip()
        values = {int(name): str(left.pop(name)) for name in list(left) if name.isdecimal() and len(name) < 4}
        if not chosen:
            if values:
                raise ActionError(_("Choose the template that these values are for."), "options")
            return super().prepare(ticket, channel, text, left)
        if left:
            raise ActionError(_("A template goes alone: it quotes nothing."), "options")
        found = next((one for one in known_templates(channel) if templates.key(one) == chosen), None)
        if found is None:
            raise ActionError(_("There is no such template: test the connection to read them anew."), "options")
        try:
            said, sent = templates.fill(
                found, [values.get(place, "") for place in range(1, max(values, default=0) + 1)]
            )
        except templates.Wrong as error:
            raise ActionError(str(error), "options", str(error.place or "")) from error
        if text.strip() and text.strip() != said.strip():
            raise ActionError(_("A template has words of its own: send it without others."), "options")
        return said, {"way": "template", "template": sent}

    def takes(self, ticket: Ticket, channel: Channel, options: Mapping[str, Any]) -> Takes:
        """A template has a length of its own, and goes alone. What is too large for a picture goes as a document."""
        if options.get("way") == "template":
            return Takes(None, Files((), _("A template goes alone: send files once they have answered.")))
        refusal = _(
            "WhatsApp takes pictures (JPEG, PNG), sound, MP4 videos, PDF, Office and text: “{name}” is something else. "
            "Send it as a PDF, or a link to it."
        )
        return Takes(self.limit, Files(up_to(MOST["document"], *TYPES, *DOCUMENTS), refusal))

    def composer_panel(
        self, ticket: Ticket, channel: Channel, agent: Agent, options: Mapping[str, str] | None = None
    ) -> Panel | None:
        """The templates by name; of the one that is chosen its own fields, and what it says as they are filled in.

        Where nothing else gets through they stand open.
        """
        known, left = known_templates(channel)[:MOST_SHOWN], left_templates(channel)[:MOST_SHOWN]
        if not known and not left:
            return None
        said = options or {}
        given = {int(name): value for name, value in said.items() if name.isdecimal() and len(name) < 4}
        chosen = next((one for one in known if templates.key(one) == said.get("template")), None)
        told = {
            "templates": [{"key": templates.key(one), **one} for one in known],
            "left": [{**one, "why": templates.why_not(one)} for one in left],
            "chosen": templates.key(chosen) if chosen else "",
            "fields": templates.asked(chosen, given) if chosen else [],
            "preview": templates.preview(chosen, given) if chosen else [],
            "open": chosen is not None or not self.may_reply(ticket, channel).allowed,
        }
        takes = {"template": self.takes(ticket, channel, {"way": "template"})}
        return Panel("channels_social/whatsapp_composer.html", told, takes=takes)

    def freeze(self, message: Message, answered: Message | None) -> None:
        """Beside what is quoted: their number as WhatsApp itself writes it, which may differ from how it is dialled."""
        super().freeze(message, answered)
        if answered is not None and message.to and answered.author_address == message.to[0]["address"]:
            wa_id = answered.payload.get("wa_id")
            message.payload |= {"wa_id": wa_id} if wa_id else {}

    def parts(self, message: Message) -> list[Part]:
        """A template is one part, however long; sound and stickers come without words."""
        if message.payload.get("options", {}).get("way") == "template":
            files = list(message.attachments.order_by("pk")) if message.has_files else []
            return [Part(message.text, first=True), *(Part(file=file) for file in files)]
        found = super().parts(message)
        if len(found) == 1 and found[0].text and found[0].file and kind_of(found[0].file) in WITHOUT_WORDS:
            return [Part(found[0].text, first=True), Part(file=found[0].file)]
        return found

    def left(self, message: Message, connection: Any) -> None:
        with contextlib.suppress(DeliveryError):  # it has left, whatever becomes of the ticks
            self._mark_read(message, connection)

    def _mark_read(self, message: Message, wire: WhatsApp) -> None:
        """Whoever is answered sees that they were read: once, with the first answer."""
        if message.answers_id is None or message.kind != "message":
            return
        mine = Message.objects.filter(answers=message.answers_id, channel=message.channel_id, kind="message")
        left = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)
        if not mine.exclude(pk=message.pk).filter(state__in=left).exists():
            read = Message.objects.filter(pk=message.answers_id, channel=message.channel_id)
            if wamid := read.values_list("external_id", flat=True).first():
                wire.show_read(wamid, writing=False)

    def show_activity(self, wire: WhatsApp, message: Message, *, writing: bool) -> None:
        wire.show_read(message.external_id, writing=writing)

    # Health --------------------------------------------------------------------------------------------------------

    def check(self, channel: Channel) -> list[Check]:
        return checks.run(lambda: self.tend(channel), self._lines, channel)

    def tend(self, channel: Channel) -> dict[str, Any]:
        """Look whether the token works and until when, whether we are told of news, and which templates there are."""
        with http.Session() as session:
            wire = self.wire(channel, session)
            me = wire.get(wire.number, fields=NUMBER_FIELDS)
            found: dict[str, Any] = {
                "number": reading.text(me.get("display_phone_number"), 40),
                "name": reading.text(me.get("verified_name"), 200),
                "quality": reading.text(me.get("quality_rating"), 20),
                "trouble": "",
                **graph.token_state(wire),
            }
            waba = str(channel.settings.get("waba_id", ""))
            try:
                found["subscribed"] = self._subscribe(wire, channel, waba)
                url = checks.hook_url(channel)
                found |= checks.news(channel, [url], [url] if found["subscribed"] else [])
                rows = list(
                    wire.pages(f"{waba}/message_templates", fields=templates.FIELDS, status="APPROVED", limit="100")
                )
                for name, read in (("templates", templates.kept), ("templates_left", templates.left)):
                    kept = (read(row) for row in rows)
                    found[name] = sorted((one for one in kept if one), key=templates.key)[: templates.MOST]
            except DeliveryError as error:
                if not error.permanent and error.fault != "auth":
                    raise
                found["trouble"] = str(error.reason)[:500]  # messages come and go all the same
                found.setdefault("told_of", channel.condition.get("told_of") or [])
            return found

    def _subscribe(self, wire: WhatsApp, channel: Channel, waba: str) -> bool:
        """Be told of news at our own address; True where that had to be set (anew)."""
        siblings = Channel.objects.filter(kind=self.kind, settings__waba_id=waba)
        ours = {checks.hook_url(one) for one in [channel, *siblings]}
        apps = wire.pages(f"{waba}/subscribed_apps")
        if any(reading.text(one.get("override_callback_uri"), 2000) in ours for one in apps):
            return False
        wire.post(
            f"{waba}/subscribed_apps",
            {"override_callback_uri": checks.hook_url(channel), "verify_token": graph.verify_token(channel)},
            repeatable=True,
        )
        return True

    def login_ends_at(self, channel: Channel) -> datetime | None:
        return graph.expires_at(channel)

    def warnings(self, channel: Channel) -> list[str]:
        found = graph.warnings(channel)
        if channel.condition.get("trouble"):
            found.append(f"{channel.name}: {reading.text(channel.condition['trouble'], 500)}")
        if channel.condition.get("quality") == "RED":
            found.append(
                _("%(channel)s: WhatsApp rates this number's quality as low, and may let fewer messages through.")
                % {"channel": channel.name}
            )
        return [*found, *notices.sentences(channel), *checks.told_again(channel, PLATFORM)]

    def _lines(self, found: Mapping[str, Any], channel: Channel) -> list[Check]:
        named = {"number": found["number"], "name": found["name"]}
        lines = [Check(_("Token"), True, _("WhatsApp knows it as %(name)s, %(number)s.") % named)]
        lines += [Check(_("Token"), False, one) for one in graph.warnings(channel)]
        if found["trouble"]:
            return [*lines, Check(_("News"), False, found["trouble"])]
        count = len(found["templates"])
        return [
            *lines,
            Check(_("News"), True, _("WhatsApp calls %(url)s") % {"url": checks.hook_url(channel)}),
            Check(_("Templates"), True, _("%(number)s can be sent from here.") % {"number": count}),
        ]


def known_templates(channel: Channel) -> list[dict[str, Any]]:
    """The approved templates that can be sent from here, as they were read last."""
    return [dict(one) for one in reading.rows(channel.condition.get("templates"))]


def left_templates(channel: Channel) -> list[dict[str, Any]]:
    """Those that cannot be filled in from here; `templates.why_not` says why."""
    return [dict(one) for one in reading.rows(channel.condition.get("templates_left"))]


def _sibling(request: HttpRequest, channel: Channel, number: str, body: bytes) -> Channel | None:
    """The channel of another number of the same business account, if the call is signed for it as well."""
    same = {"settings__waba_id": channel.settings.get("waba_id"), "settings__phone_number_id": number}
    found = Channel.objects.filter(kind=channel.kind, **same).first()
    if found is not None:
        try:
            graph.verify(request, found, body)
        except Unverified:
            return None
    return found


def _siblings(request: HttpRequest, channel: Channel, body: bytes) -> list[Channel]:
    """The channels of other numbers of the same business account for which the call is signed as well."""
    others = Channel.objects.filter(kind=channel.kind, settings__waba_id=channel.settings.get("waba_id"))
    found = []
    for other in others.exclude(pk=channel.pk):
        with contextlib.suppress(Unverified):
            graph.verify(request, other, body)
            found.append(other)
    return found
