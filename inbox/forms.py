"""What people send from the screens, checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import getaddresses
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import directory, moments, spoken
from inbox.models import Agent, Priority, Status
from lib import html, zones

CHOSEN_STATUSES = [choice for choice in Status.choices if choice[0] != Status.CLOSED]

# What a browser's field for day and time sends.
TIME = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


class AddressesField(forms.CharField):
    """Recipients as people type them, `Name <address>, address`, as [{"name", "address"}]."""

    def to_python(self, value: Any) -> list[dict[str, str]]:  # type: ignore[override]
        typed = (super().to_python(value) or "").replace(";", ",").replace("،", ",")
        found = []
        for name, address in getaddresses([typed]):
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(_("“%(text)s” is not an address.") % {"text": address or name or typed}) from None
            found.append({"name": name, "address": address})
        return found


class NumberField(forms.CharField):
    """A ticket number, with or without its #."""

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]
        typed = (super().to_python(value) or "").strip().removeprefix("#").strip()
        if not typed:
            return None
        if not typed.isdecimal() or len(typed) > 18:
            raise ValidationError(_("“%(text)s” is not a ticket number.") % {"text": typed})
        return int(typed)


class IdsField(forms.TypedMultipleChoiceField):
    """Ids of rows, as many as a form names; whether they are there is for the action to say."""

    def __init__(self) -> None:
        super().__init__(required=False, coerce=int)

    def valid_value(self, value: Any) -> bool:
        return str(value).isdecimal() and len(str(value)) < 19


class WrittenForm(forms.Form):
    """A text with its files, as an editor or a plain field sends it."""

    text = forms.CharField(required=False, strip=False, max_length=200_000)
    html = forms.CharField(required=False, strip=False, max_length=400_000)  # of an editor; `text` says it plain
    attachments = forms.TypedMultipleChoiceField(required=False, coerce=int)
    unsigned = forms.BooleanField(required=False)  # without the signature, this once
    version = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 2)  # of the draft that it was

    def __init__(self, data: Any = None, **told: Any) -> None:
        super().__init__(data, **told)
        sent = data.getlist("attachments") if data is not None else []
        ids = [value for value in sent if value.isdecimal() and len(value) < 19]
        self.fields["attachments"].choices = [(value, "") for value in ids]  # type: ignore[attr-defined]

    def clean_html(self) -> str:
        try:
            return html.tight(html.clean(self.cleaned_data["html"]))
        except html.TooComplex:
            raise ValidationError(_("This text has more formatting than can be sent. Write it plain.")) from None

    def clean(self) -> dict[str, Any]:
        """What was written with formatting is one text: its plain form is made of it, whatever else came along."""
        if markup := self.cleaned_data.get("html"):
            self.cleaned_data["text"] = html.to_text(markup)
            if not html.has_formatting(markup):
                self.cleaned_data["html"] = ""
        return self.cleaned_data


class AnswerForm(WrittenForm):
    """A reply or a note. `client_id` is made with the form, so that a second click sends nothing twice."""

    kind = forms.ChoiceField(choices=[("reply", ""), ("note", "")])
    client_id = forms.CharField(required=False, max_length=64)
    status = forms.ChoiceField(required=False, choices=CHOSEN_STATUSES)
    to = AddressesField(required=False)
    cc = AddressesField(required=False)
    bcc = AddressesField(required=False)
    macro = IdsField()
    subject = forms.CharField(required=False, max_length=900)
    channel = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    newest = forms.IntegerField(required=False, min_value=0, max_value=2**62)  # the last message its writer knew of
    event = forms.IntegerField(required=False, min_value=0, max_value=2**62)  # the last line of the log, likewise
    confirmed = forms.CharField(required=False, max_length=5000)  # addresses that the writer was asked about
    later = forms.ChoiceField(required=False, choices=[(key, "") for key in (*moments.KEYS, "at")])
    at = forms.CharField(required=False, max_length=30)
    after_send = forms.ChoiceField(required=False, choices=Agent._meta.get_field("after_send").choices)  # type: ignore[arg-type]

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["send_at"] = moment_of(self.cleaned_data.get("later", ""), self.cleaned_data.get("at", ""))
        return super().clean()


class MacrosForm(forms.Form):
    macro = IdsField()


def moment_of(later: str, at: str) -> datetime | None:
    """When something is to happen: at a moment with a name, or (`at`) at the typed time of the reader's zone."""
    if not later:
        return None
    if later != "at":
        found = moments.resolve(later)
        if found is None:
            raise ValidationError(_("That time is over."))
        return found
    when: datetime | None = TIME.clean(at)
    if when is None:
        raise ValidationError(_("Choose a day and a time."))
    return when


class TimingForm(forms.Form):
    """When a waiting message leaves: now, never, or at a moment as AnswerForm takes it."""

    later = forms.ChoiceField(choices=[(key, "") for key in ("now", "never", *moments.KEYS, "at")])
    at = forms.CharField(required=False, max_length=30)

    def clean(self) -> dict[str, Any]:
        later = self.cleaned_data.get("later", "")
        if later not in {"now", "never"}:
            self.cleaned_data["send_at"] = moment_of(later, self.cleaned_data.get("at", ""))
        return self.cleaned_data


