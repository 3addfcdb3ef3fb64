"""SMS: the calls that Twilio makes, what they are signed with and what is kept of them."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from channels_social import signatures
from channels_social.checks import hook_url
from inbox.actions import receive
from inbox.adapters import Unverified
from inbox.models import Channel, Message, Receipt
from tests.channels_social.sms import ANA, FORM, OURS, SID, TOKEN, hooked, said

__all__ = ["hooked"]


# Signatures ------------------------------------------------------------------------------------------------------

SDK = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
HI = (
    "AccountSid=AC00000000000000000000000000000001&Body=Hi+there&From=%2B15550001111"
    "&MessageSid=SM00000000000000000000000000000001&NumMedia=0&To=%2B15550002222"
)
DIGEST = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
VECTORS = [
    ("https://mycompany.com/myapp.php?foo=1&bar=2", SDK, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://inbox.example.com/hooks/twilio/7", HI, FORM, "Z+0LjTSriTdI3E7HwioLxub413M="),
    (f"https://inbox.example.com/hooks/twilio/7?bodySHA256={DIGEST}", '{"a":1}', "application/json",
     "oi/AHMq5ByIK4vWyDoBtSVoL3VI="),
]  # fmt: skip


@pytest.mark.parametrize(("url", "body", "kind", "signed"), VECTORS)
def test_known_signatures(url: str, body: str, kind: str, signed: str) -> None:
    signatures.twilio_call("12345", url, body.encode(), kind, signed)
    for wrong in (
        ("54321", url, body, kind, signed),
        ("", url, body, kind, signed),
        ("12345", url + "x", body, kind, signed),
        ("12345", url, body + "2", kind, signed),
        ("12345", url, body, kind, signed[:-2] + "A="),
        ("12345", url, body, kind, ""),
        ("12345", url, body, kind, "é" * 28),
    ):
        token, where, what, how, given = wrong
        with pytest.raises(Unverified):
            signatures.twilio_call(token, where, what.encode(), how, given)


def test_json_without_its_digest_and_forms_without_end_are_not_theirs() -> None:
    url = "https://inbox.example.com/hooks/twilio/7"
    with pytest.raises(Unverified):
        signatures.twilio_call("12345", url, b"{}", "application/json", signatures.twilio("12345", url, []))
    with pytest.raises(Unverified):
        signatures.twilio_call("12345", url, b"&".join([b"a=1"] * 600), FORM, "x" * 28)


@pytest.mark.parametrize("host", ["inbox.example.com", "inbox.example.com:443", "inbox.example.com:8443"])
def test_twilios_own_library_agrees_on_ports_and_repeated_names(host: str) -> None:
    from django.http import QueryDict

    url, body = f"https://{host}/hooks/sms/t/?message=7", "Body=%D8%B4+x&Body=a&A=&B=%2B1"
    validator = RequestValidator("12345")
    fields = QueryDict(body)
    for signed_url in (url, url.replace(":443", "").replace(":8443", "")):
        signed = validator.compute_signature(signed_url, fields)
        signatures.twilio_call("12345", url, body.encode(), FORM, signed)
    ours = signatures.twilio("12345", url, [("Body", "ش x"), ("Body", "a"), ("A", ""), ("B", "+1")])
    assert validator.validate(url, fields, ours)


# Calls -----------------------------------------------------------------------------------------------------------


def call(channel: Channel, form: dict[str, str], query: str = "", token: str = TOKEN, **headers: str) -> Any:
    """A signed call, to our test's own client."""
    url = hook_url(channel) + query
    signed = signatures.twilio(token, url, form.items())
    path = url.partition("/hooks/")
    return Client(headers={"X-Twilio-Signature": signed, **headers}).post(
        f"/hooks/{path[2]}", urlencode(form), content_type=FORM
    )


def test_webhooks_are_answered_once_proven_and_stored_once(hooked: Channel) -> None:
    """Behind a proxy, which calls us by another name, the signature is that of the address known outside."""
    form = said("SM1", "Hello")
    for _again in range(3):
        answer = call(hooked, form)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
        assert answer.content.endswith(b"<Response/>")
    state = {"MessageSid": "SM2", "MessageStatus": "sent", "From": OURS, "To": ANA}
    assert call(hooked, state).status_code == 204
    assert list(Receipt.objects.order_by("pk").values_list("external_id", flat=True)) == [
        "message:SM1", "status:SM2:sent"
    ]  # fmt: skip
    assert call(hooked, form, token="wrong").status_code == 403
    unsigned = Client().post(urlsplit(hook_url(hooked)).path, urlencode(said("SM3", "x")), content_type=FORM)
    assert unsigned.status_code == 403
    other = Client(headers={"X-Twilio-Signature": signatures.twilio(TOKEN, hook_url(hooked), form.items())})
    changed = urlencode({**form, "MessageSid": "SM4"})
    assert other.post(urlsplit(hook_url(hooked)).path, changed, content_type=FORM).status_code == 403
    assert Receipt.objects.count() == 2


def test_webhooks_as_json(hooked: Channel) -> None:
    body = json.dumps(said("SM1", "By JSON"))
    query = f"?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signed = signatures.twilio(TOKEN, hook_url(hooked) + query, [])
    there = urlsplit(hook_url(hooked)).path + query
    client = Client(headers={"X-Twilio-Signature": signed})
    assert client.post(there, body.replace("By", "No"), content_type="application/json").status_code == 403
    assert client.post(there, body, content_type="application/json").status_code == 200
    receive.take_in_waiting()
    assert Message.objects.get().text == "By JSON"


def test_what_is_no_message_is_kept_and_left_out(hooked: Channel) -> None:
    call(hooked, {"CallSid": "CA1", "AccountSid": SID, "From": ANA, "To": OURS, "CallStatus": "ringing"})
    call(hooked, said("SM1", "x", From=f"whatsapp:{ANA}"))
    call(hooked, {"MessageSid": "SM2", "MessageStatus": "scheduled", "To": ANA})
    receive.take_in_waiting()
    assert list(Receipt.objects.values_list("state", flat=True)) == ["ignored"] * 3
    assert not Message.objects.exists()
