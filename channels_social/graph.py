"""Meta's Graph API as WhatsApp, Facebook and Instagram share it: calls, refusals, webhooks, what a token is."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from channels_social import checks, errors, reading, signatures
from inbox.adapters import DeliveryError, Panel, Unverified
from inbox.models import Channel
from lib import http, signing

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PURPOSE = "graph webhook"
SIGNATURE = "X-Hub-Signature-256"
SEND_SECONDS = 30.0
SHOW_SECONDS = 5.0
RATE_SECONDS = 60.0  # where "too many" does not say how long
SOON = timedelta(days=14)  # before a token ends somebody is told
MOST_PAGES = 40

Table = Mapping[str, Any]
COMPACT = (",", ":")


@dataclass(frozen=True, slots=True)
class Refused:
    """What an answer that is an error says. `details` is WhatsApp's; `wait` in seconds, 0 where it says none."""

    status: int
    code: int = 0
    subcode: int = 0
    message: str = ""
    details: str = ""
    transient: bool = False
    wait: float = 0.0

    @property
    def said(self) -> str:
        """For people: the details say more than the message, which repeats its own number."""
        return self.details or self.message.partition(") ")[2] or self.message or str(self.code or self.status)


Classify = Callable[[Refused], DeliveryError]


class Graph:
    """One token's API. Raises DeliveryError for all that goes wrong, as `classify` (a platform's own) has it.

    `base` is the address with the version. With an app's secret each call proves that it is the app's own.
    """

    def __init__(
        self, session: requests.Session, base: str, token: str, app_secret: str, platform: str, classify: Classify
    ) -> None:
        self.session = session
        self.base = base
        self.token = token
        self.app_secret = app_secret
        self.platform = platform
        self.classify = classify
        self.keeps_rates = True  # whether "too many" makes whoever else uses this token wait

    @property
    def bearer(self) -> dict[str, str]:
        """The header for files that only the token opens."""
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, *, seconds: float = http.READ_SECONDS, **params: Any) -> Table:
        return self._ask("GET", path, seconds, params)

    def post(self, path: str, body: Table | None = None, *, repeatable: bool = False, **params: Any) -> Table:
        """POST JSON. `repeatable`: once more does no harm, so that no outcome of it is unknown."""
        return self._ask("POST", path, SEND_SECONDS, params, repeatable=repeatable, json=dict(body or {}))

    def show(self, path: str, body: Table) -> Table:
        """POST what is a courtesy: it takes seconds at most, and what it is refused is nobody else's."""
        self.keeps_rates = False
        try:
            return self._ask("POST", path, SHOW_SECONDS, {}, repeatable=True, json=dict(body))
        finally:
            self.keeps_rates = True

    def upload(self, path: str, file: tuple[str, bytes, str], fields: Mapping[str, str], name: str = "file") -> Table:
        """POST a file (name, content, type) as a form: what nobody refers to does no harm twice."""
        return self._ask("POST", path, SEND_SECONDS, {}, repeatable=True, data=dict(fields), files={name: file})

    def delete(self, path: str, **params: Any) -> Table:
        return self._ask("DELETE", path, http.READ_SECONDS, params, repeatable=True)

    def pages(self, path: str, **params: Any) -> Iterator[Table]:
        """The rows of an edge, over all its pages."""
        for _page in range(MOST_PAGES):
            told = self.get(path, **params)
            yield from reading.rows(told.get("data"))
            paging = reading.table(told.get("paging"))
            after = reading.text(reading.table(paging.get("cursors")).get("after"), 1000)
            if not paging.get("next") or not after:
                return
            params = {**params, "after": after}

    def _ask(
        self,
        method: str,
        path: str,
        seconds: float,
        params: Mapping[str, Any],
        *,
        repeatable: bool = False,
        **body: Any,
    ) -> Table:
        wait = http.rates.wait(self.token)
        if wait > 0:
            raise errors.rate(_("%(platform)s asked for a pause.") % {"platform": self.platform}, wait)
        query = {name: value for name, value in params.items() if value is not None}
        if self.app_secret:
            query["appsecret_proof"] = proof(self.app_secret, self.token)
        try:
            response = self.session.request(
                method,
                f"{self.base}/{path}",
                params=query,
                headers=self.bearer,
                timeout=(http.CONNECT_SECONDS, seconds),
                **body,
            )
            told = reading.answer(response)
        except (requests.RequestException, OSError) as error:
            # Without its text, which holds the address, and with it the proof.
            failed = errors.of_request(error, self.platform)
            if failed.unknown and (repeatable or method == "GET"):
                failed = errors.transient(failed.reason)
            raise failed from None
        if response.ok and isinstance(told, Mapping) and "error" not in told:
            return told
        if response.ok and not isinstance(told, Mapping):
            said = _("%(platform)s gave an answer that cannot be read.") % {"platform": self.platform}
            raise DeliveryError(said, permanent=False, unknown=not repeatable and method != "GET")
        refused = self.classify(refusal(response.status_code, told, response.headers))
        if refused.fault == "rate" and refused.channel and refused.retry_after and self.keeps_rates:
            http.rates.note(self.token, refused.retry_after)
        raise refused


