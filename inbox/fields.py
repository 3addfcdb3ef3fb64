"""An organisation's own fields: a form for them, what their values may be, and how people read those.

Values stand in the `attributes` of a ticket, customer or organisation. Attributes that no field describes are left
alone: other systems keep what they like there.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import QuerySet
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from inbox.models import Field, FieldKind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Attributes = Mapping[str, Any]

LONGEST = {FieldKind.TEXT: 1_000, FieldKind.LONG: 20_000, FieldKind.LINK: 2_000}
PREFIX = "attribute-"  # of the names of form fields
COLUMNS = ("id", "noun", "key", "label", "help", "kind", "choices", "required", "searchable", "position")
MOST_FIELDS = 100  # of one noun
MOST_SHOWN = 200  # characters of an attribute that no field describes
_web = URLValidator(schemes=["http", "https"])


def rows() -> QuerySet[Any, Any]:
    """All fields as `values()`, to be read together with other things; `from_rows` makes fields of them."""
    found: QuerySet[Any, Any] = Field.objects.order_by("noun", "position", "pk").values(*COLUMNS)
    return found[: 3 * MOST_FIELDS]


def from_rows(found: Iterable[Mapping[str, Any]], noun: str) -> list[Field]:
    return [Field(**row) for row in found if row["noun"] == noun]


def of(noun: str) -> list[Field]:
    """The fields of tickets, customers or organisations, in order: one query."""
    return list(Field.objects.filter(noun=noun).order_by("position", "pk")[:MOST_FIELDS])


# What values may be.


class Wrong(ValueError):
    """Attributes that do not fit their fields: {key: [sentence, …]}."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(str(errors))
        self.errors = errors


def is_empty(value: Any) -> bool:
    """No is an answer, and so is zero."""
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def fault(one: Field, value: Any) -> str:
    """Why this cannot be the field's value, in words; empty where it can. Nothing can always be."""
    if is_empty(value):
        return ""
    match one.kind:
        case FieldKind.NUMBER:
            fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            return "" if fits else _("Give a number.")
        case FieldKind.CHECK:
            return "" if isinstance(value, bool) else _("Give true or false.")
        case FieldKind.CHOICE:
            return "" if value in one.choices else _none_of(one)
        case FieldKind.CHOICES:
            if not isinstance(value, list):
                return _("Give a list.")
            return "" if all(item in one.choices for item in value) else _none_of(one)
    if not isinstance(value, str):
        return _("Give text.")
    if one.kind == FieldKind.DATE:
        try:
            return "" if date.fromisoformat(value).isoformat() == value else _("Give a date such as 2026-03-31.")
        except ValueError:
            return _("Give a date such as 2026-03-31.")
    if len(value) > LONGEST[FieldKind(one.kind)]:
        return _("At most %(most)s characters.") % {"most": LONGEST[FieldKind(one.kind)]}
    if one.kind == FieldKind.LINK and not is_link(value):
        return _("Give an address that begins with https:// or http://.")
    return ""


def _none_of(one: Field) -> str:
    return _("Give one of: %(choices)s.") % {"choices": ", ".join(one.choices)}


def is_link(value: str) -> bool:
    try:
        _web(value)
    except ValidationError:
        return False
    return not any(unicodedata.category(letter) in {"Cc", "Cf"} for letter in value)


def check(noun: str, attributes: Attributes, before: Attributes | None = None) -> None:
    """Raises Wrong where an attribute does not fit the field of its key.

    What was there `before` may stay, even where its choice is offered no more.
    """
    asked = {key: value for key, value in attributes.items() if before is None or before.get(key) != value}
    if not asked:
        return
    known = Field.objects.filter(noun=noun, key__in=list(asked)[: 3 * MOST_FIELDS])
    errors = {one.key: [said] for one in known if (said := fault(one, asked[one.key]))}
    if errors:
        raise Wrong(errors)


def missing(fields: Iterable[Field], attributes: Attributes) -> list[Field]:
    """The fields without which a ticket is not solved, and which say nothing yet."""
    return [one for one in fields if one.required and is_empty(attributes.get(one.key))]


# The form.


