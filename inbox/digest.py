"""What an agent has not read on the page, as one mail: soon, hourly or daily, as they chose."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from inbox import access, frames, post, second_factor
from inbox.actions.errors import ActionError
from inbox.models import Agent, Notification
from inbox.notify import title

logger = logging.getLogger(__name__)

WAIT = {"quick": timedelta(minutes=5), "hourly": timedelta(hours=1)}
MORNING = 8  # o'clock, where the agent is: of a daily mail
CHOICES = (
    ("quick", gettext_lazy("within minutes")),
    ("hourly", gettext_lazy("every hour")),
    ("daily", gettext_lazy("every morning")),
)
MOST_LINES = 30


def often(agent: Agent) -> str:
    """How often this agent wants a mail: a key of CHOICES."""
    chosen = agent.notify.get("digest") if isinstance(agent.notify, dict) else None
    return chosen if chosen in dict(CHOICES) else "hourly"


def is_due(agent: Agent, oldest: datetime, now: datetime) -> bool:
    """Whether the mail with what waits since `oldest` is to leave."""
    if (wait := WAIT.get(often(agent))) is not None:
        return now - oldest >= wait
    here = now.astimezone(ZoneInfo(agent.time_zone or settings.TIME_ZONE))
    morning = here.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return here >= morning > oldest.astimezone(here.tzinfo)


def send_due() -> int:
    """Send the mails that are due; returns how many. Without a way for mail what waits is let go: the page has it."""
    waiting = Notification.objects.filter(mail_due=True)
    oldest = dict(waiting.values("agent").annotate(first=Min("created_at")).values_list("agent", "first"))
    if not oldest:
        return 0
    if not post.available():
        waiting.update(mail_due=False)
        return 0
    now, done = timezone.now(), 0
    agents = {agent.pk: agent for agent in frames.with_sight(set(oldest))}
    Notification.objects.filter(mail_due=True, agent__in=set(oldest) - set(agents)).update(mail_due=False)
    for pk, agent in agents.items():
        if is_due(agent, oldest[pk], now):
            done += _send(agent)
    return done


def _send(agent: Agent) -> int:
    # Let go before it is sent: a mail that was half sent is not sent twice, nor by two workers at once.
    with transaction.atomic():
        due = Notification.objects.select_for_update(skip_locked=True, of=("self",)).filter(agent=agent, mail_due=True)
        rows = list(due.select_related("ticket", "ticket__customer", "by").order_by("pk"))
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(mail_due=False)
    seen = [] if second_factor.is_missing(agent) else [row for row in rows if access.sees(agent, row.ticket)]
    if not seen:
        return 0
    with translation.override(agent.language or settings.LANGUAGE_CODE):
        base = settings.BASE_URL.rstrip("/")
        lines = [
            {
                "title": title(row.kind, str(row.by) if row.by else "", row.ticket.customer.name),
                "ticket": row.ticket,
                "url": f"{base}{reverse('ticket', args=[row.ticket_id])}",
            }
            for row in seen[:MOST_LINES]
        ]
        subject = ngettext("%(count)s thing waits for you", "%(count)s things wait for you", len(seen)) % {
            "count": len(seen)
        }
        context = {
            "lines": lines,
            "further": len(seen) - len(lines),
            "settings_url": f"{base}{reverse('settings-notifications')}",
            "organisation": settings.ORGANISATION_NAME,
        }
        text = render_to_string("inbox/digest.txt", context)
        heading = _("%(what)s · %(organisation)s") % {"what": subject, "organisation": settings.ORGANISATION_NAME}
        letter = post.letter(heading, text, agent.email)
    try:
        post.send(letter)
    except ActionError as error:
        logger.warning("a digest was not sent: %s", error)
        return 0
    return 1