def proof(app_secret: str, token: str) -> str:
    """What shows that a call with this token is the app's own: `appsecret_proof`."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def base_of(channel: Channel, default: str = "") -> str:
    """The address of the API for a channel, with its version; `default` where it is not Facebook's."""
    url = channel.settings.get("api_url") or default or settings.GRAPH_API_URL
    return f"{url}/{channel.settings.get('api_version') or settings.GRAPH_API_VERSION}"


# Errors --------------------------------------------------------------------------------------------------------------


def refusal(status: int, told: Any, headers: Mapping[str, str] | None = None) -> Refused:
    """An answer that is an error, read."""
    error = reading.table(reading.table(told).get("error"))
    return Refused(
        status=status,
        code=reading.number(error.get("code")),
        subcode=reading.number(error.get("error_subcode")),
        message=reading.text(error.get("message"), 500),
        details=reading.text(reading.table(error.get("error_data")).get("details"), 500),
        transient=error.get("is_transient") is True,
        wait=_wait(headers or {}),
    )


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks us to wait: as HTTP says it, or Meta by minutes in the use of a business."""
    if asked := http.retry_after(headers.get("Retry-After", "")):
        return asked
    try:
        usage = reading.table(json.loads(headers.get("X-Business-Use-Case-Usage", "")))
    except (ValueError, RecursionError):
        return 0.0
    minutes = [
        reading.number(one.get("estimated_time_to_regain_access"))
        for rows in usage.values()
        for one in reading.rows(rows)
    ]
    return 60.0 * max(minutes, default=0)


def common(refused: Refused, platform: str) -> DeliveryError | None:
    """What these errors mean on all of Meta's platforms; None for any other. A platform's own come before them."""
    named = {"platform": platform, "said": refused.said}
    if refused.code in {4, 17, 32, 613} or 80000 <= refused.code <= 80014 or refused.status == 429:
        return errors.rate(_("%(platform)s takes no more for the moment.") % named, refused.wait or RATE_SECONDS)
    if refused.code in {102, 104, 190} or (refused.status == 401 and not refused.code):
        return errors.auth(token_trouble(refused, platform))
    if refused.code in {3, 10} or 200 <= refused.code <= 299:
        return errors.auth(
            _("%(platform)s does not let this token do that: give it the permission that is missing (%(said)s).")
            % named
        )
    if refused.code in {1, 2} or refused.transient or refused.status >= 500 or not refused.code:
        return errors.transient(_("%(platform)s has trouble of its own (%(said)s).") % named)
    return None


def token_trouble(refused: Refused, platform: str) -> str:
    """Why a token is good no more, and what to do."""
    why = {
        458: _("%(platform)s: the app was removed from the account. Connect the channel anew."),
        460: _("%(platform)s: the password was changed, which ended the token. Give a new one in the settings."),
        463: _("%(platform)s: the token has expired. Give a new one in the settings."),
    }
    said = why.get(refused.subcode) or _("%(platform)s knows this token no more. Give a new one in the settings.")
    return said % {"platform": platform}


# Webhooks ------------------------------------------------------------------------------------------------------------


def verify_token(channel: Channel) -> str:
    """What is entered at Meta beside the address of the webhook: nobody has to think of one, or keep it."""
    return signing.sign(PURPOSE, channel.token)


def handshake(request: HttpRequest, channel: Channel) -> HttpResponse:
    """Meta asks whether this address is ours: the challenge, bare. Raises Unverified."""
    given = request.GET.get("hub.verify_token", "")
    if request.GET.get("hub.mode") != "subscribe" or not signing.verify(PURPOSE, channel.token, given):
        raise Unverified("the verify token is not the one we gave")
    return HttpResponse(request.GET.get("hub.challenge", "")[:200], content_type="text/plain")


def verify(request: HttpRequest, channel: Channel, body: bytes) -> None:
    """Whether a call is Meta's, over its bytes as they came. Raises Unverified."""
    signatures.sha256_hex(str(channel.secrets.get("app_secret", "")), body, request.headers.get(SIGNATURE, ""))


