"""Who must have a second factor, and what the log keeps of it."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.dispatch import receiver

from inbox import log
from inbox.models import Agent, Role

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# Where somebody may be who has no second factor yet but must: what sets one up, log-in and log-out, and what programs
# use, whose tokens are a factor of their own.
OPEN_PATHS = ("/settings/security/", "/accounts/", "/language/", "/static/", "/api/", "/healthz", "/readyz", "/metrics")


def has(agent: Agent) -> bool:
    return bool(Authenticator.objects.filter(user_id=agent.pk, type__in=FACTORS).exists())


def is_required(agent: Agent) -> bool:
    return settings.REQUIRE_MFA == "all" or (settings.REQUIRE_MFA == "admins" and agent.is_admin)


def is_missing(agent: Agent) -> bool:
    """Whether this person must set one up before anything else. One query, where one is required at all."""
    return is_required(agent) and not has(agent)


def who_lack_one(agents: set[int]) -> set[int]:
    """The same of several. One query, where one is required at all."""
    if settings.REQUIRE_MFA not in {"all", "admins"}:
        return set()
    people = Agent.objects.filter(pk__in=agents)
    if settings.REQUIRE_MFA == "admins":
        people = people.filter(role=Role.ADMIN)
    having = Authenticator.objects.filter(type__in=FACTORS).values("user")
    return set(people.exclude(pk__in=having).values_list("pk", flat=True))


# What the log keeps --------------------------------------------------------------------------------------------------


@receiver(signals.authenticator_added)
def added(sender: object, user: Agent, authenticator: Authenticator, **told: Any) -> None:
    log.record(None, "second_factor_added", by=user, factor=authenticator.type)


@receiver(signals.authenticator_removed)
def removed(sender: object, user: Agent, authenticator: Authenticator, **told: Any) -> None:
    log.record(None, "second_factor_removed", by=user, factor=authenticator.type)


@receiver(signals.authenticator_reset)
def renewed(sender: object, user: Agent, **told: Any) -> None:
    log.record(None, "recovery_codes_renewed", by=user)


@receiver(signals.authentication_failed)
def failed(sender: object, user: Agent, **told: Any) -> None:
    log.record(None, "second_factor_failed", agent=user.pk)
