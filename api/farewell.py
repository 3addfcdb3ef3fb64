"""Whoever is switched off keeps no token: switched on again, they make new ones."""

from django.utils import timezone

from api.models import ApiToken
from inbox.actions.people import when_switched_off
from inbox.models import Agent


@when_switched_off
def revoke_tokens(agent: Agent) -> None:
    ApiToken.objects.filter(agent=agent, revoked_at__isnull=True).update(revoked_at=timezone.now())
