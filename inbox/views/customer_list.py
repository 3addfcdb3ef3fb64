"""`/customers/`: everybody who writes to us, filtered and put in order; and a new one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import access, kept
from inbox.actions import customers as actions
from inbox.actions import keeping
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.customer_forms import CustomerForm, languages
from inbox.customer_lists import SEEN, CustomerListing, offered
from inbox.models import SavedView
from inbox.models.base import Stage
from inbox.rights import Right, may
from inbox.views.shell import AgentRequest, agent_only, wants_part

MOST_VIEWS = 30


@require_safe
@agent_only
def index(request: AgentRequest) -> HttpResponse:
    """The page; for htmx what was found, or with `before` just the next rows."""
    listing = CustomerListing(request.user, request.GET)
    before = request.GET.get("before", "")
    page = listing.page(before)
    if wants_part(request) and before:
        return render(request, "inbox/_customer_rows.html", {"page": page})
    context: dict[str, Any] = {"listing": listing, "page": page}
    if wants_part(request):
        response = render(request, "inbox/_customer_found.html", context)
        response["HX-Replace-Url"] = listing.url
        return response
    return render(request, "inbox/customers.html", {**context, **_choices(request, listing)})


def _choices(request: AgentRequest, listing: CustomerListing) -> dict[str, Any]:
    views = kept.views(request.user, "customers")[:MOST_VIEWS]
    return {
        "views": [{"view": one, "current": one.query == listing.query, "may_forget": kept.may_change(request.user, one),
                   "shared": one.owner_id is None,
                   "url": CustomerListing(request.user, one.query).url} for one in views],
        **offered(listing),
        "stages": Stage.choices,
        "seen_choices": SEEN.items(),
        "languages": languages(),
        "may_edit": request.user.may_write,
        "sharing": kept.for_whom(request.user) if may(request.user, Right.SHARE) else [],
    }  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def new(request: AgentRequest) -> HttpResponse:
    """The form of a new customer; posted, the customer."""
    if not request.user.may_write:
        raise PermissionDenied
    form = CustomerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        given = [Party(kind, data[kind], data["name"]) for kind in ("email", "phone") if data[kind]]
        try:
            made = actions.create(by=request.user, identities=given, name=data["name"])
            return redirect("customer", made.pk)
        except ActionError as error:
            form.add_error(None, str(error))
    return render(request, "inbox/customer_new.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@agent_only
def keep(request: AgentRequest) -> HttpResponse:
    """Keep the filter as a view: one's own, or, by who may share, a team's or everybody's."""
    listing = CustomerListing(request.user, request.POST)
    name = " ".join(request.POST.get("name", "").replace("\0", " ").split())[:120]
    whom = kept.fields_for(request.user, request.POST.get("view-for", "me"))
    if not name or whom is None:
        messages.error(request, _("Give the view a name.") if whom else _("You cannot keep a view for them."))
    else:
        keeping.create(SavedView, by=request.user, noun="customers", name=name, query=listing.query, **whom)
    return redirect(listing.url)


@require_POST
@agent_only
def forget(request: AgentRequest, pk: int) -> HttpResponse:
    """Take a view away."""
    keeping.delete(access.get_kept(SavedView, request.user, pk), by=request.user)
    return redirect("customers")
