"""What the settings' pages show of a mailbox that no other kind of channel has. The adapter hands on to this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from channels_email import audit, lookups, oauth, presets, probes, receipts, records
from channels_email.records import Signature
from channels_email.servers import folders_of
from inbox.adapters import Panel, Start
from inbox.models import Agent, Channel, Receipt, ReceiptState
from inbox.rights import Right, may

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

HELPERS = ("login", "same_login", "provider", "reads")  # of the page, not of the settings
SEEN_FOR = timedelta(days=2)
MOST_SEEN = 20
LARGEST_PROBE = 64 * 1024  # bytes of a test mail with all that servers on its way put above it
FOLDERS = "channels_email/"


def start(asked: Mapping[str, str]) -> Start:
    """Which provider first; then the form with its servers filled in. An address alone is enough to guess."""
    typed = asked.get("address", "").strip().lower()[:254]
    preset = presets.named(asked.get("provider", ""))
    guessed = False
    if preset is None and "@" in typed:
        preset, guessed = guess(typed, lookups.Dns(seconds=lookups.EACH)), True
    if preset is None:
        known = [one for one in presets.ALL if one.imap]
        others = [one for one in presets.ALL if not one.imap]
        return Start(question=Panel(FOLDERS + "providers.html", {"presets": known, "others": others}))
    initial: dict[str, Any] = dict(presets.hosts(preset, typed))
    if "@" in typed:
        initial["address"] = typed
        if preset.imap:
            initial |= {"imap.username": typed, "smtp.username": typed}
    about = Panel(FOLDERS + "provider.html", {"preset": preset, "guessed": guessed and preset.imap is not None})
    return Start(initial=initial, about=about)


def address(channel: Channel) -> str:
    """The channel's own address; empty for one that was made without."""
    return str(channel.settings.get("address") or next(iter(channel.addresses), ""))


def guess(typed: str, dns: lookups.Lookups) -> presets.Preset:
    """The provider of an address: by its domain, else by the domain's mail exchangers."""
    domain = presets.domain_of(typed)
    return presets.by_domain(domain) or presets.by_mx(dns.mx(domain).values) or presets.OTHER


def posted(data: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the page means: one log-in for both servers if it says so, OAuth in place of passwords.

    A user name left empty is the address. `reads` says that there has to be a mailbox to read.
    """
    found: dict[str, Any] = {name: value for name, value in data.items() if name not in HELPERS}
    if data.get("same_login") and found.get("imap.host") and found.get("smtp.host"):
        for name in ("username", "password"):
            found[f"smtp.{name}"] = found.get(f"imap.{name}") or ""
    by_oauth = data.get("login") == "oauth"
    provider = data.get("provider", "") if by_oauth else ""
    for protocol in ("imap", "smtp"):
        found.pop(f"{protocol}.oauth", None)
        if not found.get(f"{protocol}.host"):
            if (protocol == "imap" and data.get("reads")) or found.get(f"{protocol}.password"):
                found[f"{protocol}.username"] = found.get("address") or "?"  # so that the form asks for the server
            else:
                found = {name: value for name, value in found.items() if not name.startswith(f"{protocol}.")}
            continue
        if provider:
            found[f"{protocol}.oauth"] = provider
            found.pop(f"{protocol}.password", None)
        if (provider or protocol == "imap") and not found.get(f"{protocol}.username"):
            found[f"{protocol}.username"] = found.get("address", "")
    if data.get("same_login") and found.get("smtp.host") and found.get("imap.host"):
        found["smtp.username"] = found["imap.username"]
    return found


def facts(channel: Channel) -> list[tuple[StrOrPromise, str]]:
    """The settings that tell most, never a secret."""
    settings = channel.settings
    found: list[tuple[StrOrPromise, str]] = [(_("Address"), address(channel))]
    if aliases := settings.get("aliases"):
        found.append((_("Further addresses"), ", ".join(aliases)))
    found.append((_("Name customers see"), str(settings.get("name") or channel.name)))
    for protocol, label in (("imap", _("Reads from")), ("smtp", _("Sends through"))):
        one = settings.get(protocol)
        if one:
            port = f":{one['port']}" if one.get("port") else ""
            security = one.get("security", "tls")
            how = _("unencrypted") if security == "none" else security.upper()
            found.append((label, f"{one['host']}{port} ({how})"))
    imap = settings.get("imap") or {}
    if imap:
        found.append((_("Folders"), ", ".join(folders_of(imap))))
        if imap.get("move_to"):
            found.append((_("Moves mail to"), str(imap["move_to"])))
    else:
        found.append((_("Reads from"), _("no mailbox: mail is forwarded or piped here")))
    if settings.get("plus_addressing") or settings.get("catch_all"):
        taken = _("+tag addresses") if settings.get("plus_addressing") else _("every address of the domain")
        found.append((_("Also takes"), taken))
    return found


def panels(channel: Channel, agent: Agent) -> list[Panel]:
    """Consent by OAuth first, where it needs somebody; then the way back, the count, and the sending domain."""
    imap, smtp = channel.settings.get("imap") or {}, channel.settings.get("smtp") or {}
    found: list[Panel] = []
    if imap.get("oauth") or smtp.get("oauth"):
        found.append(_consent(channel, agent))
    if smtp:
        found.append(Panel(FOLDERS + "way_back.html"))
    if imap:
        found.append(Panel(FOLDERS + "audit.html", {"audit": audit.latest(channel)}))
    found.append(Panel(FOLDERS + "domain.html", {"domain": presets.domain_of(address(channel))}))
    return found


def _consent(channel: Channel, agent: Agent) -> Panel:
    grant = oauth.grant_of(channel)
    provider = oauth.provider_of(channel)
    trouble = grant is None or grant.refused or grant.failing_since is not None
    shown = {
        "grant": grant,
        "label": provider.label if provider else "",
        "configured": provider is not None and provider.configured,
        "trouble": trouble,
        "may_connect": may(agent, Right.CHANNELS),
    }
    return Panel(FOLDERS + "permission.html", shown, first=trouble)


def seen_signatures(channel: Channel) -> list[Signature]:
    """Who signed our own test mails that came back to this mailbox lately. No other mail is asked: what strangers send
    may bear an id of ours, and whatever signatures they like."""
    lately = Receipt.objects.filter(
        channel=channel,
        state=ReceiptState.IGNORED,
        key__startswith=probes.ID_PREFIX,
        size__lte=LARGEST_PROBE,
        received_at__gt=timezone.now() - SEEN_FOR,
        raw__isnull=False,
    ).order_by("-received_at")
    heads = [receipts.header_block(bytes(raw or b"")) for raw in lately.values_list("raw", flat=True)[:MOST_SEEN]]
    found = [one for head in heads if probes.token_in(head) for one in records.signatures(head)]
    return list(dict.fromkeys(found))
