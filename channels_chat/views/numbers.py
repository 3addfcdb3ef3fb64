"""`/settings/channels/<slug>/chat/numbers/`: what the bot, invitations and journeys come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from channels_chat import config, flows, numbers
from inbox import access
from inbox.rights import Right, may, needs
from inbox.views.shell import AgentRequest, agent_only

PERIODS = {7: gettext_lazy("7 days"), 30: gettext_lazy("30 days"), 90: gettext_lazy("90 days")}
# Why a bot handed over, as `channels_chat.actions.seat` writes it down.
REASONS = {
    "asked": gettext_lazy("Asked for a human"),
    "flow": gettext_lazy("The flow led there"),
    "missed": gettext_lazy("Not understood"),
    "unhelpful": gettext_lazy("It did not help"),
    "takeover": gettext_lazy("A human took over"),
    "watchdog": gettext_lazy("The bot was silent"),
    "failed": gettext_lazy("The bot failed"),
    "loop": gettext_lazy("The bot talked in circles"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with the name that people gave its subject."""

    name: str
    of: Any


@require_safe
@agent_only
@needs(Right.REPORTS)
def page(request: AgentRequest, slug: str) -> HttpResponse:
    """The figures of the last 7, 30 or 90 days."""
    channel = access.get_channel(request.user, slug)
    if channel.kind != "chat":
        raise Http404
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(one) for one in PERIODS} else 30
    until = timezone.now()
    since = until - timedelta(days=days)
    settings, language = config.of(channel), get_language() or "en"
    built = flows.read(settings.flow)
    walked = numbers.flow([channel.pk], since, until)
    order = [*built.steps, *(key for key in walked.steps if key not in built.steps)]
    invited = numbers.invitations([channel.pk], since, until)
    ran = numbers.journey_abandonment([channel.pk], since, until)
    said = {key: flows.text_in(step.say, language) for key, step in built.steps.items()}
    context = {
        "page_key": "channels",
        "channel": channel,
        "may_connect": may(request.user, Right.CHANNELS),
        "days": days,
        "periods": PERIODS.items(),
        "flow": walked,
        "reasons": [
            (REASONS.get(key, key or _("Unknown")), count)
            for key, count in sorted(walked.reasons.items(), key=lambda pair: -pair[1])
        ],
        "steps": [Row(said.get(key) or key, walked.steps.get(key) or numbers.Step(key)) for key in order],
        "has_flow": built.works,
        "invitations": _rows(settings.invitations, invited, numbers.Invitation),
        "journeys": _rows(settings.journeys, ran, lambda key: numbers.Journey(key, 0, 0, 0, 0)),
    }
    return render(request, "channels_chat/numbers/page.html", context)


def _rows(declared: Any, found: dict[str, Any], nothing: Any) -> list[Row]:
    """What the settings declare, in their order, whether it happened or not; then what they declared once."""
    names = {one["key"]: one.get("name") or one["key"] for one in declared}
    order = [*names, *(key for key in sorted(found) if key not in names)]
    return [Row(names.get(key, key), found.get(key) or nothing(key)) for key in order]
