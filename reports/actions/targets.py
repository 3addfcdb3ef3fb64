"""Where a figure is to be: set by whoever may read everybody's figures, and told in the log of settings."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions.errors import ActionError
from inbox.models import Agent
from inbox.rights import Right, may
from reports import engine
from reports.models import Target

MOST = 1e12
RANGES = {"ratio": (0.0, 1.0), "score": (-100.0, 100.0)}


def set_target(figure: str, value: float | None, *, by: Agent) -> None:
    """Set the target of a figure, in the figure's own unit; None takes it away. Raises ActionError."""
    if not may(by, Right.REPORTS):
        raise ActionError(_("You may not do that."), "right")
    least, most = RANGES.get(engine.MEASURES[figure].unit, (0.0, MOST))
    if value is not None and not least <= value <= most:
        raise ActionError(_("This is no number for a target."), "value")
    with transaction.atomic():
        known = Target.objects.select_for_update().filter(figure=figure).first()
        if (known.value if known else None) == value:
            return
        if value is None:
            Target.objects.filter(figure=figure).delete()
            log.record(None, "target_removed", by=by, figure=figure)
            return
        given = {"value": value, "set_by": by, "set_at": timezone.now()}
        Target.objects.update_or_create(figure=figure, defaults=given)
        log.record(None, "target_set", by=by, figure=figure, value=value)
