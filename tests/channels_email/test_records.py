"""SPF, DKIM and DMARC records are read as receivers read them, whatever stands in them."""

from __future__ import annotations

import base64
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from channels_email import records
from channels_email.records import Signature


def rsa_key(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


KEY_2048, KEY_1024 = rsa_key(2048), rsa_key(1024)
KEY_ED = base64.b64encode(
    ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()


def test_only_spf_records_are_spf() -> None:
    texts = ["v=spf1 -all", "V=SPF1 mx -all", "v=spf1", "v=spf10 -all", "v=spf1-all", " v=spf1 -all", "spf2.0/pra"]
    assert records.spf_records(texts) == ["v=spf1 -all", "V=SPF1 mx -all", "v=spf1"]


@pytest.mark.parametrize(
    ("text", "names", "wrong", "rest"),
    [
        ("v=spf1 a mx/24 include:A.example. ~all", ["a", "mx", "include", "all"], [], "~"),
        ("v=spf1  ip4:192.0.2.0/24   ip6:2001:db8::/32 -ALL", ["ip4", "ip6", "all"], [], "-"),
        ("v=spf1 a/24//64 all", ["a", "all"], [], "+"),
        ("v=spf1 redirect=_spf.example.org exp=why.example.org", ["redirect", "exp"], [], ""),
        ("v=spf1 unknown=whatever ?all", ["unknown", "all"], [], "?"),
        ("v=spf1 include: ip5:1.2.3.4 +redirect=x -all:x inlcude:a.example", [], None, ""),
        ("v=spf1 exists:%{i}._spf.example.org -all", ["exists", "all"], [], "-"),
        ("v=spf1 ,,, «» \x00 -all", ["all"], [",,,", "«»", "\x00"], "-"),
    ],
)
def test_an_spf_record(text: str, names: list[str], wrong: list[str] | None, rest: str) -> None:
    found = records.spf(text)
    assert [term.name for term in found.terms] == names
    assert list(found.wrong) == (text.split()[1:] if wrong is None else wrong)
    assert found.rest == rest


def test_targets() -> None:
    terms = records.spf("v=spf1 include:_SPF.Example.org. a:mail.example.org/24 exists:%{i}.example.org").terms
    assert [term.target for term in terms] == ["_spf.example.org", "mail.example.org", ""]
    assert records.spf("v=spf1 redirect=A.example").redirect == "a.example"


@pytest.mark.parametrize(
    ("given_records", "include", "wanted"),
    [
        ([], "_spf.google.com", "v=spf1 include:_spf.google.com ~all"),
        (["v=spf1 mx -all"], "a.example", "v=spf1 mx include:a.example -all"),
        (["v=spf1 INCLUDE:A.example ~all"], "a.example", "v=spf1 INCLUDE:A.example ~all"),
        (["v=spf1 mx -all", "v=spf1 MX include:b.example ~all"], "", "v=spf1 mx include:b.example ~all"),
        (["v=spf1 MX a mx -all", "v=spf1 A ~ALL"], "", "v=spf1 MX a ~all"),
        (["v=spf1 redirect=b.example"], "a.example", "v=spf1 include:a.example redirect=b.example"),
    ],
)
def test_one_record_in_the_place_of_several(given_records: list[str], include: str, wanted: str) -> None:
    assert records.spf_with(given_records, include) == wanted


@pytest.mark.parametrize(
    ("text", "kind", "bits", "problem", "testing"),
    [
        (f"v=DKIM1; k=rsa; p={KEY_2048}", "rsa", 2048, "", False),
        (f"p={KEY_2048}", "rsa", 2048, "", False),
        (f"v=DKIM1;k=rsa;t=y:s;p={KEY_1024[:90]} {KEY_1024[90:]}", "rsa", 1024, "", True),
        (f"v=DKIM1; k=ed25519; p={KEY_ED}", "ed25519", 0, "", False),
        ("v=DKIM1; p=", "rsa", 0, "revoked", False),
        (f"v=DKIM1; p={KEY_2048[:100]}", "rsa", 0, "unreadable", False),
        ("v=DKIM1; p=!!!", "rsa", 0, "unreadable", False),
        ("v=DKIM1; k=quantum; p=AAAA", "quantum", 0, "unreadable", False),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,  # keys are made anew in each process
)
def test_a_dkim_key(text: str, kind: str, bits: int, problem: str, testing: bool) -> None:
    found = records.dkim(text)
    assert found is not None
    assert (found.kind, found.bits, found.problem, found.testing) == (kind, bits, problem, testing)


def test_what_is_no_dkim_key() -> None:
    assert records.dkim("v=spf1 -all") is None
    assert records.dkim("v=DKIM2; p=AAAA") is None
    assert records.dkim("") is None


def test_a_dmarc_record() -> None:
    texts = ["v=DMARC1; p=none", "v = DMARC1 ;p=reject", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC12"]
    assert records.dmarc_records(texts) == texts[:2]
    found = records.dmarc("v=DMARC1; p=Quarantine; sp=reject; adkim=s; ASPF=r; rua=mailto:a@example.org;;")
    assert (found.policy, found.below, found.strict_dkim, found.strict_spf, found.reports) == (
        "quarantine",
        "reject",
        True,
        False,
        True,
    )
    assert records.dmarc("v=DMARC1; p=monitor").policy == ""
    assert records.dmarc("v=DMARC1; p=reject; sp=maybe").below == "reject"


def test_who_signed_a_mail() -> None:
    header = (
        b"Received: from x\r\nDKIM-Signature: v=1; a=rsa-sha256; d=Example.org;\r\n\ts=sel-\r\n\t1; b=AbC=\r\n"
        b"dkim-signature: v=1; d=google.com; s=20230601; b=x\r\nDKIM-Signature: d=; s=x\r\n"
        b"DKIM-Signature: d=ev il..org; s=../../x\r\nSubject: DKIM-Signature: d=no.example; s=no\r\n"
    )
    assert records.signatures(header) == [Signature("example.org", "sel-1"), Signature("google.com", "20230601")]


@pytest.mark.parametrize(
    "text",
    [
        "d=x" + " " * 100_000 + "x; s=y",
        "d" + " " * 100_000 + "x; s=y",
        " " * 100_000 + "d; s=y",
        "v=DKIM1; p=x" + "\t" * 100_000 + "x",
        "v" + " " * 100_000 + "=DKIM1" + " " * 100_000,
        ";=" * 100_000,
        "d=" * 100_000,
        "v=spf1 " + "a." * 100_000 + "!",
        "\n " * 100_000,
    ],
    ids=lambda text: repr(text[:14]),
)
def test_no_text_of_a_stranger_holds_up_a_parser(text: str) -> None:
    began = time.monotonic()
    records.tags(text)
    records.dkim(text)
    records.dmarc_records([text])
    records.spf_with(records.spf_records([text]), "a.example")
    records.spf(text)
    records.signatures(b"DKIM-Signature: " + text.encode())
    assert time.monotonic() - began < 5


def test_many_records_are_put_together_in_no_time() -> None:
    """What one answer of the DNS can hold (64 KB)."""
    names = [f"v=spf1 {' '.join(f'{n:x}:{one:x}' for one in range(200))}" for n in range(70)]
    began = time.monotonic()
    assert len(records.spf_with(names, "").split()) == 2 + 70 * 200
    assert time.monotonic() - began < 3


@given(st.text(max_size=400))
def test_nothing_makes_a_parser_fail(text: str) -> None:
    records.spf(f"v=spf1 {text}")
    records.dkim(text)
    records.dkim(f"p={text}")
    records.dmarc(text)
    records.spf_with([f"v=spf1 {text}"], "a.example")
    records.signatures(f"DKIM-Signature: {text}".encode("utf-8", "replace"))