class AssignmentForm(forms.Form):
    """Who gets a ticket; a field that was not sent is left alone, an empty one means nobody."""

    agent = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    team = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)

    def __init__(self, data: Any, agent: Agent) -> None:
        super().__init__(data)
        known = directory.of(agent)
        self.fields["agent"].choices = [("", ""), *((one.pk, one.name) for one in known.people)]  # type: ignore[attr-defined]
        self.fields["team"].choices = [("", ""), *((one.pk, one.name) for one in known.teams)]  # type: ignore[attr-defined]


class StatusForm(forms.Form):
    status = forms.ChoiceField(choices=CHOSEN_STATUSES)


class PriorityForm(forms.Form):
    priority = forms.ChoiceField(choices=Priority.choices)


class TagForm(forms.Form):
    """What is typed to be added, with commas several at once; or one tag to take off."""

    add = forms.CharField(required=False, max_length=800)
    take_off = forms.CharField(required=False, max_length=80, strip=False)

    def clean_add(self) -> list[str]:
        return tags_of(self.cleaned_data["add"])


class TagsForm(forms.Form):
    tags = forms.CharField(required=False, max_length=4000)

    def clean_tags(self) -> list[str]:
        return tags_of(self.cleaned_data["tags"])


def tags_of(typed: str) -> list[str]:
    """The tags that are typed with commas between them, each with a # before it or without."""
    found = (tag.strip().removeprefix("#").strip() for tag in typed.replace("،", ",").split(","))
    return [tag for tag in found if tag]


class SubjectForm(forms.Form):
    subject = forms.CharField(required=False, max_length=500)


class SpamForm(forms.Form):
    """Among the spam, or out of it; `block` keeps its sender out from now on."""

    spam = forms.ChoiceField(choices=[("yes", ""), ("no", "")])
    block = forms.ChoiceField(required=False, choices=[("yes", "")])


class BlockForm(forms.Form):
    """Whom to block: an address, or with @ in front, or without any, a domain."""

    value = forms.CharField(max_length=320)


class TrashForm(forms.Form):
    trashed = forms.ChoiceField(choices=[("yes", ""), ("no", "")])


class ErasureForm(forms.Form):
    """Asked again before something is erased for good: the number of what goes."""

    confirm = NumberField()


class SnoozeForm(forms.Form):
    """`when` in words, or a number of `hours`; none of them wakes the ticket up."""

    hours = forms.IntegerField(required=False, min_value=0, max_value=24 * 90)
    when = forms.CharField(required=False, max_length=spoken.LONGEST)

    def clean(self) -> dict[str, Any]:
        data, now = dict(self.cleaned_data), timezone.now()
        data["until"] = now + timedelta(hours=data["hours"]) if data.get("hours") else None
        if data.get("when"):
            data["until"] = spoken.understand(data["when"], now, timezone.get_current_timezone())
            if data["until"] is None:
                raise ValidationError(
                    _("“%(text)s” is no time to come. Try “tomorrow 9” or “next monday”.") % {"text": data["when"]}
                )
        elif data.get("hours") is None and not self.errors:
            raise ValidationError(_("Say until when."))
        return data


class MergeForm(forms.Form):
    """With which ticket; with `keep` that one goes into this one."""

    into = NumberField()
    keep = forms.ChoiceField(required=False, choices=[("yes", "")])

    def clean_into(self) -> int:
        number: int | None = self.cleaned_data["into"]
        if number is None:
            raise ValidationError(_("Say which ticket."))
        return number


class SplitForm(forms.Form):
    """Messages that become a ticket of their own, and its subject; empty takes that of the first."""

    messages = forms.TypedMultipleChoiceField(coerce=int, error_messages={"required": gettext_lazy("Choose messages.")})
    subject = forms.CharField(required=False, max_length=500)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        ids = [value for value in data.getlist("messages") if value.isdecimal() and len(value) < 19]
        self.fields["messages"].choices = [(value, "") for value in ids]  # type: ignore[attr-defined]


class SideForm(WrittenForm):
    """The first message of a side conversation; where something is forwarded its text may be empty."""

    to = AddressesField()
    cc = AddressesField(required=False)
    subject = forms.CharField(required=False, max_length=500)
    client_id = forms.CharField(required=False, max_length=64)


class SideAnswerForm(SideForm):
    to = AddressesField(required=False)


class SideClosedForm(forms.Form):
    closed = forms.ChoiceField(choices=[("yes", ""), ("no", "")])


class MoveForm(forms.Form):
    """Where a message goes: the ticket of a number, or a new one."""

    ticket = NumberField(required=False)
    new = forms.ChoiceField(required=False, choices=[("yes", "")])

    def clean(self) -> dict[str, Any]:
        if not self.cleaned_data.get("ticket") and not self.cleaned_data.get("new") and not self.errors:
            raise ValidationError(_("Say which ticket."))
        return self.cleaned_data


class ProfileForm(forms.Form):
    """What a person chose for their own screens. `next` is where they were."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)
    theme = forms.ChoiceField(choices=[("system", ""), ("light", ""), ("dark", "")])
    time_zone = forms.CharField(required=False, max_length=60)
    next = forms.CharField(required=False)

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"].strip()
        if zone and zone not in zones.names():
            raise ValidationError(_("“%(text)s” is not a time zone such as Asia/Karachi.") % {"text": zone})
        return zone


def problem_of(form: forms.Form) -> str:
    """The first thing that is wrong with a form, as one sentence."""
    return next((str(error) for errors in form.errors.values() for error in errors), "")
