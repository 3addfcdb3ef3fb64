"""SMS and MMS over Twilio: a number of one's own that customers write to."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social import checks, media, public, reading, signatures
from channels_social.messenger import Messenger, Part
from channels_social.sms import api, parsing, tending
from channels_social.sms.api import Mms, Twilio
from channels_social.sms.settings import SmsSettings, keeps_secret, number_of
from inbox import counting
from inbox.adapters import Check, InboundFile, NotFetched, Parsed, RawReceipt, RemoteMedia, register
from inbox.counting import Limit
from inbox.fitting import Files, Takes, up_to
from inbox.models import Attachment, Channel, Message, Receipt, Ticket
from lib import http

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

HEADER = "X-Twilio-Signature"
NOTHING = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'  # TwiML that answers nothing


@register
class SmsAdapter(Messenger):
    kind = "sms"
    icon = "sms"
    label = gettext_lazy("SMS")
    identity_kind = "phone"
    limit = Limit(1600)
    caption = 1600
    secrets = ("auth_token", "api_key_secret")
    connect_label = gettext_lazy("Connect a number for SMS")

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> SmsSettings:
        return SmsSettings(data, channel)

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        return keeps_secret(name, old, new)

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        account = reading.text(channel.condition.get("account"), 100) or str(channel.settings.get("account_sid", ""))
        service = str(channel.settings.get("messaging_service_sid") or "")
        found: list[tuple[StrOrPromise, str]] = [(_("Number"), number_of(channel)), (_("Account"), account)]
        return [*found, *([(_("Messaging service"), service)] if service else []),
                (_("Webhook"), checks.hook_url(channel))]  # fmt: skip

    def own_addresses(self, channel: Channel) -> Collection[str]:
        return {*channel.addresses, number_of(channel)} - {""}

    def wire(self, channel: Channel, session: requests.Session) -> Twilio:
        return Twilio(session, channel)

    # In ------------------------------------------------------------------------------------------------------------

    def webhook(
        self, request: HttpRequest, channel: Channel, body: bytes
    ) -> tuple[list[RawReceipt], HttpResponse | None]:
        """Signed over the address that we gave, as it is known outside: what the request says of it counts for nothing
        but its query, which is signed.
        """
        query = request.META.get("QUERY_STRING", "")
        url = checks.hook_url(channel) + (f"?{query}" if query else "")
        token = str(channel.secrets.get("auth_token", ""))
        given = request.headers.get(HEADER, "")
        signatures.twilio_call(token, url, body, request.headers.get("Content-Type", ""), given)
        fields = parsing.fields_of(body)
        name = parsing.name_of(fields) or f"other:{hashlib.sha256(body).hexdigest()}"
        about = reading.number(next(iter(parse_qs(query).get("message", [])), 0))
        message = parsing.is_message(fields)
        raw = RawReceipt(
            body,
            name,
            key=parsing.sid_of(fields) if message else "",
            meta={"message_id": about} if about and not message else {},
        )
        answer = HttpResponse(NOTHING, content_type="text/xml") if message else HttpResponse(status=204)
        return [raw], answer

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        about = reading.number(receipt.meta.get("message_id"))
        return parsing.parse(raw, f"channel:{receipt.channel_id}", receipt.at, about)

    def fetch_file(self, channel: Channel, session: requests.Session, remote: RemoteMedia) -> InboundFile:
        """With our log-in, which goes to Twilio alone; without it where that is not taken."""
        url = str(remote.ref.get("url", ""))
        twilio = self.wire(channel, session)
        if urlsplit(url)[:2] != urlsplit(twilio.base)[:2]:
            return media.download(session, url, remote)
        login = base64.b64encode(":".join(twilio.login).encode()).decode()
        try:
            return media.download(session, url, remote, headers={"Authorization": f"Basic {login}"})
        except NotFetched as error:
            if error.permanent:
                raise
            return media.download(session, url, remote)

    # Out -----------------------------------------------------------------------------------------------------------

    def parts(self, message: Message) -> list[Part]:
        """The words, and files by the ten or five megabytes; together where they are one message."""
        texts = counting.split(message.text, self.limit) if self.limit and message.text.strip() else []
        groups = _groups(list(message.attachments.order_by("pk"))) if message.has_files else []
        if len(texts) == 1 and groups:
            groups, found = groups[1:], [Mms(text=texts[0], files=groups[0])]
        else:
            found = [Mms(text=one) for one in texts]
        found += [Mms(files=one) for one in groups]
        return [Mms(one.text, first=place == 0, files=one.files) for place, one in enumerate(found)]

    def raw(self, message: Message) -> tuple[bytes, str]:
        """As all messengers, with all files of each part."""
        told, kind = super().raw(message)
        found = json.loads(told)
        for one, part in zip(found["parts"], self.parts(message), strict=True):
            one["files"] = [file.name for file in part.files] if isinstance(part, Mms) else []
            del one["file"]
        return json.dumps(found, ensure_ascii=False, indent=1).encode(), kind

    def takes(self, ticket: Ticket, channel: Channel, options: Mapping[str, Any]) -> Takes:
        """One text leaves as one message of up to 1600 characters; the networks count it by segments."""
        if not public.reachable():
            told = _("Files go by SMS only where Rabta can be reached from the internet by https. Send a link.")
            return Takes(self.limit, Files((), told), sms=True)
        told = _("MMS carries pictures, sound, films, PDF and contacts: “{name}” is none of them. Send a link to it.")
        return Takes(self.limit, Files(up_to(api.MEDIA_BYTES, *api.CARRIED), told), sms=True)

    # Health --------------------------------------------------------------------------------------------------------

    def check(self, channel: Channel) -> list[Check]:
        return checks.run(lambda: self.tend(channel), self._lines, channel)

    def tend(self, channel: Channel) -> dict[str, Any]:
        with http.Session() as session:
            return tending.tend(self, self.wire(channel, session))

    def warnings(self, channel: Channel) -> list[str]:
        found = []
        if channel.condition.get("missing"):
            found.append(_missing(channel))
        if channel.condition.get("trial"):
            found.append(api.words_of(21608))
        if channel.condition.get("hook") == "unreachable":
            found.append(_unreachable())
        return [*found, *checks.told_again(channel, "Twilio")]

    def _lines(self, found: Mapping[str, Any], channel: Channel) -> list[Check]:
        lines = [Check(_("Account"), True, _("Twilio knows it as %(name)s.") % {"name": found["account"]})]
        if found["trial"]:
            lines.append(Check(_("Trial"), False, api.words_of(21608)))
        url = {"url": checks.hook_url(channel)}
        number = number_of(channel)
        if found["missing"]:
            return [*lines, Check(_("Number"), False, _missing(channel))]
        if number:
            lines.append(Check(_("Number"), True, number))
        if found["hook"] == "unreachable":
            return [*lines, Check(_("News"), False, _unreachable())]
        told = (
            _("Set this as the messaging service's webhook: %(url)s")
            if found["hook"] == "by hand"
            else _("Twilio calls %(url)s")
        )
        return [*lines, Check(_("News"), True, told % url)]


def _unreachable() -> str:
    return _(
        "Twilio cannot call Rabta, whose address (BASE_URL) is not https: messages come minutes late, and "
        "nothing is told of what was delivered."
    )


def _missing(channel: Channel) -> str:
    return _("This Twilio account has no number %(number)s.") % {"number": number_of(channel)}


def _groups(files: list[Attachment]) -> list[tuple[Attachment, ...]]:
    found: list[list[Attachment]] = []
    size = 0
    for one in files:
        if not found or len(found[-1]) == api.MOST_MEDIA or size + one.size > api.MEDIA_BYTES:
            found.append([])
            size = 0
        found[-1].append(one)
        size += one.size
    return [tuple(one) for one in found]
