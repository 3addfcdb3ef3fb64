"""Telegram: a bot that customers write to, by long poll or webhook."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels_social import checks, errors, media, reading, signatures
from channels_social.messenger import Messenger, Profile
from channels_social.telegram import parsing
from channels_social.telegram.api import FILE_BYTES, Telegram
from channels_social.telegram.settings import TelegramSettings, api_url, polls
from inbox import wake
from inbox.adapters import (
    Arrival,
    Check,
    DeliveryError,
    InboundFile,
    NotFetched,
    Parsed,
    Press,
    RawReceipt,
    RemoteMedia,
    register,
)
from inbox.counting import Limit
from inbox.fitting import Files, Takes, up_to
from inbox.models import Channel, Identity, Message, Receipt, Ticket
from lib import http, signing

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

HEADER = "X-Telegram-Bot-Api-Secret-Token"
PURPOSE = "telegram webhook"
BATCH = 100
LONG_POLL = 20  # seconds
TROUBLE_LASTS = timedelta(minutes=15)


@register
class TelegramAdapter(Messenger):
    kind = "telegram"
    icon = "telegram"
    label = gettext_lazy("Telegram")
    identity_kind = "telegram"
    polls = True
    limit = Limit(4096)
    caption = 1024
    writing_seconds = 4  # of the five that Telegram shows it
    buttons = 100
    button_letters = 60
    secrets = ("token",)
    knows_people = True
    connect_label = gettext_lazy("Connect a Telegram bot")

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> TelegramSettings:
        return TelegramSettings(data, channel)

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Never to another server."""
        return old.get("api_url") == new.get("api_url")

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        how = _("Rabta asks Telegram") if polls(channel) else _("Telegram calls Rabta")
        bot = reading.text(channel.condition.get("username"), 60)
        return [(_("Bot"), f"@{bot}" if bot else ""), (_("News"), how)]

    def wire(self, channel: Channel, session: requests.Session) -> Telegram:
        return Telegram(session, api_url(channel), str(channel.secrets.get("token", "")))

    def takes(self, ticket: Ticket, channel: Channel, options: Mapping[str, Any]) -> Takes:
        return Takes(self.limit, Files(up_to(FILE_BYTES)))

    # In ------------------------------------------------------------------------------------------------------------

    def webhook(
        self, request: HttpRequest, channel: Channel, body: bytes
    ) -> tuple[list[RawReceipt], HttpResponse | None]:
        """Telegram proves itself by a secret that we gave it; the body is not signed."""
        given = request.headers.get(HEADER, "")
        if not given or not signing.verify(PURPOSE, channel.token, given):
            signatures.same(given, "")
        return [receipt_of(reading.table(reading.load(body)), body)], None

    def poll(self, channel: Channel, cursor: dict[str, Any]) -> Iterator[tuple[list[RawReceipt], dict[str, Any]]]:
        """Everything since the last update that is stored. A long poll: the answer comes with the next message."""
        if not polls(channel):
            return
        with http.Session() as session:
            bot = self.wire(channel, session)
            while True:
                offset = cursor.get("offset")
                updates = bot.call(
                    "getUpdates",
                    seconds=LONG_POLL + 10,
                    offset=offset,
                    limit=BATCH,
                    timeout=LONG_POLL,
                    allowed_updates=parsing.ALLOWED,
                )
                found = reading.rows(updates)
                if not found:
                    return
                newest = max(reading.number(one.get("update_id")) for one in found)
                cursor = {**cursor, "offset": newest + 1} if newest else cursor
                yield [_polled(one) for one in found], cursor
                if not newest:
                    return  # asked again at once it would tell the same

    def polls_now(self, channel: Channel) -> bool:
        return polls(channel)

    def poll_again(self, channel: Channel) -> timedelta:
        return timedelta(0) if polls(channel) else timedelta(minutes=5)

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        update = reading.load(raw)
        if not isinstance(update, dict) or "update_id" not in update:
            raise ValueError("no update of Telegram")
        return parsing.parse(update, f"channel:{receipt.channel_id}", receipt.at)

    def arrived(self, arrivals: Sequence[Arrival]) -> None:
        """A button that was pressed shows that it is at work until a worker has answered it."""
        super().arrived(arrivals)
        pressed: dict[int, list[int]] = defaultdict(list)
        for message in (one.message for one in arrivals):
            if message.content_kind == parsing.BUTTON:
                pressed[message.channel_id].append(message.pk)
        for channel, messages in pressed.items():
            wake.run("channels_social.tasks.answer_presses", [channel, *messages], "social")

    def pressed(self, channel: Channel, press: Press) -> None:
        """It shows that it is at work until it is answered: an id of the platform's, as nothing is kept of a press."""
        wake.run("channels_social.tasks.answer_press", [channel.pk, press.external_id], "social")

    def fetch_file(self, channel: Channel, session: requests.Session, remote: RemoteMedia) -> InboundFile:
        """Ask for its place, then get it: a link is good for an hour at least."""
        bot = self.wire(channel, session)
        try:
            found = reading.table(bot.call("getFile", file_id=str(remote.ref.get("file_id", ""))))
        except DeliveryError as error:
            raise NotFetched(error.reason, permanent=error.permanent, retry_after=error.retry_after) from None
        place = reading.text(found.get("file_path"), 1000)
        return media.download(session, f"{bot.base}/file/bot{bot.token}/{place}", remote)

    def profile(self, channel: Channel, session: requests.Session, identity: Identity) -> Profile:
        """Their newest picture; "" where they have none, or hide it. The name comes with each message."""
        bot = self.wire(channel, session)
        try:
            place = bot.picture_of(int(identity.value))
        except ValueError as error:
            raise errors.permanent("no number") from error
        return Profile(picture=f"{bot.base}/file/bot{bot.token}/{place}" if place else "")

    def show_activity(self, wire: Telegram, message: Message, *, writing: bool) -> None:
        """Telegram has no read marks for bots."""
        if writing:
            wire.show("sendChatAction", chat_id=message.author_address, action="typing")

    # Health --------------------------------------------------------------------------------------------------------

    def check(self, channel: Channel) -> list[Check]:
        return checks.run(lambda: self.tend(channel), self._lines, channel)

    def tend(self, channel: Channel) -> dict[str, Any]:
        """Look whether the token works, and set the webhook where it is not ours (any more)."""
        with http.Session() as session:
            bot = self.wire(channel, session)
            me = reading.table(bot.call("getMe"))
            found: dict[str, Any] = {
                "username": reading.text(me.get("username"), 60),
                "name": reading.text(me.get("first_name"), 100),
            }
            info = reading.table(bot.call("getWebhookInfo"))
            url = "" if polls(channel) else checks.hook_url(channel)
            lost = [url] if reading.text(info.get("url"), 2000) != url else []
            if lost:
                if url:
                    bot.call(
                        "setWebhook",
                        url=url,
                        secret_token=signing.sign(PURPOSE, channel.token),
                        allowed_updates=parsing.ALLOWED,
                    )
                    found["subscribed"] = True
                else:
                    bot.call("deleteWebhook")
            elif url and info.get("last_error_message") and _is_fresh(info.get("last_error_date")):
                found["trouble"] = reading.text(info["last_error_message"], 300)
            if url:
                found |= checks.news(channel, [url], lost, well="trouble" not in found)
            return {**found, "waiting": reading.number(info.get("pending_update_count"))}

    def warnings(self, channel: Channel) -> list[str]:
        """That Telegram cannot call us, and how much waits there for that; that another program had taken our place."""
        if polls(channel):
            return []
        found = checks.told_again(channel, "Telegram")
        if trouble := reading.text(channel.condition.get("trouble"), 300):
            found.append(_("Telegram could not reach Rabta: %(error)s") % {"error": trouble})
            waiting = reading.number(channel.condition.get("waiting"))
            if waiting:
                found.append(
                    ngettext(
                        "%(count)d update waits at Telegram, which keeps it for 24 hours.",
                        "%(count)d updates wait at Telegram, which keeps them for 24 hours.",
                        waiting,
                    )
                    % {"count": waiting}
                )
        return found

    def _lines(self, found: Mapping[str, Any], channel: Channel) -> list[Check]:
        bot = f"@{found['username']}" if found["username"] else found["name"]
        lines = [Check(_("Token"), True, _("Telegram knows it as %(bot)s.") % {"bot": bot})]
        if polls(channel):
            lines.append(Check(_("News"), True, _("Rabta asks Telegram for them.")))
        elif found.get("trouble"):
            told = _("Telegram could not reach Rabta: %(error)s") % {"error": found["trouble"]}
            lines.append(Check(_("News"), False, told))
        else:
            lines.append(Check(_("News"), True, _("Telegram calls %(url)s") % {"url": checks.hook_url(channel)}))
        return lines


def _is_fresh(value: Any) -> bool:
    """Whether Telegram's last failure is of now: it goes on naming it when all is well again, but tries every minute or
    two as long as it is not.
    """
    at = reading.seconds(value)
    return at is None or at > timezone.now() - TROUBLE_LASTS


def _polled(update: Mapping[str, Any]) -> RawReceipt:
    """As `receipt_of`; what nobody can read is kept, to be seen, and keeps nothing behind it waiting."""
    raw = json.dumps(update).encode()
    try:
        return receipt_of(update, raw)
    except ValueError:
        return RawReceipt(raw, f"unread:{hashlib.sha256(raw).hexdigest()}")


def receipt_of(update: Mapping[str, Any], raw: bytes) -> RawReceipt:
    """An update as a receipt: unique by its number. Raises ValueError for what has none."""
    number = update.get("update_id")
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("no update of Telegram")
    return RawReceipt(raw, f"update:{number}", key=parsing.key(reading.table(update.get("message"))))
