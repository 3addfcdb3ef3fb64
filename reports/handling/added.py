"""Where handle time stands among the settings, and what the audit log says of it. Registered when the app is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from inbox import additions, audit, preferences
from inbox.additions import Piece
from inbox.rights import Right

if TYPE_CHECKING:
    from inbox.views.shell import AgentRequest


def profile(request: AgentRequest) -> Piece:
    return Piece("reports/handling/_profile.html")


def register() -> None:
    additions.profile(profile)
    preferences.register(
        preferences.Page(
            "handle-time",
            _("Handle time"),
            "clock",
            "settings-handle-time",
            preferences.ORGANISATION,
            80,
            Right.PEOPLE,
            _("Whether it is recorded how long agents have each ticket before them."),
        )
    )
    audit.says("handle_time_switched_on", _("%(who)s switched the recording of handle time on"))
    audit.says("handle_time_switched_off", _("%(who)s switched the recording of handle time off"))
    audit.says("handle_time_deleted", _("%(who)s deleted what was recorded for handle time"))
    audit.says("handle_time_lost", _("%(count)s stretches of handle time could not be kept: the server’s log says why"))
