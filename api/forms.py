"""What people send from the API's settings pages, checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError as Refused

from api.actions import tokens
from api.actions.webhooks import EMPTIED
from api.models import ALL_EVENTS, Webhook
from api.serializers.webhooks import usable_url
from api.webhooks.events import GROUPS, KINDS
from inbox import access
from inbox.models import Agent, Channel, Team


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("What is it for?"),
        max_length=120,
        help_text=gettext_lazy("So that you know later which program stops when you revoke it."),
    )
    scope = forms.ChoiceField(label=gettext_lazy("It may"), widget=forms.RadioSelect)

    def __init__(self, agent: Agent, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {
            "read": _("read what you see"),
            "write": _("read, answer and change what you may"),
            "admin": _("everything that you may, settings included"),
        }
        choices = [(str(scope), words[scope]) for scope in tokens.scopes_of(agent)]
        self.fields["scope"].choices = choices  # type: ignore[attr-defined]
        self.fields["scope"].initial = "read"


class WebhookForm(forms.Form):
    """A webhook as its page shows it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/rabta", "dir": "ltr"}),
        help_text=gettext_lazy("Events are posted there as JSON, signed."),
    )
    description = forms.CharField(label=gettext_lazy("Description"), max_length=500, required=False)
    which = forms.ChoiceField(
        label=gettext_lazy("Which events?"),
        choices=[
            ("some", gettext_lazy("Only those ticked here")),
            ("all", gettext_lazy("All, and those that later versions add")),
        ],
        widget=forms.RadioSelect(attrs={"data-shows": "events"}),
        initial="some",
    )
    events = forms.MultipleChoiceField(
        choices=[(kind, kind) for kind in KINDS], required=False, widget=forms.CheckboxSelectMultiple
    )
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(),
        label=gettext_lazy("Only from these channels"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.none(),
        label=gettext_lazy("Only tickets of these teams"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    active = forms.BooleanField(label=gettext_lazy("On"), required=False, initial=True)

    def __init__(self, agent: Agent, *args: Any, hook: Webhook | None = None, **kwargs: Any) -> None:
        if hook is not None:
            kwargs.setdefault(
                "initial",
                {
                    "name": hook.name,
                    "url": hook.url,
                    "description": hook.description,
                    "which": "all" if hook.all_events else "some",
                    "events": hook.events,
                    "channels": hook.channels.all(),
                    "teams": hook.teams.all(),
                    "active": hook.active,
                },
            )
        super().__init__(*args, **kwargs)
        self.filter_gone = hook is not None and Webhook.objects.filter(EMPTIED, pk=hook.pk).exists()
        # Those it has stay to be chosen, whoever looks: or saving would take them away unseen.
        for name, seen, model in (("channels", access.channels(agent), Channel), ("teams", access.teams(agent), Team)):
            kept = getattr(hook, name).values_list("pk", flat=True) if hook is not None else []
            either = model.objects.filter(pk__in=[*seen.values_list("pk", flat=True), *kept])
            self.fields[name].queryset = either.order_by("name")  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        try:
            return usable_url(self.cleaned_data["url"])
        except Refused as error:
            raise ValidationError([str(one) for one in error.detail]) from error

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("which") == "all":
            data["events"] = [ALL_EVENTS]
        elif "events" in data and not data["events"]:
            self.add_error("events", _("Tick at least one."))
        return data

    def groups(self) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
        """The events as people choose them: (group, [{"kind", "about", "checked"}])."""
        chosen = set(self["events"].value() or ())
        for label, kinds in GROUPS:
            yield label, [{"kind": kind, "about": about, "checked": kind in chosen} for kind, about in kinds.items()]

    def values(self) -> dict[str, Any]:
        """What the action takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "which"}
