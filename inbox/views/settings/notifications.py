"""`/settings/notifications/`: what one is told of, and how; which browsers may show it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from inbox import digest, limits, notify, post, push
from inbox.actions import notifications as actions
from inbox.models import NotificationKind, PushSubscription
from inbox.views.shell import AgentRequest, agent_only

WAYS = (
    ("page", gettext_lazy("on the page")),
    ("push", gettext_lazy("in the browser")),
    ("mail", gettext_lazy("by e-mail")),
)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def notifications(request: AgentRequest) -> HttpResponse:
    agent = request.user
    if request.method == "POST":
        often = request.POST.get("digest", "")
        actions.choose(
            agent,
            {kind: request.POST.getlist(f"way-{kind}") for kind in NotificationKind.values},
            often if often in dict(digest.CHOICES) else "hourly",
        )
        messages.success(request, _("Saved."))
        return redirect("settings-notifications")
    chosen = [
        {
            "kind": kind,
            "label": label,
            "ways": [(way, name, way in notify.ways(agent, kind)) for way, name in WAYS],
        }
        for kind, label in NotificationKind.choices
    ]
    context = {
        "page_key": "notifications",
        "kinds": chosen,
        "ways": WAYS,
        "digests": digest.CHOICES,
        "often": digest.often(agent),
        "browsers": PushSubscription.objects.filter(agent=agent).order_by("-pk"),
        "public_key": push.public_key(),
        "may_mail": post.available(),
    }
    return render(request, "settings/account/notifications.html", context)


@require_POST
@agent_only
def test(request: AgentRequest) -> HttpResponse:
    """Send a word to one's own browsers."""
    if not limits.allow(request, "push-test"):
        return limits.too_many(request)
    sent = push.test(request.user)
    if sent:
        messages.success(
            request, ngettext("Sent to %(count)s browser.", "Sent to %(count)s browsers.", sent) % {"count": sent}
        )
    else:
        messages.error(request, _("No browser could be reached. Allow notifications in this one first."))
    return redirect("settings-notifications")


@require_POST
@agent_only
def forget(request: AgentRequest, pk: int) -> HttpResponse:
    """Send nothing to a browser any more."""
    get_object_or_404(PushSubscription, agent=request.user, pk=pk).delete()
    return redirect("settings-notifications")
