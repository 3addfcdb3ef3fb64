"""Whether others believe that mail from a domain is its own: SPF, DKIM and DMARC, looked up and explained.

Parsing lives in `records`, asking in `lookups`; here the two become sentences, with the record to copy. DNS trouble is
a sentence, too: nothing here raises.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext as _

from channels_email import presets, records, wire
from channels_email.lookups import Lookups
from channels_email.presets import Preset
from channels_email.records import Signature, Spf

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_LOOKUPS = 10  # RFC 7208 4.6.4
MOST_WALKED = 25  # how many names of a record that asks for more are still followed
MOST_LEVELS = 8  # how far up a policy is looked for, as DMARC's tree walk does

Tone = Literal["good", "warn", "bad", "off"]


@dataclass(frozen=True, slots=True)
class Record:
    """A DNS record to copy."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One of the three: how it stands, in a headline and sentences; what is there, and what should be."""

    key: str
    title: str
    tone: Tone
    words: StrOrPromise
    details: tuple[StrOrPromise, ...] = ()
    found: tuple[str, ...] = ()
    wanted: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """All that an SPF record leads to. `asked` is how many look-ups it costs a receiver, at the least."""

    asked: int = 0
    names: frozenset[str] = frozenset()
    loop: str = ""
    missing: tuple[str, ...] = ()
    trouble: str = ""


def examine(
    address: str, smtp_host: str, lookups: Lookups, *, selector: str = "", seen: Sequence[Signature] = ()
) -> list[Finding]:
    """SPF, DKIM and DMARC of the domain of `address`, whose mail leaves through `smtp_host` (empty: none).

    `selector` is where a person says the key lies; `seen` who signed our own mails that came back.
    """
    try:
        domain = wire.ascii_domain(presets.domain_of(address)).lower()
    except (UnicodeError, ValueError):
        domain = ""
    if "." not in domain or not records.is_name(domain):
        return [Finding("domain", _("Domain"), "warn", _("“%(domain)s” is no name that other mail servers can look up.")
                        % {"domain": presets.domain_of(address)})]  # fmt: skip
    owner = presets.by_domain(domain)
    if owner is not None:
        words = _("%(domain)s belongs to %(provider)s, who look after its SPF, DKIM and DMARC. There is nothing to do.")
        return [Finding("domain", _("Domain"), "good", words % {"domain": domain, "provider": owner.label})]
    preset = presets.by_server(smtp_host)
    return [
        spf(domain, smtp_host, preset, lookups),
        dkim(domain, preset, lookups, selector, seen),
        dmarc(domain, lookups, seen),
    ]


def unknown(key: str, title: str, name: str, trouble: str) -> Finding:
    words = _("%(name)s could not be looked up: %(why)s. Try again in a minute.")
    return Finding(key, title, "off", words % {"name": name, "why": trouble})


def spf(domain: str, smtp_host: str, preset: Preset | None, lookups: Lookups) -> Finding:
    """Which servers may send for the domain, and whether the channel's own is among them."""
    title = "SPF"
    answer = lookups.txt(domain)
    if answer.trouble:
        return unknown("spf", title, domain, answer.trouble)
    include = preset.spf[0] if preset and preset.spf else ""
    found = tuple(sorted(records.spf_records(answer.values)))  # the DNS gives them in any order
    if not found:
        value = records.spf_with([], include) if include else f"v=spf1 mx{_named(smtp_host)} ~all"
        return Finding("spf", title, "bad", _("There is no SPF record: nobody can tell which servers may send for this "
                       "domain, and mail lands in spam."), wanted=(Record(domain, "TXT", value),))  # fmt: skip
    if len(found) > 1:
        words = _("There are %(count)d SPF records. Receivers then ignore all of them: put one in their place.")
        one = Record(domain, "TXT", records.spf_with(found, include))
        return Finding("spf", title, "bad", words % {"count": len(found)}, found=found, wanted=(one,))
    record = records.spf(found[0])
    way = walk(domain, record, lookups)
    problems = _spf_problems(domain, record, way)
    if problems:
        return Finding("spf", title, "bad", problems[0], tuple(problems[1:]), found)
    if way.trouble:
        return unknown("spf", title, _("A part of the SPF record"), way.trouble)
    notes = [
        _("It costs receivers %(asked)d of the %(most)d look-ups they permit.")
        % {"asked": way.asked, "most": MOST_LOOKUPS}
    ]
    rest = _rest(record, way, domain, lookups)
    if rest == "+":
        words = _("It ends in “+all”: every server of the world may send for this domain. Write “~all” or “-all”.")
        return Finding("spf", title, "bad", words, tuple(notes), found)
    if include and preset and not way.names & set(preset.spf):
        words = _(
            "Your mail leaves through %(provider)s, but the record does not name them: to receivers they are strangers."
        )
        one = Record(domain, "TXT", records.spf_with(found, include))
        return Finding("spf", title, "bad", words % {"provider": preset.label}, tuple(notes), found, (one,))
    if rest in ("", "?"):
        notes.append(_("It does not say what becomes of mail from other servers: end it in “~all”."))
    if preset is None and smtp_host:
        notes.append(
            _("Whether it names %(host)s cannot be told from its name: ask whoever runs that server.")
            % {"host": smtp_host}
        )
    words = _("One record, and it is sound.")
    if include and preset:
        words = _("One record, and it names %(provider)s, through whom your mail leaves.") % {"provider": preset.label}
    return Finding("spf", title, "warn" if rest in ("", "?") else "good", words, tuple(notes), found)


