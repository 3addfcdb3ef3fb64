"""`/settings/tags/`: the words that tickets carry."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox.actions import keeping
from inbox.actions.errors import ActionError
from inbox.models import Tag
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

HERE = {"page_key": "tags"}
PAGE = 100
COLOURS = [
    ("", gettext_lazy("None")),
    ("#6b7280", gettext_lazy("Grey")),
    ("#c2410c", gettext_lazy("Orange")),
    ("#b91c1c", gettext_lazy("Red")),
    ("#be185d", gettext_lazy("Pink")),
    ("#7e22ce", gettext_lazy("Purple")),
    ("#1d4ed8", gettext_lazy("Blue")),
    ("#0e7490", gettext_lazy("Turquoise")),
    ("#15803d", gettext_lazy("Green")),
    ("#a16207", gettext_lazy("Yellow")),
]


class ColourSelect(forms.RadioSelect):
    option_template_name = "settings/tags/_colour.html"


class TagForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    colour = forms.ChoiceField(label=gettext_lazy("Colour"), required=False, choices=COLOURS, widget=ColourSelect)

    def __init__(self, data: object, tag: Tag | None = None) -> None:
        super().__init__(data, initial={"name": tag.name, "colour": tag.colour} if tag else None)  # type: ignore[arg-type]
        if tag is not None and tag.colour and tag.colour not in dict(COLOURS):  # chosen by API
            self.fields["colour"].choices = [*COLOURS, (tag.colour, tag.colour)]  # type: ignore[attr-defined]


class MergeForm(forms.Form):
    into = forms.CharField(label=gettext_lazy("Into"), max_length=80)

    def clean_into(self) -> Tag:
        found = Tag.objects.filter(name=" ".join(self.cleaned_data["into"].split())).first()
        if found is None:
            raise forms.ValidationError(_("There is no tag of this name."))
        return found


def get_tag(pk: int) -> Tag:
    found = Tag.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_safe
@agent_only
@needs(Right.SHARE)
def tags(request: AgentRequest) -> HttpResponse:
    """The tags by name, a page at a time; `q` is a part of the name, `after` the last name of the page before."""
    asked = " ".join(request.GET.get("q", "").split())[:80]
    found = Tag.objects.filter(name__gt=request.GET.get("after", "")[:80].replace("\x00", "")).order_by("name")
    if asked:
        found = found.filter(name__icontains=asked.replace("\x00", ""))
    rows = list(found[: PAGE + 1])
    more = rows[PAGE - 1].name if len(rows) > PAGE else ""
    return render(request, "settings/tags/list.html", {**HERE, "tags": rows[:PAGE], "q": asked, "more": more})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.SHARE)
def tag(request: AgentRequest, pk: int | None = None) -> HttpResponse:
    """One tag, or a new one."""
    found = None if pk is None else get_tag(pk)
    form = TagForm(request.POST if request.method == "POST" else None, found)
    if request.method == "POST" and form.is_valid():
        try:
            if found is None:
                keeping.create_tag(by=request.user, **form.cleaned_data)
            else:
                keeping.update_tag(found, by=request.user, **form.cleaned_data)
        except ActionError as error:
            form.add_error("name", str(error.reason))
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-tags")
    return render(request, "settings/tags/tag.html", {**HERE, "form": form, "merging": MergeForm(), "tag": found})


@require_POST
@agent_only
@needs(Right.SHARE)
def merge(request: AgentRequest, pk: int) -> HttpResponse:
    """Let another tag take its place on every ticket."""
    found, form = get_tag(pk), MergeForm(request.POST)
    if form.is_valid():
        try:
            keeping.merge_tag(found, form.cleaned_data["into"], by=request.user)
        except ActionError as error:
            form.add_error("into", str(error.reason))
        else:
            messages.success(request, _("Merged."))
            return redirect("settings-tags")
    return render(
        request, "settings/tags/tag.html", {**HERE, "form": TagForm(None, found), "merging": form, "tag": found}
    )


@require_POST
@agent_only
@needs(Right.SHARE)
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    keeping.delete_tag(get_tag(pk), by=request.user)
    messages.success(request, _("Deleted."))
    return redirect("settings-tags")
