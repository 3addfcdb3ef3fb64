"""Mail providers whose servers are known: what to fill in, where to make a password, what their DNS records look like.

Sources, each the provider's own page where there is one: support.google.com/mail/answer/7126229 (servers) and
support.google.com/a/answer/33786 (SPF); learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online (servers:
outlook.office365.com, smtp.office365.com; passwords ended in 2022, for SMTP in 2026) and
support.microsoft.com "POP, IMAP and SMTP settings for Outlook.com"; support.apple.com/102525 (iCloud servers; app
passwords at account.apple.com) and support.apple.com/102374 (own domains: include:icloud.com, sig1);
help.yahoo.com SLN4075; fastmail.com/help/technical/servernamesandports.html and
fastmail.help/hc/articles/360060591153 (fm1 to fm3); zoho.com/mail/help/imap-access.html (imappro and smtppro for own
domains, other countries other endings); support.gmx.com/pop-imap; kb.mailbox.org "E-mail configuration" and
"SPF, DKIM, and DMARC".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Host:
    """A server and how to speak to it."""

    host: str
    port: int
    security: str

    def settings(self, prefix: str) -> dict[str, str | int]:
        return {f"{prefix}.host": self.host, f"{prefix}.port": self.port, f"{prefix}.security": self.security}


@dataclass(frozen=True, slots=True)
class Preset:
    """One provider. `domains` are its own (people's addresses there), `mx` ends the names of its mail exchangers.

    `spf` are the names of which one has to be included in the SPF record of an own domain, the usual one first;
    `selectors` where its DKIM keys lie; `dkim` the targets of the CNAME records, with `{domain}` to fill in.
    """

    key: str
    label: StrOrPromise
    about: StrOrPromise
    imap: Host | None = None
    smtp: Host | None = None
    hint: StrOrPromise = ""
    link: str = ""
    oauth: str = ""
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    spf: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    dkim: tuple[tuple[str, str], ...] = ()

    @property
    def forwarded(self) -> bool:
        """Whether there is no mailbox to read: mail is brought to us."""
        return self.key == "forwarded"


GOOGLE = Preset(
    "google",
    "Google",
    _("Gmail and Google Workspace"),
    Host("imap.gmail.com", 993, "tls"),
    Host("smtp.gmail.com", 465, "tls"),
    _("Google takes no ordinary passwords: switch on two-step verification, make an app password and use it here."),
    "https://myaccount.google.com/apppasswords",
    "google",
    ("gmail.com", "googlemail.com"),
    ("google.com", "googlemail.com"),
    ("gmail.com", "google.com"),
    ("_spf.google.com",),
    ("google",),
)
MICROSOFT = Preset(
    "microsoft",
    "Microsoft",
    _("Microsoft 365 and Outlook.com"),
    Host("outlook.office365.com", 993, "tls"),
    Host("smtp.office365.com", 587, "starttls"),
    _("Microsoft takes no passwords from mail programs any longer: log in with Microsoft. Your administrator has to "
      "permit authenticated SMTP for this mailbox."),
    "https://admin.microsoft.com/",
    "microsoft",
    ("outlook.com", "hotmail.com", "live.com", "msn.com"),
    ("mail.protection.outlook.com", "mx.microsoft", "olc.protection.outlook.com"),
    ("office365.com", "outlook.com"),
    ("spf.protection.outlook.com",),
    ("selector1", "selector2"),
)  # fmt: skip
ICLOUD = Preset(
    "icloud",
    "iCloud",
    _("Apple, also with an own domain"),
    Host("imap.mail.me.com", 993, "tls"),
    Host("smtp.mail.me.com", 587, "starttls"),
    _("Apple wants an app-specific password: make one below Sign-In and Security."),
    "https://account.apple.com/account/manage",
    "",
    ("icloud.com", "me.com", "mac.com"),
    ("mail.icloud.com",),
    ("mail.me.com",),
    ("icloud.com",),
    ("sig1",),
)
YAHOO = Preset(
    "yahoo",
    "Yahoo",
    _("Yahoo Mail"),
    Host("imap.mail.yahoo.com", 993, "tls"),
    Host("smtp.mail.yahoo.com", 465, "tls"),
    _("Yahoo wants an app password: make one below Account security."),
    "https://login.yahoo.com/account/security",
    "",
    ("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.co.in", "yahoo.de", "yahoo.fr"),
    ("yahoodns.net",),
    ("mail.yahoo.com",),
)
FASTMAIL = Preset(
    "fastmail",
    "Fastmail",
    _("also with an own domain"),
    Host("imap.fastmail.com", 993, "tls"),
    Host("smtp.fastmail.com", 465, "tls"),
    _("Fastmail wants an app password: make one below Privacy and Security, with access to mail."),
    "https://app.fastmail.com/settings/security",
    "",
    ("fastmail.com", "fastmail.fm"),
    ("messagingengine.com",),
    ("fastmail.com", "messagingengine.com"),
    ("spf.messagingengine.com",),
    ("fm1", "fm2", "fm3"),
    tuple((f"fm{n}", f"fm{n}.{{domain}}.dkim.fmhosted.com") for n in (1, 2, 3)),
)
ZOHO = Preset(
    "zoho",
    "Zoho",
    _("Zoho Mail with an own domain"),
    Host("imappro.zoho.com", 993, "tls"),
    Host("smtppro.zoho.com", 465, "tls"),
    _("Permit IMAP in Zoho Mail's settings. With two-factor log-in, make an application-specific password. Accounts of "
      "other regions have servers that end in .eu, .in or .com.au."),
    "https://accounts.zoho.com/home#security/app_password",
    "",
    ("zoho.com", "zohomail.com"),
    ("zoho.com", "zoho.eu", "zoho.in", "zoho.com.au"),
    ("zoho.com", "zoho.eu", "zoho.in", "zoho.com.au"),
    ("zohomail.com", "zoho.com", "one.zoho.com", "zohomail.eu", "zoho.eu", "zoho.in", "zoho.com.au"),
    ("zmail", "zoho"),
)  # fmt: skip
GMX = Preset(
    "gmx",
    "GMX",
    _("GMX and gmx.com"),
    Host("imap.gmx.net", 993, "tls"),
    Host("mail.gmx.net", 465, "tls"),
    _("Permit POP3 and IMAP in the settings of GMX first. With two-factor log-in, make an application password."),
    "",
    "",
    ("gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.com", "gmx.us", "gmx.co.uk"),
    ("gmx.net", "gmx.com"),
    ("gmx.net", "gmx.com"),
)
MAILBOX_ORG = Preset(
    "mailbox_org",
    "mailbox.org",
    _("also with an own domain"),
    Host("imap.mailbox.org", 993, "tls"),
    Host("smtp.mailbox.org", 465, "tls"),
    _("With two-factor log-in, mailbox.org wants an application password: All settings, Security."),
    "",
    "",
    ("mailbox.org",),
    ("mailbox.org",),
    ("mailbox.org",),
    ("mailbox.org",),
    ("MBO0001", "MBO0002"),
    tuple((f"MBO000{n}", f"MBO000{n}._domainkey.mailbox.org") for n in (1, 2)),
)
OTHER = Preset("other", _("Another provider"), _("any server with IMAP and SMTP"))
FORWARDED = Preset("forwarded", _("No mailbox"), _("mail is forwarded or piped to us"))

ALL = (GOOGLE, MICROSOFT, ICLOUD, YAHOO, FASTMAIL, ZOHO, GMX, MAILBOX_ORG, OTHER, FORWARDED)
_BY_KEY = {one.key: one for one in ALL}
COMMON_SELECTORS = ("default", "dkim", "mail", "k1", "s1", "s2")  # of what many mail servers and senders make

_COM = {"imap.gmx.net": "imap.gmx.com", "mail.gmx.net": "mail.gmx.com"}
_PERSONAL = {
    "smtp.office365.com": "smtp-mail.outlook.com",
    "imappro.zoho.com": "imap.zoho.com",
    "smtppro.zoho.com": "smtp.zoho.com",
}


def named(key: str) -> Preset | None:
    return _BY_KEY.get(key)


def ends_with(name: str, endings: Iterable[str]) -> bool:
    """Whether a host name is one of these domains, or lies below one."""
    name = name.lower().rstrip(".")
    return any(name == one or name.endswith(f".{one}") for one in endings)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip().lower().rstrip(".")


def by_domain(domain: str) -> Preset | None:
    """The provider whose own domain this is."""
    return next((one for one in ALL if domain in one.domains), None)


def by_mx(exchangers: Iterable[str]) -> Preset | None:
    """The provider that takes the mail of a domain with these mail exchangers."""
    return next((one for name in exchangers for one in ALL if ends_with(name, one.mx)), None)


def by_server(host: str) -> Preset | None:
    """The provider whom a sending server belongs to."""
    return next((one for one in ALL if ends_with(host, one.senders)), None)


def hosts(preset: Preset, address: str) -> dict[str, str | int]:
    """Server settings for an address at this provider, by dotted name."""
    found = {
        **(preset.imap.settings("imap") if preset.imap else {}),
        **(preset.smtp.settings("smtp") if preset.smtp else {}),
    }
    domain = domain_of(address)
    swapped = _COM if domain in ("gmx.com", "gmx.us", "gmx.co.uk") else _PERSONAL if domain in preset.domains else {}
    return {name: swapped.get(str(value), value) for name, value in found.items()}