def _named(smtp_host: str) -> str:
    """The mechanism for a server of no known provider; none for one that stands in our own network."""
    try:
        address = ipaddress.ip_address(smtp_host)
    except ValueError:
        return f" a:{smtp_host}" if "." in smtp_host and records.is_name(smtp_host) else ""
    return f" ip{address.version}:{address}" if address.is_global else ""


def _spf_problems(domain: str, record: Spf, way: Walk) -> list[str]:
    found = []
    if record.wrong:
        text = _("Receivers do not understand %(terms)s and give up. Mend or remove it.")
        found.append(text % {"terms": ", ".join(f"“{term[:80]}”" for term in record.wrong[:3])})
    if way.loop:
        found.append(_("It includes %(name)s, which leads back to itself. Remove one of the two.") % {"name": way.loop})
    if way.asked > MOST_LOOKUPS:
        text = _(
            "It leads to more than %(most)d look-ups, where receivers give up. Remove includes that you no longer need."
        )
        found.append(text % {"most": MOST_LOOKUPS})
    if way.missing:
        text = _("It includes %(names)s, where there is no SPF record: receivers give up. Remove it.")
        found.append(text % {"names": ", ".join(way.missing[:3])})
    return found


def walk(domain: str, record: Spf, lookups: Lookups) -> Walk:
    """Follow includes and redirect as a receiver in the worst case does, and count its look-ups (RFC 7208 4.6.4)."""
    asked = 0
    names: set[str] = set()
    missing: list[str] = []
    loop = trouble = ""
    left: list[tuple[Spf, tuple[str, ...]]] = [(record, (domain,))]
    while left and asked <= MOST_WALKED:
        one, above = left.pop(0)
        follow: list[str] = []
        for term in one.terms:
            if term.name in records.ASKING and not term.modifier:
                asked += 1
                if term.name == "include" and term.target:
                    follow.append(term.target)
        if one.redirect and not one.rest:
            asked += 1
            follow.append(one.redirect)
        for name in follow[:MOST_WALKED]:
            if name in above:
                loop = loop or name
                continue
            names.add(name)
            answer = lookups.txt(name)
            if answer.trouble:
                trouble = trouble or f"{name}: {answer.trouble}"
                continue
            inner = records.spf_records(answer.values)
            if len(inner) != 1:
                missing.append(name)
                continue
            left.append((records.spf(inner[0]), (*above, name)))
    return Walk(asked, frozenset(names), loop, tuple(dict.fromkeys(missing)), trouble)


def _rest(record: Spf, way: Walk, domain: str, lookups: Lookups) -> str:
    """What is said of all other servers, also where a redirect says it."""
    for _step in range(MOST_LOOKUPS):
        if record.rest or not record.redirect:
            break
        inner = records.spf_records(lookups.txt(record.redirect).values)
        if len(inner) != 1:
            break
        record = records.spf(inner[0])
    return record.rest


def dkim(domain: str, preset: Preset | None, lookups: Lookups, selector: str, seen: Sequence[Signature]) -> Finding:
    """Whether there is a key under one of the selectors: the person's, those of mails seen, those usual there."""
    title = "DKIM"
    signed = [one.selector for one in seen if one.domain == domain]
    usual = preset.selectors if preset and preset.selectors else presets.COMMON_SELECTORS
    typed = [selector] if selector and records.is_name(selector) else []
    tried = typed or list(dict.fromkeys([*signed, *usual]))
    good: list[str] = []
    details: list[StrOrPromise] = []
    texts: list[str] = []
    trouble = ""
    tone: Tone = "good"
    for one in tried:
        name = f"{one}._domainkey.{domain}"
        answer = lookups.txt(name)
        trouble = trouble or answer.trouble
        keys = [(text, key) for text in answer.values if (key := records.dkim(text)) is not None]
        for text, key in keys:
            texts.append(f"{name}: {text}")
            if key.problem:
                details.append(_KEY_PROBLEMS[key.problem]() % {"selector": one, "bits": key.bits})
            else:
                good.append(one)
                if key.kind == "rsa" and key.bits < 2048:
                    details.append(
                        _("“%(selector)s” has %(bits)d bits; 2048 are usual today.")
                        % {"selector": one, "bits": key.bits}
                    )
                if key.testing:
                    tone = "warn"
                    details.append(
                        _("“%(selector)s” is marked as a test (t=y): receivers may ignore it.") % {"selector": one}
                    )
    if selector and not typed:
        return Finding(
            "dkim",
            title,
            "warn",
            _("“%(selector)s” is no selector: letters, digits, dots and dashes.") % {"selector": selector[:80]},
        )
    foreign = [one.domain for one in seen if one.domain != domain]
    if foreign and not signed:
        tone = "warn"
        details.append(
            _("Your mail that came back was signed by %(domain)s, not by your own domain.") % {"domain": foreign[0]}
        )
    if good:
        words = _("There is a key (%(selectors)s).") % {"selectors": ", ".join(dict.fromkeys(good))}
        if set(signed) & set(good):
            words = _("Your mail is signed with a key that is there (%(selectors)s).") % {
                "selectors": ", ".join(dict.fromkeys(good))
            }
        return Finding("dkim", title, tone, words, tuple(details), tuple(texts))
    if trouble and not texts:
        return unknown("dkim", title, _("The DKIM key"), trouble)
    words = _("No key was found under %(selectors)s.") % {"selectors": ", ".join(tried)}
    if texts:
        words = _("There is a record, but no key in it that works.")
    else:
        details.append(
            _(
                "Keys lie under a selector that whoever sends your mail chose. If it is another one, enter it below; "
                "else switch DKIM on there and publish the records they name."
            )
        )
    wanted = tuple(
        Record(f"{name}._domainkey.{domain}", "CNAME", target.format(domain=domain))
        for name, target in (preset.dkim if preset else ())
    )
    return Finding("dkim", title, "bad" if texts else "warn", words, tuple(details), tuple(texts), wanted)


