"""What the settings of a Facebook page and of an Instagram account have in common."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social.forms import Activity, Secret, ServerAddress, SettingsForm
from inbox.models import Channel

VERSION = re.compile(r"v[0-9]{1,2}\.[0-9]")
TOGGLES = {"messages": True, "comments": True, "human_agent": False}  # and what they are where nobody says


class AccountId(forms.CharField):
    """An id as Meta gives them: digits."""

    def to_python(self, value: Any) -> str:
        found = str(super().to_python(value) or "").strip()
        if found and not (found.isascii() and found.isdecimal()):
            raise ValidationError(_("This is a number, as Meta shows it: digits alone."))
        return found


class MetaSettings(SettingsForm):
    needed: ClassVar[tuple[str, ...]] = ("token", "app_secret")
    kind: ClassVar[str]
    own: ClassVar[str]  # the setting that names the page or account

    token = Secret(label=gettext_lazy("Access token"))
    app_secret = Secret(
        label=gettext_lazy("App secret"),
        help_text=gettext_lazy("In Meta's app dashboard, below App settings → Basic. It proves that news are Meta's."),
    )
    app_id = AccountId(
        label=gettext_lazy("App ID"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("With it, Rabta also sees when the token ends and which permissions it lacks."),
    )
    messages = forms.BooleanField(label=gettext_lazy("Take in messages"), required=False, initial=True)
    comments = forms.BooleanField(label=gettext_lazy("Take in comments"), required=False, initial=True)
    human_agent = forms.BooleanField(
        label=gettext_lazy("Meta has granted this app the permission “Human Agent”"),
        required=False,
        help_text=gettext_lazy("People may then answer for seven days, instead of 24 hours."),
    )
    show_activity = Activity()
    api_url = ServerAddress(
        label=gettext_lazy("Address of the API"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Empty: Meta's own."),
    )
    api_version = forms.CharField(
        label=gettext_lazy("Version of the API"),
        max_length=10,
        required=False,
        help_text=gettext_lazy("Such as v26.0. Empty: the one that this Rabta was made for."),
    )

    def clean_api_version(self) -> str:
        found = str(self.cleaned_data.get("api_version") or "").strip()
        if found and not VERSION.fullmatch(found):
            raise ValidationError(_("Give a version such as v26.0."))
        return found

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        others = Channel.objects.filter(kind=self.kind, **{f"settings__{self.own}": found.get(self.own)})
        if self.channel is not None and self.channel.pk:
            others = others.exclude(pk=self.channel.pk)
        if found.get(self.own) and (other := others.first()) is not None:
            said = _("It is connected already, as the channel “%(channel)s”.") % {"channel": other.name}
            self.add_error(self.own, ValidationError(said))
        for name, usual in TOGGLES.items():
            if name not in self.data:
                found[name] = usual
        if not found["messages"] and not found["comments"]:
            self.add_error("messages", ValidationError(_("Take in messages or comments: nothing would come.")))
        return found
