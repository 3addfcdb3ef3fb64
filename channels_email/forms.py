"""The settings of an e-mail channel: strict, named by dotted paths (`smtp.host`), nested again in `cleaned_data`."""

import ipaddress
import re
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_email import providers, records
from channels_email.presets import ends_with
from channels_email.servers import DEFAULT_PORTS, folder_name, folders_of
from inbox.models import Channel

SECURITY = [
    ("tls", gettext_lazy("TLS")),
    ("starttls", gettext_lazy("STARTTLS")),
    ("none", gettext_lazy("None (unencrypted)")),
]
SECRETS = ("imap.password", "smtp.password")
LOG_IN = [("", gettext_lazy("Password")), *((one.key, one.label) for one in providers.all_of_them())]
MOST_ADDRESSES = 50
LONGEST_HOST = 253  # RFC 1035, as text
NOT_OURS = {"csrfmiddlewaretoken"}


class Folders(forms.CharField):
    """Folder names: a list as JSON gives it, or one a line."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if not value:
            return []
        if isinstance(value, str):
            value = value.splitlines()
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise ValidationError(_("Give a list of folder names."))
        return list(dict.fromkeys(folder_name(one.strip()) for one in value))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class Folder(forms.CharField):
    """One folder name."""

    def to_python(self, value: Any) -> str:
        return folder_name(str(super().to_python(value) or ""))


class Address(forms.CharField):
    """One e-mail address, lower-cased; domains with no dot are permitted inside a company."""

    def to_python(self, value: Any) -> str:
        return _address(str(super().to_python(value) or ""))


def _address(text: str) -> str:
    address = text.strip().lower()
    if address and not re.fullmatch(r"[^@\s]+@localhost(\.[a-z]+)?", address):
        validate_email(address)
    return address


def _lines(value: Any) -> Any:
    """What a text area gives, as a list; anything else as it is."""
    return [one.strip() for one in value.splitlines() if one.strip()] if isinstance(value, str) else value


class Addresses(forms.CharField):
    """E-mail addresses: a list as JSON gives it, or one a line; each once."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        given = _lines(value) or []
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise ValidationError(_("Give a list of e-mail addresses."))
        if len(given) > MOST_ADDRESSES:
            raise ValidationError(_("At most %(n)d addresses.") % {"n": MOST_ADDRESSES})
        return list(dict.fromkeys(_address(one) for one in given))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class Senders(forms.CharField):
    """From-addresses: a list of {"address", "name"}, or one a line as `Name <address>`."""

    def to_python(self, value: Any) -> list[dict[str, str]]:  # type: ignore[override]
        given = _lines(value) or []
        if not isinstance(given, list):
            raise ValidationError(_("Give a list of objects with address and name."))
        if len(given) > MOST_ADDRESSES:
            raise ValidationError(_("At most %(n)d addresses.") % {"n": MOST_ADDRESSES})
        found = [self._one(one) for one in given]
        return list({one["address"]: one for one in found}.values())

    def _one(self, given: Any) -> dict[str, str]:
        if isinstance(given, str):
            name, address = parseaddr(given)
            given = {"address": address or given, "name": name}
        if not isinstance(given, dict) or not {"address"} <= set(given) <= {"address", "name"}:
            raise ValidationError(_("Give a list of objects with address and name."))
        address, name = given["address"], given.get("name") or ""
        if not isinstance(address, str) or not isinstance(name, str) or len(name) > 120:
            raise ValidationError(_("Give a list of objects with address and name."))
        return {"address": _address(address), "name": " ".join(name.split())}

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(_line(one["name"], one["address"]) for one in value)


def _line(name: str, address: str) -> str:
    """As `Senders` reads it again."""
    if not name:
        return address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if re.search(r"[^\w .-]", name) else f"{name} <{address}>"


class Host(forms.CharField):
    """The name of a server or an IP address, as the resolver takes it: without a port, a scheme or empty labels."""

    def to_python(self, value: Any) -> str:
        host = str(super().to_python(value) or "")
        if host and len(host) <= LONGEST_HOST and not _is_host(host):  # longer ones are refused for their length
            words = _("“%(host)s” is no name of a server. Give it like mail.example.com, without a port.")
            raise ValidationError(words % {"host": host}, code="no_host")
        return host


