"""What people say of customers and organisations on the screens, checked."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import global_settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, addresses, directory, person
from inbox.adapters import kinds
from inbox.models import Agent, Channel, Customer, Organisation
from inbox.models.base import Stage
from lib import zones
from lib.language import language_name

MOST_TAGS = 50
TAG_LENGTH = 80
NUMBERED = re.compile(r"\(#(\d{1,18})\)\s*$")
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)+")


class LineField(forms.CharField):
    """One line without control characters, directions that letters of some scripts need apart."""

    def to_python(self, value: Any) -> str:
        text = " ".join((super().to_python(value) or "").split())
        if any(not (letter.isprintable() or letter in "\u200c\u200d\u200e\u200f") for letter in text):
            raise ValidationError(_("This takes no line breaks or control characters."))
        return text


class WordsField(forms.CharField):
    """Words with commas between them, each once."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        typed = (super().to_python(value) or "").replace("\x00", "").replace("،", ",")
        words = [" ".join(word.split()).removeprefix("#") for word in typed.split(",")]
        found = list(dict.fromkeys(word for word in words if word))
        if len(found) > MOST_TAGS or any(len(word) > TAG_LENGTH for word in found):
            raise ValidationError(
                _("At most %(count)s words of %(length)s letters each.") % {"count": MOST_TAGS, "length": TAG_LENGTH}
            )
        return found


class FactForm(forms.Form):
    """One fact of a customer, edited in place. What is to be kept is `changes()`."""

    def __init__(self, data: Any, agent: Agent, customer: Customer, name: str) -> None:
        super().__init__(data, initial={"value": _initial(customer, name)}, auto_id="fact-%s", prefix=None)
        self.agent, self.name = agent, name
        self.fields["value"] = _field(agent, customer, name)
        label, _icon = person.FACTS.get(name, person.NAME)
        self.fields["value"].label = str(label)
        widget = self.fields["value"].widget
        widget.attrs.setdefault("autofocus", True)
        if not isinstance(widget, forms.CheckboxSelectMultiple):
            widget.attrs.setdefault("class", "input")
        self.unknown = ""  # the name of an organisation that is not there yet

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "value" not in cleaned:
            return cleaned
        value = cleaned["value"]
        if self.name == "time_zone" and value and value not in zones.names():
            self.add_error("value", _("“%(text)s” is not a time zone such as Asia/Karachi.") % {"text": value[:60]})
        elif self.name == "organisation" and value:
            cleaned["organisation"] = self._organisation(value)
        return cleaned

    def _organisation(self, typed: str) -> Organisation | None:
        seen = access.organisations(self.agent)
        if number := NUMBERED.search(typed):
            found = seen.filter(pk=int(number[1])).first()
        else:
            found = seen.filter(name__iexact=typed).order_by("pk").first()
        if found is None and "create" not in self.data:
            self.unknown = typed
            self.add_error("value", _("There is no organisation of this name yet."))
        return found

    def changes(self) -> dict[str, Any]:
        value = self.cleaned_data["value"]
        if self.name == "organisation":
            return {"organisation": self.cleaned_data.get("organisation")}
        if self.name == "preferred_channel":
            return {"preferred_channel": Channel.objects.get(pk=value) if value else None}
        return {self.name: value}


def _initial(customer: Customer, name: str) -> Any:
    if name == "organisation":
        return str(customer.organisation or "")
    if name == "preferred_channel":
        return customer.preferred_channel_id
    value = getattr(customer, name)
    return ", ".join(value) if name == "tags" else value


def _field(agent: Agent, customer: Customer, name: str) -> forms.Field:
    nothing = [("", "–")]
    match name:
        case "organisation":
            attrs = {"list": "organisation-options", "autocomplete": "off", "dir": "auto"}
            return LineField(max_length=220, required=False, widget=forms.TextInput(attrs=attrs))
        case "stage":
            return forms.ChoiceField(choices=Stage.choices)
        case "language":
            return forms.ChoiceField(choices=[*nothing, *languages(customer.language)], required=False)
        case "time_zone":
            attrs = {"list": "zones", "class": "input ltr", "autocomplete": "off"}
            return LineField(max_length=60, required=False, widget=forms.TextInput(attrs=attrs))
        case "preferred_channel":
            choices = [(one.pk, one.name) for one in directory.of(agent).channels]
            return forms.TypedChoiceField(choices=[*nothing, *choices], coerce=int, empty_value=None, required=False)
        case "opt_outs":
            known = [(kind, str(adapter.label)) for kind, adapter in kinds().items()]
            known += [(kind, kind) for kind in customer.opt_outs if kind not in kinds()]
            widget = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(choices=known, required=False, widget=widget)
        case "tags":
            return WordsField(max_length=4_000, required=False, widget=forms.TextInput(attrs={"dir": "auto"}))
    return LineField(max_length=200, required=False, widget=forms.TextInput(attrs={"dir": "auto"}))


def languages(also: str = "") -> list[tuple[str, str]]:
    """The languages that can be chosen, by their names in the reader's language."""
    found = {code: language_name(code) for code, _name in global_settings.LANGUAGES if "-" not in code}
    if also and also not in found:
        found[also] = language_name(also)
    return sorted(found.items(), key=lambda item: item[1].casefold())


class IdentityForm(forms.Form):
    """One more address of a customer."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"))
    value = forms.CharField(label=gettext_lazy("Address"), max_length=addresses.LENGTH)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="identity-%s")
        wanted = ["email", "phone", *sorted({adapter.identity_kind for adapter in kinds().values()})]
        choices = [(kind, person.kind_label(kind)) for kind in dict.fromkeys(wanted)]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "kind" in cleaned and "value" in cleaned:
            try:
                cleaned["value"] = addresses.usable(cleaned["kind"], cleaned["value"])
            except ValidationError as error:
                self.add_error("value", error)
        return cleaned


class CustomerForm(forms.Form):
    """A new customer."""

    name = LineField(label=gettext_lazy("Name"), max_length=200, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False, max_length=addresses.LENGTH)
    phone = forms.CharField(label=gettext_lazy("Telephone"), required=False, max_length=60)

    def clean_phone(self) -> str:
        typed: str = self.cleaned_data["phone"]
        return addresses.usable("phone", typed) if typed else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.values()):
            raise ValidationError(_("Say at least a name or an address."))
        return cleaned


class OrganisationForm(forms.Form):
    """Name and mail domains of a company."""

    name = LineField(label=gettext_lazy("Name"), max_length=200)
    domains = WordsField(
        label=gettext_lazy("Mail domains"),
        required=False,
        max_length=4_000,
        help_text=gettext_lazy("Whoever writes from one of them for the first time belongs to this organisation."),
    )

    def clean_domains(self) -> list[str]:
        found = [word.lower().removeprefix("@") for word in self.cleaned_data["domains"]]
        for word in found:
            if not DOMAIN.fullmatch(word) or len(word) > 253:
                raise ValidationError(_("“%(text)s” is not a domain such as example.org.") % {"text": word[:60]})
        return found
