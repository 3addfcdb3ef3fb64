"""`/settings/hours/`: the hours of business of the organisation, its teams, brands and channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from inbox import access, schedule_words, schedules
from inbox.actions import schedules as acting
from inbox.models import Brand
from inbox.rights import Right, may, needs
from inbox.schedule_drafts import DO, Draft
from inbox.views.settings.teams import managed
from inbox.views.shell import AgentRequest, agent_only
from lib import ical

YEARS_AHEAD = timedelta(days=5 * 366)  # so far events of a calendar that repeat are taken


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose hours a page changes. `otherwise` says what holds without any of its own."""

    title: str
    url: str
    stored: dict[str, Any]
    otherwise: str
    save: Callable[[dict[str, Any] | None], None]
    hint: str = ""


@require_safe
@agent_only
@needs(Right.TEAMS)
def index(request: AgentRequest) -> HttpResponse:
    """Whose hours are set, and whose hold where."""
    ours = schedules.of_organisation()
    told = schedule_words.told
    found = access.channels(request.user).select_related("brand")
    context = {
        "page_key": "hours",
        "may_connect": may(request.user, Right.CHANNELS),
        "organisation": told(ours),
        "teams": [(one, told(schedules.own(one))) for one in managed(request.user)],
        "brands": [(one, told(one.schedule)) for one in Brand.objects.order_by("name", "pk")],
        "channels": [(one, told(schedules.own(one)), schedule_words.whose(one, bool(ours))) for one in found],
    }
    return render(request, "settings/hours/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def organisation(request: AgentRequest) -> HttpResponse:
    subject = Subject(
        _("The organisation"),
        reverse("settings-organisation-hours"),
        schedules.of_organisation(),
        _("None: all time counts, by day and by night"),
        lambda hours: acting.set_of_organisation(hours, by=request.user),
    )
    return _page(request, subject)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.TEAMS)
def team(request: AgentRequest, pk: int) -> HttpResponse:
    found = managed(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    subject = Subject(
        found.name,
        reverse("settings-team-hours", args=[pk]),
        schedules.own(found),
        _("None of its own: those of a ticket’s channel, else the organisation’s"),
        lambda hours: acting.set_of_team(found, hours, by=request.user),
    )
    return _page(request, subject)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def brand(request: AgentRequest, pk: int) -> HttpResponse:
    found = Brand.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    subject = Subject(
        found.name,
        reverse("settings-brand-hours", args=[pk]),
        schedules.own(found),
        _("None: its channels have their own, else the organisation’s"),
        lambda hours: acting.set_of_brand(found, hours, by=request.user),
    )
    return _page(request, subject)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def channel(request: AgentRequest, slug: str) -> HttpResponse:
    found = access.channels(request.user).select_related("brand").filter(slug=slug).first()
    if found is None:
        raise Http404
    hint = ""
    if schedules.setting_of(found):
        hint = _("These are also the hours at which it is open for customers. Without any it always is.")
    subject = Subject(
        found.name,
        reverse("settings-channel-hours", args=[slug]),
        schedules.own(found),
        _("None of its own: those of its brand, else the organisation’s"),
        lambda hours: acting.set_of_channel(found, hours, by=request.user),
        hint,
    )
    return _page(request, subject)


def _page(request: AgentRequest, subject: Subject) -> HttpResponse:
    """POST saves; with `do`, or a calendar to read, it changes the rows of the page, and saves nothing."""
    zone = request.user.time_zone or settings.TIME_ZONE
    if request.method != "POST":
        return _show(request, subject, Draft.stored(subject.stored, zone))
    draft, wanted = Draft.posted(request.POST), request.POST.get(DO, "")
    if wanted == "import" or "calendar" in request.FILES:
        return _import(request, subject, draft)
    if wanted:
        return _show(request, subject, draft, focus=draft.change(wanted))
    hours = draft.hours()
    if hours and not any(draft.days):
        draft.wrong = {"days": [_("Give hours on one day at least. To count by other hours, choose that above.")]}
        return _show(request, subject, draft, focus="add-0")
    try:
        subject.save(hours)
    except ValidationError as error:
        draft.wrong = {path.removeprefix("hours."): texts for path, texts in error.message_dict.items()}
        return _show(request, subject, draft, focus=draft.first_wrong())
    messages.success(request, _("Saved. It counts from now on; what was before stays as it was."))
    url = reverse("settings-hours")
    if "HX-Request" in request.headers:  # a redirect would land in the form's place
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _import(request: AgentRequest, subject: Subject, draft: Draft) -> HttpResponse:
    """Add the days off of a calendar to those on the page, to be looked at before they are saved."""
    file = request.FILES.get("calendar")
    if file is None:
        return _show(request, subject, draft, file_wrong=_("Choose a file first."), focus="calendar")
    today = timezone.localdate()
    try:
        found = ical.whole_days(file.read(ical.MOST_BYTES + 1), today, today + YEARS_AHEAD)
    except ValueError as error:
        return _show(request, subject, draft, file_wrong=_why(str(error)), focus="calendar")
    added = draft.take(found.days)
    said = [ngettext("%(n)d row is added above.", "%(n)d rows are added above.", added) % {"n": added}]
    if known := len(found.days) - added:
        said.append(ngettext("%(n)d was there already.", "%(n)d were there already.", known) % {"n": known})
    if found.timed:
        text = ngettext(
            "%(n)d was left out: it is no whole day.", "%(n)d were left out: they are no whole days.", found.timed
        )
        said.append(text % {"n": found.timed})
    if found.outside:
        text = ngettext("%(n)d was left out: it is over.", "%(n)d were left out: they are over.", found.outside)
        said.append(text % {"n": found.outside})
    if added:
        said.append(_("Look at them, then save."))
    return _show(request, subject, draft, file_said=" ".join(said), focus="file-said")


def _why(error: str) -> str:
    if error == "too large":
        return _("This calendar is too large. Export the days off alone, for a few years.")
    if error.startswith("repeats"):
        return _("An event in this calendar repeats more often than once a day: such a one is no holiday.")
    return _("This is no calendar that can be read. Export it as iCalendar (.ics).")


def _show(request: AgentRequest, subject: Subject, draft: Draft, **more: str) -> HttpResponse:
    context = {
        "page_key": "hours",
        "subject": subject,
        "draft": draft,
        "do": DO,
        "holidays": draft.holidays(timezone.localdate()),
        **more,
    }
    wrong = draft.wrong or more.get("file_wrong")
    return render(request, "settings/hours/hours.html", context, status=422 if wrong else 200)
