"""Whoever is locked out keeps no token: let in again, they make new ones."""

from api.actions import tokens
from api.models import ApiToken
from inbox.actions.people import when_locked_out
from inbox.models import Agent


@when_locked_out
def revoke_tokens(agent: Agent, by: Agent) -> None:
    for token in ApiToken.objects.filter(agent=agent, revoked_at__isnull=True).order_by("pk"):
        tokens.revoke(token, by=by)
