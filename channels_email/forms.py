"""The settings of an e-mail channel: strict, named by dotted paths (`smtp.host`), nested again in `cleaned_data`."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inbox.models import Channel

SECURITY = [("tls", lazy("TLS")), ("starttls", lazy("STARTTLS")), ("none", lazy("None (unencrypted)"))]
SECRETS = ("imap.password", "smtp.password")
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
        return [one.strip() for one in value]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class Address(forms.CharField):
    """One e-mail address, lower-cased; domains with no dot are permitted inside a company."""

    def to_python(self, value: Any) -> str:
        address = str(super().to_python(value) or "").lower()
        if address and not re.fullmatch(r"[^@\s]+@localhost(\.[a-z]+)?", address):
            validate_email(address)
        return address


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
        "host": forms.CharField(label=lazy("Server"), max_length=253, required=False),
        "port": forms.IntegerField(label=lazy("Port"), min_value=1, max_value=65535, required=False),
        "security": forms.ChoiceField(label=lazy("Security"), choices=SECURITY, required=False, initial="tls"),
        "username": forms.CharField(label=lazy("User name"), max_length=320, required=False),
        "password": forms.CharField(
            label=lazy("Password"), required=False, strip=False, widget=forms.PasswordInput, empty_value=None
        ),
    }
    if protocol == "imap":
        fields["folders"] = Folders(label=lazy("Folders"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
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


class EmailSettingsForm(forms.Form):
    """Takes the JSON of the settings (nested) or a posted form (dotted). Its `cleaned_data` is the nested JSON."""

    address = Address(label=lazy("Address"), max_length=254)
    name = forms.CharField(label=lazy("Name customers see"), max_length=120, required=False)
    plus_addressing = Flag(
        label=lazy("The mailbox takes name+tag@ addresses"),
        required=False,
        help_text=lazy("Then an answer finds its ticket even where mail programs drop the thread's headers."),
    )
    catch_all = Flag(label=lazy("Every address of the domain reaches this mailbox"), required=False)
    reopen_days = forms.IntegerField(
        label=lazy("Days in which an answer opens a solved ticket again"), required=False, min_value=0, max_value=3650
    )
    acknowledgement = forms.CharField(
        label=lazy("Automatic answer to a new ticket"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=lazy("Empty: none is sent. Automatic mail and mailing lists are never answered."),
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
            if name in ("imap.oauth", "smtp.oauth"):
                text = _("%(name)s: log-in by OAuth is not available; use an app password.")
            elif name in ("imap", "smtp"):
                text = _("%(name)s: give an object with host, port, security, username and password.")
            else:
                text = _("%(name)s is not a setting of an e-mail channel.")
            self.add_error(None, ValidationError(text % {"name": name}, code="unknown"))
        nested = self._nested()
        for protocol in ("imap", "smtp"):
            self._check_server(protocol, nested)
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
            if set(given) <= {"security"}:  # a posted form always carries its choices
                del nested[protocol]
            elif f"{protocol}.host" not in self.errors:
                self.add_error(f"{protocol}.host", ValidationError(_("Name the server."), code="required"))
            return
        given.setdefault("security", "tls")
        kept = self.channel.secrets if self.channel else {}
        if not given.get("password") and kept.get(f"{protocol}.password"):
            given["password"] = kept[f"{protocol}.password"]  # an empty field leaves the password as it is
        if protocol == "imap" and not given.get("username"):
            self.add_error("imap.username", ValidationError(_("IMAP needs a user name."), code="required"))
        if given.get("username") and not given.get("password"):
            self.add_error(f"{protocol}.password", ValidationError(_("Give the password."), code="required"))
