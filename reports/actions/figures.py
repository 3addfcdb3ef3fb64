"""What the organisation chooses for its figures; each change is told in the log of settings and holds at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions.errors import ActionError
from inbox.models import Agent, Setting, Tag
from inbox.rights import Right, require
from reports.engine.choices import LEFT_OUT, RATES, RATES_OF_ALL, WINDOW, left_out, rates, window

LONGEST = 30  # days of the window: facts look no further for a customer who comes again


def set_window(days: int, *, by: Agent) -> None:
    """For how many days a re-open or another ticket counts against a solve. Raises ActionError, PermissionDenied."""
    require(by, Right.REPORTS)
    if not 1 <= days <= LONGEST:
        raise ActionError(_("The window is 1 to 30 days long."), "window")
    with transaction.atomic():
        if window() != days:
            Setting.objects.update_or_create(pk=WINDOW, defaults={"value": days})
            log.record(None, "figure_window_set", by=by, days=days)


def set_left_out(names: Iterable[str], *, by: Agent) -> None:
    """Which tags mark tests and demonstrations: their tickets are in no figure, but for who asks for the tag by name.

    Raises ActionError where there is no such tag, PermissionDenied.
    """
    require(by, Right.REPORTS)
    wanted = {" ".join(name.split()) for name in names} - {""}
    found = dict(Tag.objects.filter(name__in=wanted).values_list("name", "pk"))
    if missing := sorted(wanted - found.keys()):
        raise ActionError(_("There is no tag “%(tag)s”.") % {"tag": missing[0]}, "left_out")
    with transaction.atomic():
        if sorted(left_out()) != sorted(wanted):
            Setting.objects.update_or_create(pk=LEFT_OUT, defaults={"value": sorted(found.values())})
            log.record(None, "figure_tags_left_out_set", by=by, count=len(wanted))


def set_rates(chosen: Mapping[str, Decimal | None], *, by: Agent) -> None:
    """What an hour costs, by the id of a team as text or by "all"; None takes it away, what is not named stays.

    Raises ActionError, PermissionDenied.
    """
    require(by, Right.REPORTS)
    if any(rate is not None and not 0 <= rate < 1_000_000 for rate in chosen.values()):
        raise ActionError(_("This is no hourly rate."), "rate")
    with transaction.atomic():
        Setting.objects.get_or_create(pk=RATES, defaults={"value": {}})
        kept = Setting.objects.select_for_update().get(pk=RATES)
        for whose, rate in chosen.items():
            value = None if rate is None else float(rate)
            if kept.value.get(whose) == value:
                continue
            kept.value.pop(whose, None)
            if value is not None:
                kept.value[whose] = value
            of = {} if whose == RATES_OF_ALL else {"team": int(whose)}
            what = "hourly_rate_of_all" if whose == RATES_OF_ALL else "hourly_rate"
            if value is None:
                log.record(None, f"{what}_removed", by=by, **of)
            else:
                log.record(None, f"{what}_set", by=by, rate=value, **of)
        if kept.value != rates():
            kept.save()