def entries(body: bytes, *objects: str) -> Sequence[Table]:
    """The entries of a call about one of these objects (`page`, …); none of others'. Raises ValueError."""
    told = reading.load(body)
    if not isinstance(told, Mapping) or not isinstance(told.get("entry"), list):
        raise ValueError("no news of the Graph API")
    return reading.rows(told["entry"]) if told.get("object") in objects else []


def packed(value: Any) -> bytes:
    """A part of a call as bytes of its own, the same for the same part."""
    return json.dumps(value, ensure_ascii=True, separators=COMPACT).encode("ascii")


def digest(value: Any) -> str:
    """A name for what has no id: the same for the same."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def webhook_panel(channel: Channel, platform: str) -> Panel:
    """What has to be entered at Meta, to copy."""
    return Panel(
        "channels_social/graph_webhook.html",
        {"platform": platform, "url": checks.hook_url(channel), "verify_token": verify_token(channel)},
    )


# Tokens --------------------------------------------------------------------------------------------------------------


def token_state(graph: Graph) -> dict[str, Any]:
    """What Meta says of the token itself: `expires_at` (None: never), `scopes`, `app_id`. Nothing where it does not.

    Raises DeliveryError where the token is good no more.
    """
    try:
        told = reading.table(graph.get("debug_token", input_token=graph.token).get("data"))
    except DeliveryError as error:
        if error.permanent:
            return {}  # some tokens may not ask about themselves
        raise
    if told.get("is_valid") is False:
        why = reading.table(told.get("error"))
        raise errors.auth(token_trouble(Refused(401, 190, reading.number(why.get("subcode"))), graph.platform))
    ends = [reading.number(told.get(name)) for name in ("expires_at", "data_access_expires_at")]
    soonest = reading.seconds(min((one for one in ends if one), default=0))
    scopes = told.get("scopes")
    return {
        "expires_at": soonest.isoformat() if soonest and any(ends) else None,
        "scopes": [reading.text(one, 100) for one in scopes][:100] if isinstance(scopes, list) else [],
        "app_id": reading.text(told.get("app_id"), 40),
    }


def expires_at(channel: Channel) -> datetime | None:
    """When the channel's token ends, as far as known: as the last look found, or (`_expires_at`) an earlier one,
    where none is taken each time.
    """
    return parse_datetime(str(channel.condition.get("expires_at") or channel.condition.get("_expires_at") or ""))


def end_of(channel: Channel) -> tuple[StrOrPromise, str]:
    """A line of facts: when the token ends, where that is known."""
    ends = expires_at(channel)
    return _("Token's end"), date_format(timezone.localtime(ends), "DATE_FORMAT") if ends else ""


def warnings(channel: Channel) -> list[str]:
    """A sentence where the token ends within two weeks, or has ended."""
    ends = expires_at(channel)
    if ends is None or ends > timezone.now() + SOON:
        return []
    named = {"channel": channel.name, "date": date_format(timezone.localtime(ends), "DATE_FORMAT")}
    if ends <= timezone.now():
        return [_("The token of %(channel)s has expired on %(date)s: give a new one in its settings.") % named]
    return [_("The token of %(channel)s expires on %(date)s: give a new one in its settings before.") % named]


def missing_fields(told: Any, wanted: Sequence[str], app_id: str) -> list[str]:
    """What of `wanted` the page does not tell our app of; without an app's id, no app at all.

    One without an id is ours: Instagram tells each app of itself alone.
    """
    apps = reading.rows(reading.table(told).get("data"))
    mine = [one for one in apps if not app_id or str(one.get("id") or app_id) == app_id]
    known: set[str] = set()
    for one in mine:
        names = one.get("subscribed_fields")
        known.update(str(name) for name in (names if isinstance(names, list) else ()))
    return [name for name in wanted if name not in known]