def _is_host(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        pass
    try:
        return records.is_name(text.encode("idna").decode().removesuffix("."))
    except UnicodeError:
        return False


class Tick(forms.CheckboxInput):
    """Hands on what was given, where Django's own takes any text for yes."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        return data.get(name, False)


class Flag(forms.BooleanField):
    """True or false, not "anything that is not empty"."""

    widget = Tick

    def to_python(self, value: Any) -> bool:
        if value in (True, "true", "on", "1", "True"):
            return True
        if value in (False, None, "", "false", "off", "0", "False"):
            return False
        raise ValidationError(_("Say true or false."))

    def validate(self, value: Any) -> None:
        return


def _server_fields(protocol: str) -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {
        "host": Host(label=gettext_lazy("Server"), max_length=LONGEST_HOST, required=False),
        "port": forms.IntegerField(label=gettext_lazy("Port"), min_value=1, max_value=65535, required=False),
        "security": forms.ChoiceField(label=gettext_lazy("Security"), choices=SECURITY, required=False, initial="tls"),
        "username": forms.CharField(label=gettext_lazy("User name"), max_length=320, required=False),
        "password": forms.CharField(
            label=gettext_lazy("Password"), required=False, strip=False, widget=forms.PasswordInput, empty_value=None
        ),
        "oauth": forms.ChoiceField(label=gettext_lazy("Log in by"), choices=LOG_IN, required=False),
    }
    if protocol == "imap":
        fields["folders"] = Folders(
            label=gettext_lazy("Folders"),
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=gettext_lazy("One a line. Empty: INBOX."),
        )
        fields["move_to"] = Folder(
            label=gettext_lazy("Move mail that was taken in to this folder"),
            required=False,
            max_length=500,
            help_text=gettext_lazy("Empty: mail stays where it is, and nothing in the mailbox is changed."),
        )
    return {f"{protocol}.{name}": field for name, field in fields.items()}


def flatten(data: Mapping[str, Any]) -> dict[str, Any]:
    """`{"smtp": {"host": …}}` and `{"smtp.host": …}` alike as the latter."""
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{inner}": one for inner, one in value.items()}
        else:
            flat[key] = value
    return flat


def same_log_in(protocol: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a password given for the old settings would go to the same account of the same server, no less safely."""
    before, after = old.get(protocol) or {}, new.get(protocol) or {}
    if not before or not after or after.get("oauth"):
        return False
    weaker = after.get("security") == "none" and before.get("security") != "none"
    return not weaker and _account(protocol, before) == _account(protocol, after)


def _account(protocol: str, server: Mapping[str, Any]) -> tuple[str, int, str]:
    port = server.get("port") or DEFAULT_PORTS[protocol, server.get("security", "tls")]
    return server["host"].lower(), port, server.get("username", "")


def _stand_in(host: str) -> bool:
    """Whether a provider may be played there: on this machine, where private networks are permitted."""
    return settings.ALLOW_PRIVATE_NETWORKS and host.lower() in {"localhost", "127.0.0.1", "::1"}


class EmailSettingsForm(forms.Form):
    """Takes the JSON of the settings (nested) or a posted form (dotted). Its `cleaned_data` is the nested JSON."""

    address = Address(label=gettext_lazy("Address"), max_length=254)
    name = forms.CharField(label=gettext_lazy("Name customers see"), max_length=120, required=False)
    aliases = Addresses(
        label=gettext_lazy("Further addresses that arrive in this mailbox"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One a line. Who writes to one of them is answered from it."),
    )
    from_addresses = Senders(
        label=gettext_lazy("Addresses that answers may leave from, and their names"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One a line, as: Sales team <sales@example.com>. The mail server has to permit them."),
    )
    plus_addressing = Flag(
        label=gettext_lazy("The mailbox takes name+tag@ addresses"),
        required=False,
        help_text=gettext_lazy("Then an answer finds its ticket even where mail programs drop the thread's headers."),
    )
    catch_all = Flag(label=gettext_lazy("Every address of the domain reaches this mailbox"), required=False)
    reopen_days = forms.IntegerField(
        label=gettext_lazy("Days in which an answer opens a solved ticket again"),
        required=False,
        min_value=0,
        max_value=3650,
    )
    acknowledgement = forms.CharField(
        label=gettext_lazy("Automatic answer to a new ticket"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Empty: none is sent. Automatic mail and mailing lists are never answered."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> None:
        self.channel = channel
        initial = flatten(channel.settings) if channel else {}
        flat = None if data is None else flatten(data)
        super().__init__(data=flat, initial=initial)
        self.fields |= {**_server_fields("imap"), **_server_fields("smtp")}
        self.unknown = sorted(set(flat or ()) - set(self.fields) - NOT_OURS)

    def clean(self) -> dict[str, Any]:
        for name in self.unknown:
            if name in ("imap", "smtp"):
                text = _("%(name)s: give an object with host, port, security, username and password.")
            else:
                text = _("%(name)s is not a setting of an e-mail channel.")
            self.add_error(None, ValidationError(text % {"name": name}, code="unknown"))
        nested = self._nested()
        for protocol in ("imap", "smtp"):
            self._check_server(protocol, nested)
        self._check_whole(nested)
        return nested

    def _nested(self) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if value in (None, "", []) or value is False:
                continue
            section, dot, key = name.partition(".")
            if dot:
                nested.setdefault(section, {})[key] = value
            else:
                nested[name] = value
        return nested

    def _check_server(self, protocol: str, nested: dict[str, Any]) -> None:
        given = nested.get(protocol)
        if given is None:
            return
        if not given.get("host"):
            if set(given) <= {"security", "oauth"}:  # a posted form always carries its choices
                del nested[protocol]
            elif f"{protocol}.host" not in self.errors:
                self.add_error(f"{protocol}.host", ValidationError(_("Name the server."), code="required"))
            return
        given.setdefault("security", "tls")
        if given.get("oauth"):
            self._check_oauth(protocol, given)
            return
        if protocol == "imap" and not given.get("username"):
            self.add_error("imap.username", ValidationError(_("IMAP needs a user name."), code="required"))
        if given.get("username") and not given.get("password"):
            self._check_kept(protocol, nested)

    def _check_kept(self, protocol: str, nested: Mapping[str, Any]) -> None:
        """An empty field leaves the password as it is, for the server and user name that it was given for."""
        if self.channel is None or not self.channel.secrets.get(f"{protocol}.password"):
            self.add_error(f"{protocol}.password", ValidationError(_("Give the password."), code="required"))
        elif not same_log_in(protocol, self.channel.settings, nested):
            words = _("Give the password again: the one that is kept was given for another server or user name.")
            self.add_error(f"{protocol}.password", ValidationError(words, code="required"))

    def _check_oauth(self, protocol: str, given: dict[str, Any]) -> None:
        given.pop("password", None)  # one way to log in: a password that was kept goes
        if not given.get("username"):
            words = _("Log-in by Google or Microsoft needs a user name: the mailbox's own address.")
            self.add_error(f"{protocol}.username", ValidationError(words, code="required"))
        provider = providers.named(given["oauth"])
        if not (ends_with(given["host"], provider.mail_domains) or _stand_in(given["host"])):
            words = _("Log-in by %(provider)s works at its own servers alone, such as %(host)s.")
            own = {"provider": provider.label, "host": provider.mail_domains[0]}
            self.add_error(f"{protocol}.host", ValidationError(words % own, code="foreign_server"))
        if given["security"] == "none" and not settings.ALLOW_PRIVATE_NETWORKS:
            words = _("A token may not travel unencrypted: choose TLS or STARTTLS.")
            self.add_error(f"{protocol}.security", ValidationError(words, code="insecure"))

    def _check_whole(self, nested: dict[str, Any]) -> None:
        imap, smtp = nested.get("imap") or {}, nested.get("smtp") or {}
        if imap.get("oauth") and smtp.get("oauth") and imap["oauth"] != smtp["oauth"]:
            words = _("IMAP and SMTP of one mailbox log in at the same provider.")
            self.add_error("smtp.oauth", ValidationError(words, code="two_providers"))
        if imap.get("move_to") and (imap["move_to"],) == folders_of(imap):
            words = _("This is the folder that mail is read from: name another one.")
            self.add_error("imap.move_to", ValidationError(words, code="same_folder"))
        if nested.get("aliases"):
            nested["aliases"] = [one for one in nested["aliases"] if one != nested.get("address")]
            if not nested["aliases"]:
                del nested["aliases"]
