"""The form of a survey: its words in each language, the questions that follow, and its rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access
from inbox.models import Agent, Priority
from reports.models import Survey, SurveyKind, SurveyLook
from reports.surveys import rules, scales, words
from reports.surveys.rules import Rules

MOST_FURTHER = 2
MOST_CHOICES = 12
LONGEST = 500
AREA = {"rows": 2, "dir": "auto"}
KINDS_OF_FURTHER = [
    ("", gettext_lazy("none")),
    ("open", gettext_lazy("in their own words")),
    ("choice", gettext_lazy("one of some answers")),
]
WHOM = [
    ("all", gettext_lazy("everybody")),
    ("low", gettext_lazy("after a bad answer")),
    ("high", gettext_lazy("after a good answer")),
]


class SurveyForm(forms.Form):
    """One survey. Lists of whom it is for that name nobody mean everybody."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    look = forms.ChoiceField(label=gettext_lazy("Look"), choices=SurveyLook.choices, required=False)
    when = forms.ChoiceField(label=gettext_lazy("When it is asked"), choices=rules.WHEN)
    delay = forms.IntegerField(
        label=gettext_lazy("Minutes after that"), min_value=0, max_value=60 * 24 * 14, required=False,
        help_text=gettext_lazy("For “after a ticket is solved” and “after a chat has ended”."),
    )  # fmt: skip
    days = forms.IntegerField(
        label=gettext_lazy("Days"), min_value=1, max_value=365, required=False,
        help_text=gettext_lazy("After the solve; of “now and then”: customers who wrote within so many days."),
    )  # fmt: skip
    channels = forms.TypedMultipleChoiceField(label=gettext_lazy("Channels"), coerce=int, required=False)
    teams = forms.TypedMultipleChoiceField(label=gettext_lazy("Teams"), coerce=int, required=False)
    priorities = forms.MultipleChoiceField(label=gettext_lazy("Priorities"), choices=Priority.choices, required=False)
    tags = forms.CharField(
        label=gettext_lazy("Tags"), required=False, max_length=500,
        help_text=gettext_lazy("With commas between them. Tickets with one of them are asked about."),
    )  # fmt: skip
    languages = forms.CharField(
        label=gettext_lazy("Languages"), required=False, max_length=200,
        help_text=gettext_lazy("Codes such as en, ur, with commas between them."),
    )  # fmt: skip
    every = forms.IntegerField(
        label=gettext_lazy("Days between two askings of one customer"), min_value=0, max_value=3650
    )
    sample = forms.IntegerField(label=gettext_lazy("Per cent who are asked"), min_value=1, max_value=100)
    expires = forms.IntegerField(label=gettext_lazy("Days that it can be answered"), min_value=1, max_value=365)
    low = forms.IntegerField(
        label=gettext_lazy("A bad answer is at most"), required=False, min_value=0, max_value=10,
        help_text=gettext_lazy("Of “was it solved?” no is 0."),
    )  # fmt: skip
    reopen = forms.BooleanField(label=gettext_lazy("Open the ticket again"), required=False)
    tell = forms.TypedChoiceField(
        label=gettext_lazy("Tell somebody by a note"), coerce=int, empty_value=None, required=False
    )
    assign = forms.BooleanField(label=gettext_lazy("Give them the ticket, too"), required=False)
    review_from = forms.IntegerField(
        label=gettext_lazy("A promoter answers at least"), required=False, min_value=0, max_value=10
    )
    review_url = forms.URLField(
        label=gettext_lazy("Where they are asked for a public review"), required=False, max_length=500,
        assume_scheme="https",
    )  # fmt: skip

    def __init__(self, data: Any, agent: Agent, kind: str, survey: Survey | None = None) -> None:
        self.kind, self.survey = kind, survey
        self.kept = rules.of(survey) if survey is not None else rules.usual(kind)
        super().__init__(data, initial=_initial(survey, self.kept, kind))
        if kind != SurveyKind.CSAT:
            del self.fields["look"]
        if kind in {SurveyKind.OPEN, SurveyKind.CHOICE}:
            for name in ("low", "reopen", "tell", "assign", "review_from", "review_url"):
                del self.fields[name]
        else:
            self._choose("tell", [("", _("nobody")), *access.agents(agent).order_by("name").values_list("pk", "name")])
        self._choose("channels", access.channels(agent).order_by("name").values_list("pk", "name"))
        self._choose("teams", access.teams(agent).order_by("name").values_list("pk", "name"))
        for name in ("channels", "teams", "priorities"):
            self.fields[name].widget = forms.CheckboxSelectMultiple(choices=self.fields[name].choices)  # type: ignore[attr-defined]
        self._add_words()

    def _choose(self, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
        self.fields[name].choices = list(choices)  # type: ignore[attr-defined]

    def _add_words(self) -> None:
        """The fields of each language, and of each question that may follow."""
        for code, _language in settings.LANGUAGES:
            for name, label in (("question", _("Question")), ("comment", _("Above the words beside it")),
                                ("thanks", _("Thanks"))):  # fmt: skip
                with words.speaking(code):
                    shown = words.usual(self.kind, name)
                area = forms.Textarea(attrs={**AREA, "lang": code, "placeholder": shown})
                self.fields[f"{name}_{code}"] = forms.CharField(
                    label=label, required=False, max_length=LONGEST, widget=area
                )
            if self.kind == SurveyKind.CHOICE:
                self.fields[f"choices_{code}"] = _lines(_("Answers, one a line"), code)
        for place in range(MOST_FURTHER):
            self.fields[f"more_kind_{place}"] = forms.ChoiceField(
                label=_("A question that follows"), choices=KINDS_OF_FURTHER, required=False
            )
            self.fields[f"more_when_{place}"] = forms.ChoiceField(label=_("For whom"), choices=WHOM, required=False)
            for code, _language in settings.LANGUAGES:
                self.fields[f"more_text_{place}_{code}"] = forms.CharField(
                    label=_("Question"), required=False, max_length=LONGEST,
                    widget=forms.TextInput(attrs={"dir": "auto", "lang": code}),
                )  # fmt: skip
                self.fields[f"more_choices_{place}_{code}"] = _lines(_("Answers, one a line"), code)

    @property
    def by_language(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """(code, name, fields) of each language."""
        names = ["question", "comment", "thanks", *(["choices"] if self.kind == SurveyKind.CHOICE else [])]
        return [(code, str(label), [self[f"{name}_{code}"] for name in names]) for code, label in settings.LANGUAGES]

    @property
    def following(self) -> list[dict[str, Any]]:
        """The fields of each question that may follow."""
        return [
            {
                "kind": self[f"more_kind_{place}"],
                "when": self[f"more_when_{place}"],
                "languages": [
                    (code, str(label), self[f"more_text_{place}_{code}"], self[f"more_choices_{place}_{code}"])
                    for code, label in settings.LANGUAGES
                ],
            }
            for place in range(MOST_FURTHER)
        ]

    def clean_review_url(self) -> str:
        url: str = self.cleaned_data["review_url"]
        if url and urlsplit(url).scheme not in {"https", "http"}:
            raise forms.ValidationError(_("Give an address of the web."))
        return url

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.kind == SurveyKind.CHOICE and not self.errors and len(self._choices("choices")) < 2:
            self.add_error(f"choices_{settings.LANGUAGES[0][0]}", _("Give two answers at least."))
        if data.get("assign") and not data.get("tell"):
            self.add_error("tell", _("Choose who is given the ticket."))
        for name in ("low", "review_from"):
            allowed = scales.values(Survey(kind=self.kind))
            if data.get(name) is not None and data[name] not in allowed:
                self.add_error(name, _("This scale goes from %(least)s to %(most)s.")
                               % {"least": min(allowed), "most": max(allowed)})  # fmt: skip
        return data

    def values(self) -> dict[str, Any]:
        """What the form says, as a survey keeps it; of one that is not valid, as far as it can be read."""
        data = self.cleaned_data
        codes = [code for code, _language in settings.LANGUAGES]
        said = {
            code: {name: data[f"{name}_{code}"] for name in words.OWN if data.get(f"{name}_{code}")} for code in codes
        }
        kept = dict(self.survey.texts) if self.survey is not None else {}
        return {
            "name": data.get("name", ""),
            "look": data.get("look") or (self.survey.look if self.survey else SurveyLook.FACES.value),
            "texts": {code: one for code, one in {**kept, **said}.items() if one},
            "choices": self._choices("choices") if self.kind == SurveyKind.CHOICE else [],
            "further": [one for place in range(MOST_FURTHER) if (one := self._more(place))],
            "rules": self._rules().as_json(),
        }

    def _choices(self, prefix: str) -> list[dict[str, str]]:
        """Line by line, each in all languages that have one."""
        lines = {
            code: [one.strip() for one in self.cleaned_data.get(f"{prefix}_{code}", "").splitlines() if one.strip()]
            for code, _language in settings.LANGUAGES
        }
        most = min(max((len(one) for one in lines.values()), default=0), MOST_CHOICES)
        return [{code: one[place][:80] for code, one in lines.items() if place < len(one)} for place in range(most)]

    def _more(self, place: int) -> dict[str, Any]:
        data = self.cleaned_data
        kind = data.get(f"more_kind_{place}")
        text = {code: said for code, _language in settings.LANGUAGES if (said := data.get(f"more_text_{place}_{code}"))}
        if not kind or not text:
            return {}
        found = {"key": f"q{place}", "kind": kind, "when": data.get(f"more_when_{place}") or "all", "text": text}
        return found | ({"choices": self._choices(f"more_choices_{place}")} if kind == "choice" else {})

    def _rules(self) -> Rules:
        """What whoever saves this does not see of channels and teams stays as it was."""
        data = self.cleaned_data
        chosen: dict[str, Any] = {}
        for name in ("when", "delay", "days", "every", "sample", "expires"):
            value = data.get(name)
            chosen[name] = getattr(self.kept, name) if value in {None, ""} else value
        for name in ("channels", "teams"):
            offered = {value for value, _label in self.fields[name].choices}  # type: ignore[attr-defined]
            hidden = [one for one in getattr(self.kept, name) if one not in offered]
            chosen[name] = (*data.get(name, ()), *hidden)
        chosen["priorities"] = tuple(data.get("priorities", ()))
        for name in ("tags", "languages"):
            chosen[name] = tuple(one.strip() for one in data.get(name, "").split(",") if one.strip())
        for name in ("low", "review_from", "tell"):
            chosen[name] = data.get(name)
        return Rules(
            **chosen,
            reopen=bool(data.get("reopen")),
            assign=bool(data.get("assign")),
            review_url=data.get("review_url") or "",
        )


def _lines(label: str, code: str) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 3, "dir": "auto", "lang": code})
    return forms.CharField(label=label, required=False, max_length=2000, widget=area)


