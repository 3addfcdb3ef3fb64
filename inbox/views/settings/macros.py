"""`/settings/macros/`: canned words with what they do, one's own and those of others."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import locale
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import access, directory, macros, variables
from inbox.actions import keeping
from inbox.forms import CHOSEN_STATUSES
from inbox.models import Agent, Macro, Priority
from inbox.rights import Right, may, needs
from inbox.views.shell import AgentRequest, agent_only
from lib import html
from lib.language import language_name

HERE = {"page_key": "macros"}
LEFT_ALONE = ("", gettext_lazy("leave as it is"))
SIMPLE = ("status", "priority", "assignee", "team")  # a choice each
LISTED = ("add_tags", "remove_tags")
SHOWN = (*SIMPLE, *LISTED, "snooze", "note")
LONGEST_SNOOZE = 24 * 90  # hours
_PICTURE = re.compile(r"<img\b[^>]*>")


def languages() -> list[tuple[str, str]]:
    named = ((code, info.get("name_local", code)) for code, info in locale.LANG_INFO.items() if "-" not in code)
    return [("", _("any language")), *sorted(named, key=lambda one: str(one[1]).casefold())]


class MacroForm(forms.Form):
    """A macro. What it does that has no field here (somebody set it by API) stays as it is."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    shared = forms.ChoiceField(label=gettext_lazy("Who has it"))
    text = forms.CharField(
        label=gettext_lazy("Words"),
        required=False,
        strip=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto"}),
    )
    html = forms.CharField(required=False, strip=False, max_length=200_000, widget=forms.HiddenInput)  # of an editor
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False, choices=[LEFT_ALONE, *CHOSEN_STATUSES])
    priority = forms.ChoiceField(
        label=gettext_lazy("Priority"), required=False, choices=[LEFT_ALONE, *Priority.choices]
    )
    assignee = forms.ChoiceField(label=gettext_lazy("Assignee"), required=False)
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    add_tags = forms.CharField(label=gettext_lazy("Add tags"), required=False, max_length=1000)
    remove_tags = forms.CharField(label=gettext_lazy("Take tags away"), required=False, max_length=1000)
    snooze = forms.IntegerField(
        label=gettext_lazy("Snooze, in hours"), required=False, min_value=1, max_value=LONGEST_SNOOZE
    )
    note = forms.CharField(
        label=gettext_lazy("Leave a note"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    def __init__(self, data: Any, agent: Agent, macro: Macro | None = None) -> None:
        super().__init__(data, initial=_initial(macro) if macro else {"shared": "me"})
        self.agent, self.macro = agent, macro
        known = directory.of(agent)
        mine = set(agent.teams.values_list("pk", flat=True))
        shared = [("me", _("I alone"))]
        if may(agent, Right.SHARE):
            teams = [(f"team-{one.pk}", one.name) for one in known.teams if one.pk in mine]
            shared += [("all", _("everybody")), *teams]
        self._choose("shared", shared)
        self._choose("language", languages())
        people = [(str(one.pk), one.name) for one in known.people]
        self._choose(
            "assignee", [LEFT_ALONE, ("me", _("whoever applies it")), ("nobody", _("nobody")), *people], "assignee"
        )
        self._choose(
            "team", [LEFT_ALONE, ("nobody", _("none")), *((one.slug, one.name) for one in known.teams)], "team"
        )

    def _choose(self, name: str, choices: list[tuple[Any, Any]], kept: str = "") -> None:
        now = str(self.initial.get(kept) or "") if kept else ""
        if now and now not in {str(value) for value, _label in choices}:
            choices.append((now, _("somebody who is gone")))
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        words: str = self.cleaned_data["text"].replace("\r\n", "\n").rstrip()
        return checked(words)

    def clean_html(self) -> str:
        try:
            return checked(formatted(self.cleaned_data["html"]))
        except forms.ValidationError as error:
            self.add_error("text", error)  # where its words stand on the page
            return ""

    def clean_note(self) -> str:
        return checked(self.cleaned_data["note"])

    def clean(self) -> dict[str, Any]:
        """What is written with formatting says its plain form, for channels that know none, by itself."""
        if markup := self.cleaned_data.get("html"):
            self.cleaned_data["text"] = html.to_text(markup)
        if not self.errors and not self.cleaned_data["text"].strip() and not self.actions():
            self.add_error("text", _("Say something, or choose something that it does."))
        return self.cleaned_data

    def actions(self) -> list[dict[str, Any]]:
        """What the macro does: as chosen here, after what has no field here."""
        data = self.cleaned_data
        out = [one for one in (self.macro.actions if self.macro else []) if one.get("set") not in SHOWN]
        for name in SIMPLE:
            if data.get(name):
                out.append({"set": name, "to": None if data[name] == "nobody" else _number(name, data[name])})
        for name in LISTED:
            if tags := [tag.strip() for tag in data.get(name, "").replace("،", ",").split(",") if tag.strip()]:
                out.append({"set": name, "to": tags})
        if data.get("snooze"):
            out.append({"set": "snooze", "to": data["snooze"]})
        if data.get("note", "").strip():
            out.append({"set": "note", "to": data["note"].strip()})
        return out

    def fields_of_macro(self) -> dict[str, Any]:
        data = self.cleaned_data
        shared = data["shared"]
        team = int(shared.removeprefix("team-")) if shared.startswith("team-") else None
        return {
            "name": data["name"],
            "language": data["language"],
            "text": data["text"],
            "html": data["html"],
            "actions": self.actions(),
            "owner_id": self.agent.pk if shared == "me" else None,
            "team_id": team,
        }


def formatted(markup: str) -> str:
    """Words as an editor sends them, made harmless; empty where there is no formatting in them. Raises
    ValidationError.
    """
    try:
        clean = _PICTURE.sub("", html.tight(html.simple(html.clean(markup))))  # which belong to one message each
    except html.TooComplex:
        raise forms.ValidationError(_("This text has more formatting than can be sent. Write it plain.")) from None
    return clean if html.has_formatting(clean) else ""


def checked(words: str) -> str:
    """The words, if every variable in them is one. Raises ValidationError."""
    if wrong := variables.unknown(words):
        raise forms.ValidationError(_("There is no variable %(name)s.") % {"name": "{{" + wrong[0] + "}}"})
    return words


def _number(name: str, value: str) -> Any:
    return int(value) if name == "assignee" and value.isdecimal() else value


def _initial(macro: Macro) -> dict[str, Any]:
    found: dict[str, Any] = {"name": macro.name, "language": macro.language, "text": macro.text, "html": macro.html}
    found["shared"] = "me" if macro.owner_id else f"team-{macro.team_id}" if macro.team_id else "all"
    for action in macro.actions:
        name, to = action.get("set"), action.get("to")
        if name in LISTED:
            found[name] = ", ".join(str(one) for one in to or [])
        elif name in SHOWN:
            found[name] = "nobody" if to is None else to
    return found


@require_safe
@agent_only
@needs(Right.ANSWER)
def index(request: AgentRequest) -> HttpResponse:
    found = access.kept(Macro, request.user).select_related("team").order_by("name", "pk")
    rows = [
        {
            "macro": one,
            "language": language_name(one.language, own=True),
            "deeds": macros.deeds(one.actions, request.user),
            "mine": one.owner_id == request.user.pk,
        }
        for one in found[: macros.MOST]
    ]
    return render(request, "settings/macros/list.html", {**HERE, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.ANSWER)
def macro(request: AgentRequest, pk: int | None = None) -> HttpResponse:
    """One macro, or a new one; others' are read by whoever may not change them."""
    found = access.get_kept(Macro, request.user, pk) if pk is not None else None
    mine = found is None or found.owner_id == request.user.pk or may(request.user, Right.SHARE)
    if request.method == "POST" and not mine:
        raise PermissionDenied
    form = MacroForm(request.POST if request.method == "POST" else None, request.user, found)
    if request.method == "POST" and form.is_valid():
        if found is None:
            keeping.create(Macro, by=request.user, **form.fields_of_macro())
        else:
            keeping.update(found, by=request.user, **form.fields_of_macro())
        messages.success(request, _("Saved."))
        return redirect("settings-macros")
    shown = macros.fill(found or Macro(), variables.example(), request.user)
    context = {**HERE, "form": form, "macro": found, "mine": mine, "variables": variables.KNOWN, "shown": shown}
    return render(request, "settings/macros/macro.html", context)


@require_POST
@agent_only
@needs(Right.ANSWER)
def preview(request: AgentRequest) -> HttpResponse:
    """What the words in a form would say to a customer of our imagination."""
    words = request.POST.get("text", "")[:100_000].replace("\x00", "")
    try:
        markup = formatted(request.POST.get("html", "")[:200_000])
    except forms.ValidationError:
        markup = ""
    shown = macros.fill(Macro(text=words, html=markup), variables.example(), request.user)
    return render(request, "settings/macros/_preview.html", {"shown": shown})


@require_POST
@agent_only
@needs(Right.ANSWER)
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    keeping.delete(access.get_kept(Macro, request.user, pk), by=request.user)
    messages.success(request, _("The macro is deleted."))
    return redirect("settings-macros")
