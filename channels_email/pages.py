"""What the buttons of a mailbox's page bring: the way back, the count of the mailbox, the sending domain."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from channels_email import audit, checks, domain, lookups, screens
from inbox import access
from inbox.models import Channel
from inbox.rights import Right, needs
from inbox.views.settings.channels import answer
from inbox.views.shell import AgentRequest, agent_only


def _mailbox(request: AgentRequest, slug: str) -> Channel:
    found = access.channels(request.user).filter(slug=slug, kind="email").first()
    if found is None:
        raise Http404
    return found


@require_POST
@agent_only
@needs(Right.CARE)
def way_back(request: AgentRequest, slug: str) -> HttpResponse:
    """Send a test mail to the mailbox itself and say whether it came back."""
    channel = _mailbox(request, slug)
    lines = checks.way_back(channel)
    return answer(request, channel, "settings/channels/_checks.html", {"lines": lines}, _("Test the way back"))


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CARE)
def count(request: AgentRequest, slug: str) -> HttpResponse:
    """The newest count of the mailbox; POST begins one."""
    channel = _mailbox(request, slug)
    row = audit.start(channel, by=request.user) if request.method == "POST" else audit.latest(channel)
    return answer(request, channel, "channels_email/_audit.html", {"audit": row}, _("Completeness"))


@require_safe
@agent_only
@needs(Right.CARE)
def sending_domain(request: AgentRequest, slug: str) -> HttpResponse:
    """SPF, DKIM and DMARC of the channel's address; `selector` is where its DKIM key lies."""
    channel = _mailbox(request, slug)
    selector = request.GET.get("selector", "").strip().lower()[:100]
    host = str((channel.settings.get("smtp") or {}).get("host", ""))
    seen = screens.seen_signatures(channel)
    found = domain.examine(screens.address(channel), host, lookups.Dns(), selector=selector, seen=seen)
    shown = {"findings": found, "selector": selector}
    return answer(request, channel, "channels_email/_domain.html", shown, _("Sending domain"))
