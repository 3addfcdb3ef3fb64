"""Whose revenue it is: customers by what other systems know them by, two queries however many are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from inbox import access
from inbox.models import Agent, Customer, Identity

Key = tuple[str, str]
DEEP = 10  # merges of merges that are followed


def customers(agent: Agent, keys: Iterable[Key]) -> dict[Key, int]:
    """The customer of each key (email, phone, external_id, id) that this agent sees; who is not found is left out."""
    wanted = set(keys)
    found: dict[Key, int] = {}
    values = [value for kind, value in wanted if kind in {"email", "phone"}]
    if values:
        rows = Identity.objects.active().filter(kind__in=["email", "phone"], value__in=values)
        found |= {(kind, value): pk for kind, value, pk in rows.values_list("kind", "value", "customer")}
    ids = [int(value) for kind, value in wanted if kind == "id"]
    external = [value for kind, value in wanted if kind == "external_id"]
    if ids or external:
        named = Customer.objects.filter(Q(pk__in=ids) | Q(external_id__in=external), erased_at__isnull=True)
        for pk, external_id in named.values_list("pk", "external_id"):
            found |= {("id", str(pk)): pk, ("external_id", external_id or ""): pk}
    found = {key: pk for key, pk in found.items() if key in wanted}
    return _living(agent, found)


def _living(agent: Agent, found: dict[Key, int]) -> dict[Key, int]:
    for _turn in range(DEEP):
        merged = Customer.objects.filter(pk__in=set(found.values()), merged_into__isnull=False)
        into = dict(merged.values_list("pk", "merged_into"))
        if not into:
            break
        found = {key: into.get(pk) or pk for key, pk in found.items()}
    seen = set(access.customers(agent).filter(pk__in=set(found.values())).values_list("pk", flat=True))
    return {key: pk for key, pk in found.items() if pk in seen}