_KEY_PROBLEMS = {
    "revoked": lambda: _("“%(selector)s” is withdrawn: its key is empty."),
    "unreadable": lambda: _("“%(selector)s” cannot be read as a key: was it copied whole?"),
    "weak": lambda: _("“%(selector)s” has only %(bits)d bits, which receivers refuse. Make one of 2048."),
}


def dmarc(domain: str, lookups: Lookups, seen: Sequence[Signature]) -> Finding:
    """What the domain asks of receivers when neither SPF nor DKIM vouch for a mail, looked for upwards."""
    title = "DMARC"
    labels = domain.split(".")
    start = max(0, len(labels) - MOST_LEVELS)
    places = [domain, *(".".join(labels[n:]) for n in range(max(1, start), len(labels) - 1))]
    for place in places:
        answer = lookups.txt(f"_dmarc.{place}")
        if answer.trouble:
            return unknown("dmarc", title, f"_dmarc.{place}", answer.trouble)
        found = tuple(records.dmarc_records(answer.values))
        if found:
            return _policy(domain, place, found, seen)
    words = _(
        "There is no DMARC record. Large providers want one from whoever sends much mail; this one changes nothing yet."
    )
    return Finding("dmarc", title, "bad", words, wanted=(_dmarc_record(domain),))


def _dmarc_record(domain: str) -> Record:
    return Record(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none")


def _policy(domain: str, place: str, found: tuple[str, ...], seen: Sequence[Signature]) -> Finding:
    title = "DMARC"
    if len(found) > 1:
        words = _("There are %(count)d DMARC records. Receivers then ignore all of them: keep one.") % {
            "count": len(found)
        }
        return Finding("dmarc", title, "bad", words, found=found)
    record = records.dmarc(found[0])
    policy = record.policy if place == domain else record.below
    notes: list[StrOrPromise] = []
    if place != domain:
        notes.append(_("It stands at %(place)s and holds for this domain, too.") % {"place": place})
    if not policy:
        words = _("The record names no policy (p=none, quarantine or reject): receivers take it for none.")
        return Finding("dmarc", title, "warn", words, tuple(notes), found, (_dmarc_record(domain),))
    strict = record.strict_dkim or record.strict_spf
    notes.append(
        _("Alignment is strict: the domain that signs or sends has to be exactly the one in From.")
        if strict
        else _("Alignment is relaxed: a domain below or above the one in From may sign or send, too.")
    )
    for one in seen:
        if not aligned(domain, one.domain, strict=record.strict_dkim):
            notes.append(
                _("Your mail was signed by %(signer)s, which is not aligned with %(domain)s.")
                % {"signer": one.domain, "domain": domain}
            )
            break
    return Finding("dmarc", title, "good", str(_POLICY_WORDS[policy]()), tuple(notes), found)


_POLICY_WORDS = {
    "none": lambda: _(
        "Policy “none”: receivers only watch. Enough to begin with; “quarantine” comes next, once all mail passes."
    ),
    "quarantine": lambda: _("Policy “quarantine”: mail that neither SPF nor DKIM vouch for goes to spam."),
    "reject": lambda: _("Policy “reject”: mail that neither SPF nor DKIM vouch for is refused."),
}


def aligned(domain: str, other: str, *, strict: bool) -> bool:
    """RFC 7489 3.1, but for the list of public suffixes: one domain below the other counts as one organisation."""
    return domain == other or (not strict and (domain.endswith(f".{other}") or other.endswith(f".{domain}")))
