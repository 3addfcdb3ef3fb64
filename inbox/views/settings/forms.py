"""What the pages of people and teams are sent, checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from inbox import access, variables
from inbox.forms import ProfileForm
from inbox.models import Agent, Channel, Role, Team

SHORTLY = {
    Role.LIGHT: _("Reads and leaves notes."),
    Role.AGENT: _("Answers customers, changes tickets and customers."),
    Role.MANAGER: _("Also shares macros and views, sees reports, makes teams, looks after channels."),
    Role.ADMIN: _("Also connects channels, manages people and other systems, reads the audit log."),
}


class RoleSelect(forms.RadioSelect):
    """The roles, each with what it may do in short words."""

    option_template_name = "settings/people/_role.html"

    def create_option(self, name: str, value: Any, *args: Any, **told: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **told)
        option["about"] = SHORTLY.get(value, "")
        return option


class PersonForm(forms.Form):
    """Name, role and teams of somebody."""

    name = forms.CharField(label=_("Name"), max_length=200)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=RoleSelect)
    teams = forms.ModelMultipleChoiceField(
        label=_("Teams"), queryset=Team.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )


class InviteForm(PersonForm):
    email = forms.EmailField(label=_("E-mail"), max_length=254)

    field_order = ("email", "name", "role", "teams")

    def __init__(self, *args: Any, **told: Any) -> None:
        super().__init__(*args, **told)
        self.fields["name"].required = False
        self.fields["role"].initial = Role.AGENT


class AcceptForm(forms.Form):
    """What somebody who was invited says: how they are called, and a password."""

    name = forms.CharField(label=_("Your name"), max_length=200)
    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput,
        strip=False,
        help_text=_("At least ten characters; a few unusual words do well."),
    )

    def __init__(self, *args: Any, email: str, with_password: bool, **told: Any) -> None:
        super().__init__(*args, **told)
        self.address = email
        if not with_password:
            del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        if password := self.cleaned_data.get("password"):
            try:
                validate_password(password, Agent(email=self.address, name=self.cleaned_data.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data


class FirstForm(AcceptForm):
    """As AcceptForm, of who begins: nobody knows their address yet."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    field_order = ("name", "email", "password")

    def __init__(self, *args: Any, **told: Any) -> None:
        super().__init__(*args, email="", with_password=True, **told)

    def clean(self) -> dict[str, Any]:
        self.address = self.cleaned_data.get("email", "")
        return super().clean()


class SignatureField(forms.CharField):
    """What stands under replies; it may hold variables, and none that nobody knows."""

    def __init__(self, *, rows: int = 4, **told: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "dir": "auto"})
        super().__init__(required=False, max_length=5000, widget=widget, **told)

    def clean(self, value: Any) -> str:
        words: str = super().clean(value)
        if wrong := variables.unknown(words):
            raise forms.ValidationError(_("There is no variable %(name)s.") % {"name": "{{" + wrong[0] + "}}"})
        return words


class TeamForm(forms.Form):
    """A team: offered are the people who work here, and the channels that whoever asks sees."""

    name = forms.CharField(label=_("Name"), max_length=120)
    private = forms.BooleanField(
        label=_("Private"),
        required=False,
        help_text=_("Its tickets are seen by its members alone, not even by admins who are none."),
    )
    members = forms.ModelMultipleChoiceField(
        label=_("Members"), queryset=Agent.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    channels = forms.ModelMultipleChoiceField(
        label=_("Channels it sees"),
        queryset=Channel.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    signature = SignatureField(label=_("Signature"), rows=3)

    def __init__(self, data: Any, agent: Agent, team: Team | None = None) -> None:
        initial: dict[str, Any] = {}
        if team is not None:
            initial = {"name": team.name, "private": team.private, "signature": team.signature}
            initial |= {"members": team.members.all(), "channels": team.channels.all()}
        super().__init__(data, initial=initial)
        people = Agent.objects.filter(is_active=True, is_bot=False)
        if team is not None:
            people = people | Agent.objects.filter(pk__in=team.members.values("pk"))
        self.fields["members"].queryset = people.distinct().order_by("name", "pk")  # type: ignore[attr-defined]
        self.fields["channels"].queryset = access.channels(agent)  # type: ignore[attr-defined]


class OwnProfileForm(ProfileForm):
    """`/settings/profile/`: the small menu's three, and what is rarer."""

    name = forms.CharField(label=_("Name"), max_length=200)
    signature = SignatureField(label=_("Signature"), help_text=_("Stands below your replies by e-mail."))
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("Colleagues see it; customers do not."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp,image/gif", "data-photo": ""}),
    )
    no_photo = forms.BooleanField(label=_("Take the photo away"), required=False)
    away = forms.BooleanField(
        label=_("I am away"), required=False, help_text=_("Others see it before they give you a ticket.")
    )
    after_send = forms.ChoiceField(label=_("After sending"), required=False)

    field_order = ("name", "photo", "no_photo", "signature", "language", "theme", "time_zone", "after_send", "away")

    def __init__(self, *args: Any, **told: Any) -> None:
        super().__init__(*args, **told)
        self.fields["language"].label = _("Language")
        self.fields["theme"].label = _("Look")
        self.fields["time_zone"].label = _("Time zone")
        self.fields["theme"].choices = Agent._meta.get_field("theme").choices  # type: ignore[attr-defined]
        self.fields["after_send"].choices = Agent._meta.get_field("after_send").choices  # type: ignore[attr-defined]

    def clean_after_send(self) -> str:
        """As it was where the form has no such field: whoever only reads is not asked."""
        return str(self.cleaned_data["after_send"] or self.initial.get("after_send", ""))
