"""`/settings/tokens/`: one's own API tokens; whoever looks after webhooks sees and revokes those of others."""

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from api.actions import tokens as actions
from api.forms import TokenForm
from api.models import ApiToken
from api.serializers.common import address
from inbox import told_once
from inbox.models import Agent
from inbox.rights import Right, may
from inbox.views.shell import AgentRequest, agent_only

MOST = 200


def seen(agent: Agent) -> QuerySet[ApiToken]:
    found = ApiToken.objects.select_related("agent").filter(revoked_at__isnull=True)
    return found if may(agent, Right.WEBHOOKS) else found.filter(agent=agent)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def tokens(request: AgentRequest) -> HttpResponse:
    agent = request.user
    form = TokenForm(agent, request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        _token, secret = actions.create(agent, scope=data["scope"], name=data["name"], by=agent)
        told_once.keep(request, "token", secret)
        return redirect("settings-tokens")
    rows = list(seen(agent).order_by("-pk").filter(Q(agent=agent) | Q(agent__is_active=True))[:MOST])
    shown = {
        "page_key": "tokens",
        "form": form,
        "mine": [row for row in rows if row.agent_id == agent.pk],
        "others": [row for row in rows if row.agent_id != agent.pk],
        "secret": told_once.take(request, "token"),
        "example": address("/api/v1/tickets/"),
    }
    return render(request, "api/settings/tokens.html", shown, status=400 if form.errors else 200)


@require_POST
@agent_only
def revoke(request: AgentRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(seen(request.user), pk=pk)
    actions.revoke(token, by=request.user)
    messages.success(request, _("The token is revoked: nothing gets in with it any more."))
    return redirect("settings-tokens")