def _initial(survey: Survey | None, kept: Rules, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: getattr(kept, name)
        for name in ("when", "delay", "days", "priorities", "every", "sample", "expires", "low", "reopen", "tell",
                     "assign", "review_from", "review_url")
    }  # fmt: skip
    found |= {name: list(getattr(kept, name)) for name in ("channels", "teams")}
    found |= {name: ", ".join(getattr(kept, name)) for name in ("tags", "languages")}
    found["name"] = survey.name if survey is not None else str(SurveyKind(kind).label)
    if survey is None:
        return found
    found["look"] = survey.look
    for code, _language in settings.LANGUAGES:
        said = survey.texts.get(code) or {}
        found |= {f"{name}_{code}": said.get(name, "") for name in words.OWN}
        found[f"choices_{code}"] = "\n".join(one.get(code, "") for one in survey.choices)
        for place, one in enumerate(survey.further[:MOST_FURTHER]):
            found[f"more_kind_{place}"] = one.get("kind", "open")
            found[f"more_when_{place}"] = one.get("when", "all")
            found[f"more_text_{place}_{code}"] = (one.get("text") or {}).get(code, "")
            found[f"more_choices_{place}_{code}"] = "\n".join(each.get(code, "") for each in one.get("choices") or ())
    if survey.question and not found.get(f"question_{settings.LANGUAGES[0][0]}"):
        found[f"question_{settings.LANGUAGES[0][0]}"] = survey.question
    return found
