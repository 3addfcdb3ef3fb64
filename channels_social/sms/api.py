"""Twilio's REST API for messages (2010-04-01): calls, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social import checks, errors, public, reading
from channels_social.messenger import Part
from channels_social.sms.settings import api_url, number_of
from inbox.actions import changes
from inbox.adapters import DeliveryError, Fault, Party, ReachUpdate
from inbox.models import Attachment, Channel, Message
from lib import http

VERSION = "2010-04-01"
SEND_SECONDS = 30.0
DEFAULT_WAIT = 2.0  # seconds, where "too many requests" does not say how long
MOST_MEDIA = 10  # of one message
MEDIA_BYTES = 5 * 1024 * 1024  # of one message in all
# What the network carries at all (Twilio's list of accepted types), as beginnings.
CARRIED = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "audio/", "video/",
           "application/pdf", "text/vcard", "text/x-vcard", "text/csv", "text/calendar", "text/rtf")  # fmt: skip
PAGE = 1000

# The classes of Twilio's codes. Source: its list of errors and warnings.
RATE = {20429, 30001, 63018}
PASSING = {30008}
AUTH = {20003, 10001, 30002, 21603, 21606, 21701, 30034}  # of the account or the sender: nothing leaves at all
CONFIG = {21408, 21608}  # the account has no right to write there; to others it has
WINDOW = {63016}
BLOCKED = {21610, 30003, 30004, 30005, 30006, 63024, 63032}
OFF = {30003}  # of those what passes by itself: the phone is off, or out of reach
STOPPED = 21610

L = gettext_lazy
WORDS = {
    20429: L("Twilio takes no more for the moment."),
    30001: L("Too many messages wait at Twilio already."),
    63018: L("Twilio takes no more for the moment."),
    30008: L("Twilio could not say why this did not arrive. Send it again."),
    20003: L("Twilio does not let us in: give the account's SID and token anew in the channel's settings."),
    20404: L("Twilio does not know this account: give its SID and token anew in the channel's settings."),
    10001: L("This account is not active. Look into Twilio's console."),
    30002: L("This account is suspended. Look into Twilio's console."),
    21603: L("This channel has no number to send from. Give one in its settings."),
    21606: L("Twilio does not let this account send from this number. Check it in the channel's settings."),
    21701: L("Twilio does not know this messaging service. Check it in the channel's settings."),
    30034: L("This number is not registered with the networks (A2P 10DLC). Register it in Twilio's console."),
    21408: L("This account may not write to this country. Permit it in Twilio's console, under Geo permissions."),
    21608: L("A trial account writes to numbers alone that were verified in Twilio's console."),
    63016: L("They wrote last too long ago for an answer of one's own words."),
    21610: L("This customer wrote STOP: nothing gets through to them until they write START."),
    30003: L("Their phone is off, or out of reach. Send it again later."),
    30004: L("Their network, or they themselves, let nothing of ours through."),
    30005: L("This number does not exist, or is not in service."),
    30006: L("This is a landline, or a network that carries no text messages."),
    63024: L("This number cannot be written to."),
    63032: L("Nothing gets through to this customer: they have blocked us, or left."),
    21211: L("This is no number that can be written to."),
    21212: L("The number to send from is none. Check it in the channel's settings."),
    21612: L("No text message goes from this channel's number to that one."),
    21614: L("This is no mobile number."),
    21617: L("Twilio says that this text is too long."),
    21620: L("Twilio could not use the address of a file."),
    21623: L("Twilio says that these are too many files."),
    30007: L("The network took this for spam, and did not carry it."),
    30019: L("The files are larger than this customer's network carries."),
    12300: L("The network does not carry files of this kind."),
    11200: L("Twilio could not fetch a file from Rabta."),
    63003: L("This number cannot be written to."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mms(Part):
    """A part with several files."""

    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What Twilio said: `wait` is how many seconds it wants to hear nothing."""

    status: int
    told: Mapping[str, Any]
    wait: float = 0.0

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


