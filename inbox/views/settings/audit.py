"""`/settings/audit/`: who changed settings and permissions. It is read; nothing here, or anywhere, deletes from it."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from inbox import audit
from inbox.models import Agent
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only


@require_safe
@agent_only
@needs(Right.AUDIT)
def log(request: AgentRequest) -> HttpResponse:
    person, kind, before = (request.GET.get(name, "") for name in ("person", "kind", "before"))
    kinds = audit.kinds()
    kind = kind if kind in dict(kinds) else ""
    page = audit.page(before=_number(before), actor=_number(person), kind=kind)
    older = ""
    if page.older:
        asked = {"person": person, "kind": kind, "before": page.older}
        older = reverse("settings-audit") + "?" + urlencode({name: value for name, value in asked.items() if value})
    context = {
        "page_key": "audit",
        "lines": page.lines,
        "older": older,
        "people": Agent.objects.order_by("name", "pk").only("pk", "name", "email"),
        "kinds": kinds,
        "person": _number(person),
        "kind": kind,
        "newest": before == "",
    }
    return render(request, "settings/audit.html", context)


def _number(value: str) -> int | None:
    return int(value) if value.isdecimal() and len(value) < 19 else None
