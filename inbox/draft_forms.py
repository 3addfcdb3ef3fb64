"""What browsers send while somebody writes: a draft, however unfinished."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from inbox import writing
from inbox.actions import drafts
from inbox.models import DraftKind

# Of fields that a channel has beside the text. What its writer agreed to when they were asked (…_ok) is asked again.
OPTION_NAME = re.compile(r"[a-z0-9_]{1,40}(?<!_ok)")
MOST_OPTIONS, LONGEST_OPTION = 100, 2000


class KindField(forms.CharField):
    """Of a draft that is always of one kind, whatever its form says."""

    def __init__(self, kind: str) -> None:
        super().__init__(required=False)
        self.kind = kind

    def clean(self, value: Any) -> str:
        return self.kind


class DraftForm(forms.Form):
    """What stands in a composer, however unfinished. `version` is that of the draft it began with, 0 for none."""

    kind: forms.Field = forms.ChoiceField(choices=[("reply", ""), ("note", "")])
    text = forms.CharField(required=False, strip=False, max_length=200_000)
    html = forms.CharField(required=False, strip=False, max_length=400_000)
    subject = forms.CharField(required=False, max_length=900)
    to = forms.CharField(required=False, max_length=5000)
    cc = forms.CharField(required=False, max_length=5000)
    bcc = forms.CharField(required=False, max_length=5000)
    channel: forms.Field = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    client_id = forms.CharField(max_length=64)
    newest = forms.IntegerField(required=False, min_value=0, max_value=2**62)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 2)

    people: tuple[str, ...] = ("to", "cc", "bcc")

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.attachments, self.macros = (
            list(dict.fromkeys(int(one) for one in data.getlist(name) if one.isdecimal() and len(one) < 19))
            for name in ("attachments", "macro")
        )

    @property
    def options(self) -> dict[str, str]:
        """What those fields say, by their names in the form. Whether it can still be chosen, the channel's kind says
        when it is shown again, and when it is sent.
        """
        told = [(name, said) for name, said in writing.options_of(self.data).items() if OPTION_NAME.fullmatch(name)]
        return {writing.OPTION + name: said.replace("\x00", "")[:LONGEST_OPTION] for name, said in told[:MOST_OPTIONS]}

    @property
    def written(self) -> dict[str, Any]:
        """As `actions.drafts.save` takes it. The composer sends recipients only where they differ from the usual, and a
        choice that always says something only beside what was written.
        """
        data = self.cleaned_data
        people = {name: data[name].replace("\x00", "") for name in self.people if name in self.data}
        kept = {name: data[name].replace("\x00", "") for name in ("text", "html", "subject")}
        return {
            **kept,
            "kind": data["kind"],
            "client_id": data["client_id"],
            "newest": data["newest"],
            "channel_id": data["channel"],
            "recipients": people | self.options,
            "attachments": self.attachments[: drafts.MOST_FILES],
            "macros": self.macros[: drafts.MOST_FILES],
        }

    @property
    def is_empty(self) -> bool:
        written = self.written
        said = [written[name] for name in ("recipients", "attachments", "macros")]
        said += [written["text"].strip(), written["subject"].strip()]
        return not any(said) and "<img" not in written["html"]


class SideDraftForm(DraftForm):
    """What is being written in a side conversation."""

    kind = KindField(DraftKind.SIDE)


class NewDraftForm(DraftForm):
    """What stands on the page of a new ticket; its channel goes by its slug there."""

    kind = KindField(DraftKind.NEW)
    channel = forms.SlugField(required=False)
    customer = forms.CharField(required=False, max_length=20)
    agent = forms.CharField(required=False, max_length=20)
    team = forms.CharField(required=False, max_length=20)
    tags = forms.CharField(required=False, max_length=1000)

    people = ("to", "cc", "bcc", "customer", "agent", "team", "tags")
