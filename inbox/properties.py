"""What of a ticket is edited in its place: each property a form of one field, as are those of the organisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import fields
from inbox.actions import tickets
from inbox.fields import AttributesForm
from inbox.models import Agent, EngagementKind, Field, Priority, Ticket, TicketType
from lib.language import language_name

SEVERITIES = {
    1: gettext_lazy("1 · Critical"),
    2: gettext_lazy("2 · Major"),
    3: gettext_lazy("3 · Minor"),
    4: gettext_lazy("4 · Trivial"),
}
LANGUAGES = tuple(
    "ar bn cs da de el en es fa fi fr he hi hu id it ja ko nb nl pa pl pt ro ru sv ta te th tr uk ur vi zh-hans".split()
)
MOMENT = "%Y-%m-%dT%H:%M"
RELATIONS = [
    ("follow_up", gettext_lazy("Follow-up of")),
    ("duplicate", gettext_lazy("Duplicate of")),
    ("incident", gettext_lazy("Incident of the problem")),
    ("child", gettext_lazy("Child of")),
    ("-incident", gettext_lazy("Problem, with the incident")),
    ("-child", gettext_lazy("Parent of")),
    ("unrelated", gettext_lazy("Another matter than")),
]
MEDIA = [choice for choice in EngagementKind.choices if choice[0] != EngagementKind.CHAT]
PLAIN = ("type", "severity", "topic", "due_at", "language", "external_id")


class PropertiesForm(AttributesForm):
    """All properties of a ticket, or with `only` the one of that name."""

    priority = forms.ChoiceField(label=gettext_lazy("Priority"), choices=Priority.choices)
    type = forms.ChoiceField(label=gettext_lazy("Type"), required=False)
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity"), required=False, coerce=int, empty_value=None, choices=[]
    )
    topic = forms.CharField(
        label=gettext_lazy("Topic"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"dir": "auto", "data-suggest": "/topics/", "autocomplete": "off"}),
    )
    due_at = forms.DateTimeField(
        label=gettext_lazy("Due"),
        required=False,
        input_formats=[MOMENT, f"{MOMENT}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "min": "2000-01-01T00:00"}, format=MOMENT),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    external_id = forms.CharField(
        label=gettext_lazy("External ID"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )

    def __init__(self, ticket: Ticket, own: Sequence[Field], data: Any = None, *, only: str | None = None) -> None:
        keys = None if only is None else [only.removeprefix(fields.PREFIX)]
        said = {name: getattr(ticket, name) for name in ("priority", *PLAIN)}
        super().__init__(own, ticket.attributes, data, only=keys, initial=said, auto_id="property-%s")
        if only is not None:
            for name in [name for name in self.fields if name != only]:
                del self.fields[name]
            self.own = [one for one in self.own if fields.PREFIX + one.key == only]
        self._offer("type", [("", "—"), *TicketType.choices])
        self._offer("severity", [("", "—"), *SEVERITIES.items()], ticket.severity)
        names = sorted((language_name(code), code) for code in {*LANGUAGES, ticket.language} - {""})
        self._offer("language", [("", _("as it is detected")), *((code, name) for name, code in names)])

    def _offer(self, name: str, choices: list[Any], present: Any = None) -> None:
        if present is not None and present not in {value for value, _label in choices}:
            choices = [*choices, (present, str(present))]
        if name in self.fields:
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_external_id(self) -> str | None:
        return self.cleaned_data["external_id"] or None

    def clean_topic(self) -> str:
        return " ".join(self.cleaned_data["topic"].split())


def apply(form: PropertiesForm, ticket: Ticket, *, by: Agent) -> None:
    """Write what a valid form says. Attributes are merged with what stands there now, not when the form was made."""
    said = form.cleaned_data
    if "priority" in said:
        tickets.set_priority(ticket, said["priority"], by=by)
    changes = {name: said[name] for name in PLAIN if name in said}
    if typed := form.typed():
        tickets.set_attributes(ticket, typed, by=by)
    if changes:
        tickets.set_fields(ticket, by=by, **changes)


def snooze_presets() -> list[tuple[str, str]]:
    """Words that `spoken` understands, and what the menu calls them."""
    return [
        ("in 3 hours", _("In 3 hours")),
        ("evening", _("This evening") if timezone.localtime().hour < 18 else _("Tomorrow evening")),
        ("tomorrow 9:00", _("Tomorrow morning")),
        ("next monday 9:00", _("Next Monday")),
        ("in 1 week", _("In a week")),
    ]


@dataclass(frozen=True)
class Line:
    """A property as its template shows it."""

    name: str
    label: object
    value: object  # in words, safe for a page
    bound: forms.BoundField
    missing: bool
    required: bool = False
    help: str = ""

    @property
    def control(self) -> str:
        """Which shape of control: `select`, `input`, `area` or `boxes`."""
        widget = self.bound.field.widget
        if isinstance(widget, forms.CheckboxSelectMultiple):
            return "boxes"
        if isinstance(widget, forms.Textarea):
            return "area"
        return "select" if isinstance(widget, forms.Select) else "input"

    @property
    def widget(self) -> str:
        """The control, tied to its label; marked where it is missing."""
        attrs: dict[str, str | bool] = {"class": "input", "id": f"property-{self.name}"}
        kind = getattr(self.bound.field.widget, "input_type", "")
        if kind in {"date", "datetime-local"} and not self.bound.value():
            attrs["data-empty"] = True  # it shows a dash, not how a date is written
        if self.control in {"input", "area"}:
            attrs |= {"placeholder": self.bound.field.widget.attrs.get("placeholder", "—")}
        if self.missing:
            attrs |= {"aria-invalid": "true", "aria-describedby": f"missing-{self.name}"}
        return str(self.bound.as_widget(attrs=attrs if self.control != "boxes" else {}))


def lines(ticket: Ticket, own: Sequence[Field], missing: Iterable[str] = ()) -> list[Line]:
    """Every property in order; `missing` are keys of fields without which somebody tried to solve."""
    form, gone = PropertiesForm(ticket, own), set(missing)
    found = [
        Line(name, form[name].label, _in_words(ticket, name), form[name], False)
        for name in ("priority", "type", "severity", "topic", "due_at", "language", "external_id")
    ]
    for one in own:
        name = fields.PREFIX + one.key
        value = fields.in_words(one, ticket.attributes.get(one.key))
        found.append(Line(name, one.label, value, form[name], one.key in gone, one.required, one.help))
    return found


def _in_words(ticket: Ticket, name: str) -> object:
    value = getattr(ticket, name)
    if name == "due_at" and value is not None:
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if name == "severity" and value is not None:
        return SEVERITIES.get(value, str(value))
    if name == "language" and value:
        return language_name(value)
    if name in {"priority", "type"}:
        return getattr(ticket, f"get_{name}_display")()
    return value or ""