class Twilio:
    """One account. Raises DeliveryError for all that goes wrong."""

    def __init__(self, session: requests.Session, channel: Channel) -> None:
        secrets = channel.secrets
        self.session = session
        self.channel = channel
        self.base = api_url(channel)
        self.account = str(channel.settings.get("account_sid") or "")
        self.owner = (self.account, str(secrets.get("auth_token", "")))
        key = str(channel.settings.get("api_key_sid") or "")
        self.login = (key, str(secrets.get("api_key_secret", ""))) if key else self.owner

    def get(self, path: str, asked: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """GET below the account, as `Messages.json`."""
        return self._told(self._ask("GET", self._url(path), http.READ_SECONDS, self.login, params=asked or {}))

    def post(self, path: str, fields: Mapping[str, str]) -> Mapping[str, Any]:
        return self._told(self._ask("POST", self._url(path), http.READ_SECONDS, self.login, data=dict(fields)))

    def about(self) -> Mapping[str, Any]:
        """The account itself, by its own token: a key may not ask for it, and signatures depend on the token."""
        url = f"{self.base}/{VERSION}/Accounts/{self.account}.json"
        return self._told(self._ask("GET", url, http.READ_SECONDS, self.owner))

    def pages(self, path: str, key: str, asked: Mapping[str, Any]) -> Iterator[list[Mapping[str, Any]]]:
        """The rows of a list, page by page."""
        page = self.get(path, {**asked, "PageSize": PAGE})
        while True:
            yield list(reading.rows(page.get(key)))
            following = reading.text(page.get("next_page_uri"), 4000)
            if not following.startswith(f"/{VERSION}/"):
                return
            page = self._told(self._ask("GET", self.base + following, http.READ_SECONDS, self.login))

    def probe(self) -> None:
        self.about()

    def send_part(self, message: Message, part: Part) -> str:
        files = part.files if isinstance(part, Mms) else (part.file,) if part.file else ()
        fields = [("To", message.to[0]["address"])]
        number, service = number_of(self.channel), str(self.channel.settings.get("messaging_service_sid") or "")
        fields += ([("From", number)] if number else []) + ([("MessagingServiceSid", service)] if service else [])
        fields += ([("Body", part.text)] if part.text else []) + [("MediaUrl", one) for one in media_urls(files)]
        if public.reachable():
            fields.append(("StatusCallback", f"{checks.hook_url(self.channel)}?message={message.pk}"))
        answer = self._ask("POST", self._url("Messages.json"), SEND_SECONDS, self.login, data=fields)
        if not answer.good and reading.number(answer.told.get("code")) == STOPPED:
            opted_out(message)
        sid = reading.text(self._told(answer).get("sid"), 64)
        if not sid:
            raise DeliveryError(_("Twilio gave an answer that cannot be read."), permanent=False, unknown=True)
        return sid

    def _url(self, path: str) -> str:
        return f"{self.base}/{VERSION}/Accounts/{self.account}/{path}"

    def _ask(self, method: str, url: str, seconds: float, login: tuple[str, str], **body: Any) -> Answer:
        wait = http.rates.wait(self.account)
        if wait > 0:
            raise errors.rate(_("Twilio asked for a pause."), wait)
        try:
            response = self.session.request(method, url, auth=login, timeout=(http.CONNECT_SECONDS, seconds), **body)
            told = reading.table(reading.answer(response))
        except (requests.RequestException, OSError) as error:
            raise errors.of_request(error, "Twilio") from None
        return Answer(response.status_code, told, http.retry_after(response.headers.get("Retry-After", "")))

    def _told(self, answer: Answer) -> Mapping[str, Any]:
        """What a good answer says. Raises DeliveryError for any other."""
        if answer.good:
            return answer.told
        refused = refusal(answer.status, answer.told, answer.wait)
        if refused.fault == "rate" and refused.retry_after:
            http.rates.note(self.account, refused.retry_after)
        raise refused


def media_urls(files: tuple[Attachment, ...]) -> list[str]:
    """Where Twilio fetches these files. Raises DeliveryError, in words, for what can never arrive."""
    if files and not public.reachable():
        raise errors.permanent(
            _("Files go by SMS only where Rabta can be reached from the internet by https (BASE_URL).")
        )
    for one in files:
        if one.size > MEDIA_BYTES:
            raise errors.permanent(_("MMS takes files of at most 5 MB: “%(name)s” is larger.") % {"name": one.name})
        if not one.content_type.startswith(CARRIED):
            raise errors.permanent(
                _("MMS carries pictures, sound, films, PDF and contacts: “%(name)s” is none of them.")
                % {"name": one.name}
            )
    return [public.url_of(one) for one in files]


def opted_out(message: Message) -> None:
    """Twilio says that they wrote STOP, wherever that was: nothing more is sent to them."""
    with transaction.atomic():
        party = Party("phone", message.to[0]["address"])
        changes.apply(message.channel, ReachUpdate(party, timezone.now(), opted_out=True))


def moment(at: datetime) -> str:
    """As filters of lists take a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def words_of(code: int, said: str = "") -> str:
    """What a code means, for agents."""
    if code in WORDS:
        return str(WORDS[code])
    return _("Twilio refused this: %(said)s") % {"said": f"{said} ({code})" if said and code else said or code}


def fault_of(code: int) -> Fault:
    if code in RATE:
        return "rate"
    if code in AUTH or code in CONFIG:
        return "auth"
    if code in WINDOW:
        return "window"
    return "blocked" if code in BLOCKED else ""


def refusal(status: int, told: Mapping[str, Any], wait: float = 0.0) -> DeliveryError:
    """What an answer that is no success means."""
    code, said = reading.number(told.get("code")), reading.text(told.get("message"), 500)
    if status == 429 or code in RATE:
        return errors.rate(words_of(code if code in RATE else 20429), wait or DEFAULT_WAIT)
    if code in PASSING:
        return errors.transient(words_of(code))
    if status >= 500:
        return errors.transient(_("Twilio has trouble of its own (%(status)s).") % {"status": status})
    if code in AUTH or status == 401:
        return errors.auth(words_of(code if code in AUTH else 20003))
    if status == 404:
        return errors.auth(words_of(20404))
    if code in CONFIG:
        return DeliveryError(words_of(code), permanent=True, fault="auth")
    if code in WINDOW:
        return errors.window(words_of(code))
    if code in BLOCKED:
        return errors.blocked(words_of(code))
    return errors.permanent(words_of(code, said or str(status)))