class _Choices(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


def _form_field(one: Field, value: Any) -> forms.Field:
    said: dict[str, Any] = {"label": one.label, "help_text": one.help, "required": False, "initial": value}
    match one.kind:
        case FieldKind.NUMBER:
            return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any", "dir": "ltr"}), **said)
        case FieldKind.DATE:
            return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **said)
        case FieldKind.CHECK:
            return forms.TypedChoiceField(
                choices=[("", "—"), ("yes", _("Yes")), ("no", _("No"))],
                coerce=lambda typed: typed == "yes",
                empty_value=None,
                **{**said, "initial": {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else ""},
            )
        case FieldKind.CHOICE:
            return forms.ChoiceField(choices=[("", "—"), *_offered(one, [value])], **said)
        case FieldKind.CHOICES:
            return _Choices(choices=_offered(one, value if isinstance(value, list) else []), **said)
        case FieldKind.LONG:
            area = forms.Textarea(attrs={"rows": 3, "dir": "auto"})
            return forms.CharField(max_length=LONGEST[FieldKind.LONG], widget=area, **said)
        case FieldKind.LINK:
            line = forms.TextInput(attrs={"dir": "ltr", "inputmode": "url", "placeholder": "https://"})
            return forms.CharField(max_length=LONGEST[FieldKind.LINK], validators=[_check_link], widget=line, **said)
    return forms.CharField(max_length=LONGEST[FieldKind.TEXT], widget=forms.TextInput(attrs={"dir": "auto"}), **said)


def _offered(one: Field, chosen: Iterable[Any]) -> list[tuple[str, str]]:
    """The choices, and what was chosen while it was still one of them."""
    gone = [item for item in chosen if isinstance(item, str) and item and item not in one.choices]
    return [(item, item) for item in one.choices] + [
        (item, _("%(choice)s (offered no more)") % {"choice": item}) for item in gone
    ]


def _check_link(value: str) -> None:
    if not is_link(value):
        raise ValidationError(_("Give an address that begins with https:// or http://."))


class AttributesForm(forms.Form):
    """What an object's fields say, to be edited. `only` narrows it to some keys: to one that is edited in its place."""

    def __init__(
        self,
        fields: Sequence[Field],
        attributes: Attributes,
        data: Any = None,
        *,
        only: Iterable[str] | None = None,
        **told: Any,
    ) -> None:
        super().__init__(data, **told)
        wanted = None if only is None else set(only)
        self.own = [one for one in fields if wanted is None or one.key in wanted]
        self.before = dict(attributes)
        for one in self.own:
            self.fields[PREFIX + one.key] = _form_field(one, attributes.get(one.key))

    def typed(self) -> dict[str, Any]:
        """{key: value} of the fields of this form as they are stored; None where nothing is said."""
        return {one.key: stored(self.cleaned_data.get(PREFIX + one.key)) for one in self.own}

    def attributes(self) -> dict[str, Any]:
        """All attributes as they are to be: those of no field, or of a field not in this form, as they were."""
        return merged(self.before, self.typed())


def stored(value: Any) -> Any:
    """A cleaned value of a form as JSON keeps it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return None if is_empty(value) else value


def merged(before: Attributes, typed: Attributes) -> dict[str, Any]:
    """`before` with what was typed; what is empty now stands there no more."""
    return {key: value for key, value in {**before, **typed}.items() if key not in typed or not is_empty(value)}


# What people read.


@dataclass(frozen=True)
class Shown:
    """One line of an object's attributes. `value` is safe to put into a page; `key` of a field, else empty."""

    label: str
    value: StrOrPromise
    key: str = ""
    kind: str = ""
    missing: bool = False
    field: Field | None = field(default=None, compare=False)


def shown(fields: Iterable[Field], attributes: Attributes, *, empty: bool = False) -> list[Shown]:
    """Fields with a value (with `empty` all of them), in order, then the attributes that no field describes."""
    known = list(fields)
    keys = {one.key for one in known}
    lines = [
        Shown(one.label, in_words(one, attributes.get(one.key)), one.key, one.kind, one.required, one)
        for one in known
        if empty or not is_empty(attributes.get(one.key))
    ]
    return lines + [
        Shown(key, plain(value)) for key, value in attributes.items() if key not in keys and not is_empty(value)
    ]


def in_words(one: Field, value: Any) -> StrOrPromise:
    """A value as people read it; what does not fit its field is shown as it stands there."""
    if is_empty(value):
        return ""
    if fault(one, value) and one.kind not in {FieldKind.CHOICE, FieldKind.CHOICES}:
        return plain(value)
    match one.kind:
        case FieldKind.CHECK:
            return _("Yes") if value else _("No")
        case FieldKind.NUMBER:
            said = repr(value)
            places = len(said.partition(".")[2]) if "." in said and "e" not in said else None
            return number_format(value, decimal_pos=places, use_l10n=True)
        case FieldKind.DATE:
            return date_format(date.fromisoformat(value), "DATE_FORMAT")
        case FieldKind.LINK:
            words = value.partition("://")[2].rstrip("/")
            return format_html('<a href="{}" rel="noopener noreferrer" target="_blank" dir="ltr">{}</a>', value, words)
        case FieldKind.CHOICES if isinstance(value, list):
            return ", ".join(str(item) for item in value)
    return str(value)


def plain(value: Any) -> str:
    """What another system put there, in a line."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value[:20])[:MOST_SHOWN]
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(item)}" for key, item in list(value.items())[:20])[:MOST_SHOWN]
    return str(value)[:MOST_SHOWN]


def words(fields: Iterable[Field], attributes: Attributes) -> tuple[list[str], list[str]]:
    """What these attributes are found by, of the fields that search knows: short values, and long texts."""
    short: list[str] = []
    long: list[str] = []
    for one in fields:
        value = attributes.get(one.key) if one.searchable else None
        if is_empty(value) or isinstance(value, bool | dict):
            continue
        said = [str(item) for item in value if isinstance(item, str)] if isinstance(value, list) else [str(value)]
        (long if one.kind == FieldKind.LONG else short).extend(said)
    return short, long
