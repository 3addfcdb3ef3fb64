"""What is said of a sending domain, asked of a real DNS server on loopback that holds good, odd and hostile zones."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from channels_email import domain, lookups, presets
from channels_email.domain import Finding
from channels_email.records import Signature
from tests.channels_email.test_records import KEY_1024, KEY_2048
from tests.servers import dns
from tests.servers.dns import GARBAGE, SERVFAIL, SILENT, DnsServer

GOOGLE = "v=spf1 include:_spf.google.com ~all"
ZONE: dns.Zone = {
    "_spf.google.com": ["v=spf1 include:_netblocks.google.com ~all"],
    "_netblocks.google.com": ["v=spf1 ip4:192.0.2.0/24 ~all"],
    "good.example": ["other=abc", GOOGLE, "MX 10 aspmx.l.google.com.", "MX 5 alt1.aspmx.l.google.com."],
    "google._domainkey.good.example": [f"v=DKIM1; k=rsa; p={KEY_2048}"],
    "_dmarc.good.example": ["v=DMARC1; p=quarantine; rua=mailto:x@good.example"],
    "shop.good.example": ["V=SPF1   INCLUDE:_SPF.Google.com   -ALL"],
    "bare.example": ["hello"],
    "two.example": [GOOGLE, "v=spf1 mx -all"],
    "stranger.example": ["v=spf1 mx ip4:192.0.2.1 -all"],
    "open.example": ["v=spf1 include:_spf.google.com +all"],
    "loop.example": ["v=spf1 include:a.loop.example ~all"],
    "a.loop.example": ["v=spf1 include:b.loop.example ~all"],
    "b.loop.example": ["v=spf1 include:a.loop.example ~all"],
    "self.example": ["v=spf1 redirect=self.example"],
    "many.example": ["v=spf1 " + " ".join(f"include:{n}.many.example" for n in range(11)) + " ~all"],
    **{f"{n}.many.example": ["v=spf1 a mx ~all"] for n in range(11)},
    "exact.example": ["v=spf1 include:_spf.google.com a mx a:x.example mx:y.example exists:%{i}.z ptr a mx ~all"],
    "tree.example": ["v=spf1 " + " ".join(f"include:{n}.tree.example" for n in range(150)) + " ~all"],
    **{f"{n}.tree.example": [f"v=spf1 include:{n}.leaf.example include:tree.example ~all"] for n in range(150)},
    "hole.example": ["v=spf1 include:gone.example include:_spf.google.com ~all"],
    "typo.example": ["v=spf1 inlcude:_spf.google.com ipv4:192.0.2.1 ~all"],
    "giant.example": ["v=spf1 " + "ip4:192.0.2.1 " * 4000 + "-all"],
    "moved.example": ["v=spf1 redirect=_spf.google.com"],
    "neutral.example": ["v=spf1 include:_spf.google.com ?all"],
    "broken.example": SERVFAIL,
    "silent.example": SILENT,
    "garbage.example": GARBAGE,
    "half.example": ["v=spf1 include:broken.example include:_spf.google.com ~all"],
    "weak.example": [GOOGLE],
    "google._domainkey.weak.example": ["v=DKIM1; p="],
    "mine._domainkey.weak.example": [f"v=DKIM1; t=y; p={KEY_1024}"],
    "_dmarc.weak.example": ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
    "odd.example": [GOOGLE],
    "_dmarc.odd.example": ["v=DMARC1; rua=mailto:x@odd.example"],
    "strict.example": [GOOGLE],
    "_dmarc.strict.example": ["v=DMARC1; p=reject; adkim=s"],
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[DnsServer]:
    with dns.running(ZONE) as running:
        yield running


@pytest.fixture(autouse=True)
def asked(server: DnsServer, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> DnsServer:
    settings.DNS_SERVER = server.address
    monkeypatch.setattr(lookups, "EACH", 2.0)  # a machine under load answers late, too
    server.asked.clear()
    return server


def examined(name: str, host: str = "smtp.gmail.com", **more: object) -> dict[str, Finding]:
    found = domain.examine(f"support@{name}", host, lookups.Dns(), **more)  # type: ignore[arg-type]
    return {one.key: one for one in found}


def spf(name: str, host: str = "smtp.gmail.com") -> Finding:
    return domain.spf(name, host, presets.by_server(host), lookups.Dns())


def test_a_domain_where_all_is_well() -> None:
    found = examined("Good.Example")
    assert [(one.key, one.tone) for one in found.values()] == [("spf", "good"), ("dkim", "good"), ("dmarc", "good")]
    assert "names Google" in str(found["spf"].words)
    assert "2 of the 10" in str(found["spf"].details[0])
    assert "(google)" in str(found["dkim"].words)
    assert "quarantine" in str(found["dmarc"].words)
    assert all(not one.wanted for one in found.values())


def test_nothing_there_at_all() -> None:
    found = examined("bare.example")
    assert [one.tone for one in found.values()] == ["bad", "warn", "bad"]
    assert found["spf"].wanted[0] == domain.Record("bare.example", "TXT", "v=spf1 include:_spf.google.com ~all")
    assert found["dmarc"].wanted[0].name == "_dmarc.bare.example"
    assert "google" in str(found["dkim"].words)


@pytest.mark.parametrize(
    ("name", "tone", "says", "wanted"),
    [
        ("nowhere.example", "bad", "no SPF record", "v=spf1 include:_spf.google.com ~all"),
        ("two.example", "bad", "2 SPF records", "v=spf1 include:_spf.google.com mx ~all"),
        ("stranger.example", "bad", "does not name them", "v=spf1 mx ip4:192.0.2.1 include:_spf.google.com -all"),
        ("shop.good.example", "good", "names Google", None),
        ("open.example", "bad", "+all", None),
        ("loop.example", "bad", "leads back to itself", None),
        ("self.example", "bad", "leads back to itself", None),
        ("many.example", "bad", "more than 10 look-ups", None),
        ("tree.example", "bad", "more than 10 look-ups", None),
        ("exact.example", "good", "names Google", None),
        ("hole.example", "bad", "gone.example", None),
        ("typo.example", "bad", "inlcude:_spf.google.com”, “ipv4:192.0.2.1", None),
        ("moved.example", "good", "names Google", None),
        ("neutral.example", "warn", "names Google", None),
        ("giant.example", "bad", "does not name them", None),
        ("broken.example", "off", "could not be looked up", None),
        ("silent.example", "off", "could not be looked up", None),
        ("garbage.example", "off", "could not be looked up", None),
        ("half.example", "off", "could not be looked up", None),
        ("x" * 70 + ".example", "off", "could not be looked up", None),
    ],
)
def test_spf(name: str, tone: str, says: str, wanted: str | None) -> None:
    found = spf(name)
    said = " ".join([str(found.words), *map(str, found.details)])
    assert says in said
    assert found.tone == tone
    if wanted is not None:
        assert found.wanted[0].value == wanted


def test_the_look_ups_are_counted_to_the_limit() -> None:
    assert "10 of the 10" in str(spf("exact.example").details[0])


def test_a_hostile_record_costs_few_questions(asked: DnsServer) -> None:
    spf("tree.example")
    spf("many.example")
    assert len(asked.asked) < 100


def test_a_server_of_no_known_provider_is_not_guessed_about() -> None:
    found = spf("stranger.example", "mail.stranger.example")
    assert found.tone == "good"
    assert "mail.stranger.example" in str(found.details[-1])
    assert spf("nowhere.example", "mail.nowhere.example").wanted[0].value == "v=spf1 mx a:mail.nowhere.example ~all"
    assert spf("nowhere.example", "127.0.0.1").wanted[0].value == "v=spf1 mx ~all"
    assert spf("nowhere.example", "9.9.9.9").wanted[0].value == "v=spf1 mx ip4:9.9.9.9 ~all"
    assert spf("nowhere.example", "").wanted[0].value == "v=spf1 mx ~all"


def test_dkim_keys_that_do_not_work_are_told() -> None:
    found = examined("weak.example")["dkim"]
    assert found.tone == "bad"
    assert "withdrawn" in str(found.details[0])
    chosen = examined("weak.example", selector="mine")["dkim"]
    assert chosen.tone == "warn"
    assert "(mine)" in str(chosen.words)
    assert any("1024 bits" in str(line) for line in chosen.details)
    assert any("t=y" in str(line) for line in chosen.details)


@pytest.mark.parametrize("selector", ["a b", "../x", "ü", "x" * 90, "..", "<script>"])
def test_a_selector_that_is_none(selector: str, asked: DnsServer) -> None:
    found = examined("good.example", selector=selector)["dkim"]
    assert "is no selector" in str(found.words)
    assert found.tone == "warn"


def test_the_signature_of_our_own_mail_names_the_selector() -> None:
    mine = examined("weak.example", seen=[Signature("weak.example", "mine")])
    assert "is signed" in str(mine["dkim"].words)
    foreign = examined("good.example", seen=[Signature("gappssmtp.com", "x")])
    assert foreign["dkim"].tone == "warn"
    assert any("gappssmtp.com" in str(line) for line in foreign["dkim"].details)
    assert any("not aligned" in str(line) for line in foreign["dmarc"].details)


def test_dmarc() -> None:
    assert "2 DMARC records" in str(examined("weak.example")["dmarc"].words)
    assert "names no policy" in str(examined("odd.example")["dmarc"].words)
    inherited = examined("shop.good.example")["dmarc"]
    assert inherited.tone == "good"
    assert "good.example" in str(inherited.details[0])
    strict = examined("strict.example", seen=[Signature("mail.strict.example", "s")])["dmarc"]
    assert "strict" in str(strict.details[0])
    assert any("not aligned" in str(line) for line in strict.details)
    assert "could not be looked up" in str(domain.dmarc("silent.example", _Silent(), ()).words)


class _Silent:
    def txt(self, name: str) -> lookups.Found:
        return lookups.Found(trouble="nobody answers")

    mx = txt


def test_providers_own_domains_and_names_without_dots_need_no_dns(asked: DnsServer) -> None:
    assert "nothing to do" in str(examined("gmail.com")["domain"].words)
    for name in ("localhost", "", "a b.example", "münchen"):
        assert examined(name)["domain"].tone == "warn"
    assert asked.asked == []


def test_domains_in_other_scripts_are_asked_in_ascii(asked: DnsServer) -> None:
    examined("bücher.example")
    assert "xn--bcher-kva.example" in asked.asked


def test_all_questions_together_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    found = domain.examine("a@silent.example", "", lookups.Dns(seconds=0.4))
    assert time.monotonic() - began < 3
    assert found[0].tone == "off"


@pytest.mark.parametrize("given", ["127.0.0.1:1", "not an address", "[::1]:x", "127.0.0.1:999999"])
def test_a_resolver_that_is_no_use_is_told(settings: LazySettings, given: str) -> None:
    settings.DNS_SERVER = given
    assert all(one.tone == "off" for one in domain.examine("a@good.example", "", lookups.Dns(seconds=1)))


def test_mail_exchangers_in_their_order() -> None:
    assert lookups.Dns().mx("good.example").values == ("alt1.aspmx.l.google.com", "aspmx.l.google.com")
    assert lookups.Dns().mx("nowhere.example").values == ()
