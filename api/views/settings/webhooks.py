"""`/settings/webhooks/`: where events are sent to, how each receiver does, what was sent and what came of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from api.actions import webhooks as actions
from api.forms import WebhookForm
from api.models import HookState, Webhook, WebhookDelivery
from api.webhooks.follower import visible
from inbox import told_once
from inbox.actions.errors import ActionError
from inbox.models import Event
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

PAGE = 30
KEY = {"page_key": "webhooks"}


def _secret_of(hook: Webhook) -> str:
    return f"webhook:{hook.pk}"


@require_safe
@agent_only
@needs(Right.WEBHOOKS)
def webhooks(request: AgentRequest) -> HttpResponse:
    last = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), attempted_at__isnull=False).order_by("-pk")
    queued = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), state=HookState.QUEUED).order_by()
    hooks = Webhook.objects.select_related("owner").annotate(
        last_at=Subquery(last.values("attempted_at")[:1]),
        waiting=Coalesce(Subquery(queued.values("webhook").annotate(n=Count("pk")).values("n")), 0),
    )
    return render(request, "api/settings/webhooks.html", {**KEY, "hooks": hooks})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.WEBHOOKS)
def new(request: AgentRequest) -> HttpResponse:
    form = WebhookForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        hook, secret = actions.create(by=request.user, **form.values())
        told_once.keep(request, _secret_of(hook), secret)
        return redirect("settings-webhook", hook.pk)
    return render(request, "api/settings/webhook_form.html", {**KEY, "form": form}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.WEBHOOKS)
def edit(request: AgentRequest, pk: int) -> HttpResponse:
    hook = get_object_or_404(Webhook.objects.select_related("owner"), pk=pk)
    form = WebhookForm(request.user, request.POST or None, hook=hook)
    if request.method == "POST" and form.is_valid():
        actions.update(hook, form.values(), by=request.user)
        messages.success(request, _("Saved."))
        return redirect("settings-webhook", hook.pk)
    return render(
        request,
        "api/settings/webhook_form.html",
        {**KEY, "form": form, "hook": hook},
        status=400 if form.errors else 200,
    )


@require_safe
@agent_only
@needs(Right.WEBHOOKS)
def webhook(request: AgentRequest, pk: int) -> HttpResponse:
    hook = get_object_or_404(Webhook.objects.select_related("owner"), pk=pk)
    shown = {**KEY, "hook": hook, "secret": told_once.take(request, _secret_of(hook)), **_now(request, hook)}
    return render(request, "api/settings/webhook.html", shown)


@require_safe
@agent_only
@needs(Right.WEBHOOKS)
def now(request: AgentRequest, pk: int) -> HttpResponse:
    """How the webhook does and its log: what its page asks for again while something is under way."""
    hook = get_object_or_404(Webhook.objects.select_related("owner"), pk=pk)
    return render(request, "api/settings/_hook.html", {"hook": hook, **_now(request, hook)})


def _now(request: AgentRequest, hook: Webhook) -> dict[str, Any]:
    return {"channels": hook.channels.all(), "teams": hook.teams.all(), **_deliveries(request, hook)}


def _deliveries(request: AgentRequest, hook: Webhook) -> dict[str, Any]:
    """One page of the log, by keyset; `soon` where an outcome is to be expected within the minute."""
    rows: QuerySet[WebhookDelivery] = hook.deliveries.defer("payload", "headers", "response").order_by("-pk")
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    if state in HookState.values:
        rows = rows.filter(state=state)
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    more = len(found) > PAGE
    found = found[:PAGE]
    near = timezone.now() + timedelta(minutes=1)
    return {
        "rows": found,
        "more": found[-1].pk if more else None,
        "state": state,
        "before": before,
        "states": HookState.choices,
        "soon": hook.active and any(row.pending and row.next_attempt_at < near for row in found),
    }


@require_safe
@agent_only
@needs(Right.WEBHOOKS)
def delivery(request: AgentRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(WebhookDelivery.objects.select_related("webhook"), pk=pk)
    return render(
        request,
        "api/settings/delivery.html",
        {**KEY, "row": row, "hook": row.webhook, "hidden": not _sees(request, row), "body": _pretty(row.payload)},
    )


def _sees(request: AgentRequest, row: WebhookDelivery) -> bool:
    """Whether whoever looks may see what this delivery tells: its webhook acts for somebody else, perhaps."""
    if row.event_id is None:
        return True
    event = Event.objects.select_related("ticket").filter(pk=row.event_id).first()
    return event is not None and bool(visible(request.user, [event]))


def _pretty(payload: str) -> str:
    return json.dumps(json.loads(payload), indent=2, ensure_ascii=False) if payload else ""


@require_POST
@agent_only
@needs(Right.WEBHOOKS)
def switch(request: AgentRequest, pk: int) -> HttpResponse:
    on = request.POST.get("on") == "1"
    try:
        actions.switch(get_object_or_404(Webhook, pk=pk), on, by=request.user)
    except ActionError as error:
        messages.error(request, str(error.reason))
    else:
        said = _("The webhook is on.") if on else _("The webhook is off. Nothing is kept for it now.")
        messages.success(request, said)
    return redirect("settings-webhook", pk)


@require_POST
@agent_only
@needs(Right.WEBHOOKS)
def rotate(request: AgentRequest, pk: int) -> HttpResponse:
    hook = get_object_or_404(Webhook, pk=pk)
    told_once.keep(request, _secret_of(hook), actions.rotate(hook, by=request.user))
    return redirect("settings-webhook", pk)


@require_POST
@agent_only
@needs(Right.WEBHOOKS)
def test(request: AgentRequest, pk: int) -> HttpResponse:
    try:
        actions.test(get_object_or_404(Webhook, pk=pk), by=request.user)
    except ActionError as error:
        messages.error(request, str(error.reason))
    else:
        messages.success(request, _("The test is on its way; its outcome shows below."))
    return redirect("settings-webhook", pk)


@require_POST
@agent_only
@needs(Right.WEBHOOKS)
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    actions.delete(get_object_or_404(Webhook, pk=pk), by=request.user)
    messages.success(request, _("The webhook is deleted."))
    return redirect("settings-webhooks")


@require_POST
@agent_only
@needs(Right.WEBHOOKS)
def redeliver(request: AgentRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(WebhookDelivery.objects.select_related("webhook"), pk=pk)
    try:
        actions.redeliver(row, by=request.user)
    except ActionError as error:
        messages.error(request, str(error.reason))
    else:
        messages.success(request, _("It is sent again."))
    return redirect("settings-webhook", row.webhook_id)
