"""API tokens: made and revoked, each a line in the log."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from api.models import ApiToken, Scope
from inbox import log
from inbox.actions.errors import ActionError
from inbox.models import Agent


def scopes_of(agent: Agent) -> list[Scope]:
    """The scopes that a token of this person may have."""
    return [scope for scope in Scope if scope != Scope.ADMIN or agent.is_admin]


def create(agent: Agent, *, scope: str, name: str = "", by: Agent | None) -> tuple[ApiToken, str]:
    """A new token of this person and its secret, told this once. Raises ActionError for a scope beyond their role."""
    if scope not in scopes_of(agent):
        raise ActionError(
            _("%(person)s is no admin: the widest scope is write.") % {"person": agent}, "scope_beyond_role"
        )
    with transaction.atomic():
        token, secret = ApiToken.objects.issue(agent, scope, name)
        log.record(None, "token_created", by=by, token=token.pk, agent=agent.pk, scope=str(scope))
    return token, secret


def revoke(token: ApiToken, *, by: Agent | None) -> None:
    """It stops working at once; its row stays, with the time."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            log.record(None, "token_revoked", by=by, token=token.pk, agent=token.agent_id)
