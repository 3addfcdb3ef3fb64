"""What figures add to Rabta's other pages: a place in the rail, style sheets, words for the log of settings, a choice
below one's own profile. Registered when the app is ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from inbox import additions, audit, context, preferences
from inbox.actions import exporting
from inbox.additions import Piece
from inbox.models import Agent
from inbox.rights import Right, may
from reports.models import WeeklyMail
from reports.pages import behind

if TYPE_CHECKING:
    from inbox.views.shell import AgentRequest


def shows(request: HttpRequest) -> bool:
    """Whoever answers customers has figures of their own."""
    return isinstance(request.user, Agent) and may(request.user, Right.ANSWER)


def profile(request: AgentRequest) -> Piece | None:
    """Whether one wants the weekly mail: below one's own profile."""
    if not may(request.user, Right.ANSWER):
        return None
    told = {"weekly": WeeklyMail.objects.filter(agent=request.user).first(), "weekly_days": list(WEEKDAYS.items())}
    return Piece("reports/_profile.html", told)


def register() -> None:
    """All of it; called once, when the app is ready."""
    context.STYLE_SHEETS += [
        "reports/css/reports.css",
        "reports/css/charts.css",
        "reports/css/pains.css",
        "reports/css/printed.css",
    ]
    context.SCRIPTS += ["reports/js/reports.js"]
    additions.link(additions.Link("reports", _("Reports"), "chart", "reports", shows))
    additions.profile(profile)
    exporting.SOURCES["figures"] = exporting.Source(_("Adds to the figure"), behind.tickets, behind.amounts)
    preferences.register(
        preferences.Page(
            "figures",
            _("Figures"),
            "chart",
            "settings-figures",
            preferences.ORGANISATION,
            64,
            Right.REPORTS,
            _("For how long a second contact counts, and what an hour of each team costs."),
        )
    )
    audit.says("figure_window_set", _("%(who)s set the window of figures to %(days)s days"))
    audit.says("figure_tags_left_out_set", _("%(who)s set which tags keep tickets out of the figures"))
    audit.says("hourly_rate_set", _("%(who)s set what an hour of %(team)s costs to %(rate)s"))
    audit.says("hourly_rate_removed", _("%(who)s took away what an hour of %(team)s costs"))
    audit.says("hourly_rate_of_all_set", _("%(who)s set what an hour costs to %(rate)s"))
    audit.says("hourly_rate_of_all_removed", _("%(who)s took away what an hour costs"))
    audit.says("target_set", _("%(who)s set the target of the figure %(figure)s to %(value)s"))
    audit.says("target_removed", _("%(who)s took the target of the figure %(figure)s away"))
    audit.says("weekly_mail_changed", _("%(who)s changed when the weekly mail comes"))
