"""A single bit turned, of a body or of its proof, and the proof is none."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_social import signatures
from inbox.adapters import Unverified
from lib import signing, standard_webhooks
from sandbox.phones import hooks

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
URL, FORM = "https://inbox.example.com/hooks/sms/t/?message=7", "application/x-www-form-urlencoded"
examples = settings(max_examples=120, derandomize=True, database=None, deadline=None)
bodies = st.binary(min_size=1, max_size=80) | st.sampled_from(
    [b"{}", b"Body=Hi+there&From=%2B1&MessageSid=SM1", b"a=&b=1"]
)
bits = st.tuples(st.integers(0, 1000), st.integers(0, 7))


def turned(content: bytes, bit: tuple[int, int]) -> bytes:
    place = bit[0] % len(content)
    return content[:place] + bytes([content[place] ^ (1 << bit[1])]) + content[place + 1 :]


def header(proof: str, bit: tuple[int, int]) -> str:
    """As a header brings it: one character a byte."""
    return turned(proof.encode("latin-1"), bit).decode("latin-1")


@examples
@given(bodies, bits)
def test_of_meta(body: bytes, bit: tuple[int, int]) -> None:
    proof = hooks.signature("s3cr3t", body)
    signatures.sha256_hex("s3cr3t", body, proof)
    for content, told_proof in ((turned(body, bit), proof), (body, header(proof, bit)), (body + b"\x00", proof)):
        with pytest.raises(Unverified):
            signatures.sha256_hex("s3cr3t", content, told_proof)


@examples
@given(bodies, bits)
def test_of_twilio(body: bytes, bit: tuple[int, int]) -> None:
    """What it signs is the fields: a body that says the same in other letters (%2b for %2B) is the same."""

    def fields(content: bytes) -> list[tuple[str, str]]:
        return parse_qsl(content.decode(errors="replace"), keep_blank_values=True)

    def told(content: bytes) -> str:
        return "".join(name + value for name, value in sorted(set(fields(content))))

    proof = signatures.twilio("s3cr3t", URL, fields(body))
    signatures.twilio_call("s3cr3t", URL, body, FORM, proof)
    wrong = [(body, header(proof, bit))] + (
        [(turned(body, bit), proof)] if told(turned(body, bit)) != told(body) else []
    )
    for content, told_proof in wrong:
        with pytest.raises(Unverified):
            signatures.twilio_call("s3cr3t", URL, content, FORM, told_proof)


@examples
@given(bodies, bits, st.integers(0, 2**40))
def test_of_standard_webhooks(body: bytes, bit: tuple[int, int], now: int) -> None:
    good = standard_webhooks.headers([SECRET], "msg_1", now, body)
    assert standard_webhooks.verify(SECRET, good, body, now=now) == "msg_1"
    wrong = [(good, turned(body, bit))]
    wrong += [({**good, name: header(good[name], bit)}, body) for name in ("webhook-id", "webhook-signature")]
    wrong += [({**good, "webhook-timestamp": str(now + 1)}, body)]
    for told, content in wrong:
        with pytest.raises(standard_webhooks.Wrong):
            standard_webhooks.verify(SECRET, told, content, now=now)


@examples
@given(st.text(max_size=30), bits)
def test_of_our_own(payload: str, bit: tuple[int, int]) -> None:
    payload = payload.encode(errors="replace").decode()
    proof = signing.sign("a purpose", payload)
    assert signing.verify("a purpose", payload, proof)
    bent = header(proof, bit)
    assert bent.lower() == proof or not signing.verify("a purpose", payload, bent)
    assert not signing.verify("another", payload, proof)
    assert not signing.verify("a purpose", payload + "x", proof)
