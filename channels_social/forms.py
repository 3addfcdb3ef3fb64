"""Settings of messengers, checked alike: unknown names are told, secrets may stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.models import Channel

NOT_OURS = {"csrfmiddlewaretoken"}


class ServerAddress(forms.CharField):
    """https://host[/path] of an API, without a trailing slash; http only for what a setting lets in (a loopback)."""

    def to_python(self, value: Any) -> str:
        found = str(super().to_python(value) or "").strip().rstrip("/")
        if not found:
            return ""
        try:
            parts = urlsplit(found)
            usable = bool(parts.hostname) and not parts.query and not parts.fragment and (parts.port or 1) > 0
        except ValueError:  # half an IPv6 address, a port that is no number
            usable = False
        if not usable or parts.scheme not in {"https", "http"}:
            raise ValidationError(_("Give an address such as https://api.example.com."))
        return found


class Secret(forms.CharField):
    """A secret: never shown; left empty it stays what it was."""

    def __init__(self, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "off", "dir": "ltr"})
        super().__init__(widget=widget, required=False, strip=True, max_length=1000, **options)


class Activity(forms.BooleanField):
    """Whether customers are told that somebody reads and writes. Nobody is, unless somebody chose so."""

    def __init__(self, *, reading: bool = True) -> None:
        helps = (
            gettext_lazy(
                "While somebody writes an answer they see “typing…”, and once one of you has read what they wrote, "
                "that it was read. Without this nobody outside learns what you do at your screens."
            )
            if reading
            else gettext_lazy(
                "While somebody writes an answer they see “typing…”. Without this nobody outside learns what you do at "
                "your screens."
            )
        )
        super().__init__(
            label=gettext_lazy("Tell customers that we read and write")
            if reading
            else gettext_lazy("Tell customers that we write"),
            required=False,
            help_text=helps,
        )


class SettingsForm(forms.Form):
    """The base: `data` is settings as JSON or as a page posts them, `channel` the one that is changed.

    `needed` names secrets without which the channel cannot work. What is empty is left out of `cleaned_data`.
    """

    needed: ClassVar[tuple[str, ...]] = ()
    # What few people change.
    further: ClassVar[tuple[str, ...]] = ("name", "reopen_days", "acknowledgement", "api_url", "api_version")

    name = forms.CharField(
        label=gettext_lazy("Name that customers see"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Empty: as the platform calls it."),
    )
    reopen_days = forms.IntegerField(
        label=gettext_lazy("Days in which a solved ticket opens again"),
        min_value=0,
        max_value=365,
        required=False,
        help_text=gettext_lazy("What they write later opens a new one. Empty: 3."),
    )

    acknowledgement = forms.CharField(
        label=gettext_lazy("Automatic answer to a new ticket"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text=gettext_lazy(
            "Empty: none is sent. It is never sent under public comments, after the time for answers is over, or to"
            " somebody who asked for no more messages."
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> None:
        self.channel = channel
        kept = dict(channel.settings) if channel is not None else {}
        super().__init__(data, initial=kept)
        self.kept = set(channel.secrets) if channel is not None and channel.credentials else set()
        for name in self.kept & set(self.fields):
            self.fields[name].widget.attrs["placeholder"] = _("unchanged")
        for name in set(self.needed) - self.kept:
            self.fields[name].required = True

    def main_fields(self) -> list[forms.BoundField]:
        return [one for one in self if one.name not in self.further]

    def further_fields(self) -> list[forms.BoundField]:
        return [one for one in self if one.name in self.further]

    @property
    def further_wrong(self) -> bool:
        return any(one.errors for one in self.further_fields())

    def clean(self) -> dict[str, Any]:
        unknown = sorted(set(self.data) - set(self.fields) - NOT_OURS)
        for name in unknown:
            self.add_error(None, ValidationError(_("There is no setting “%(name)s”.") % {"name": str(name)[:80]}))
        found = {name: value for name, value in self.cleaned_data.items() if value not in ("", None, [])}
        if not found.get("show_activity"):
            found.pop("show_activity", None)
        return found
