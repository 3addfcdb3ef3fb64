"""What the screens of customers show of their worth: beside a conversation, on their page, in their list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from inbox import additions, audit, customer_lists, panel, preferences, tray
from inbox.actions import joining
from inbox.models import Agent, Customer, Job, JobKind, Ticket
from inbox.rights import Right
from lib import money
from reports.models import CustomerValue, Revenue, RevenueImport
from reports.worth.terms import terms

if TYPE_CHECKING:
    from inbox.additions import Piece, Rows
    from inbox.customer_lists import Found


def worth(agent: Agent, customer: Customer, ticket: Ticket | None) -> QuerySet[Revenue, Any]:
    """One row: what they paid in all, how often, since when, when last. None where nothing is known."""
    found = Revenue.objects.filter(customer=customer).order_by().values("currency")
    return found.annotate(total=Sum("amount"), orders=Count("pk"), first=Min("at"), last=Max("at"))[:1]


@additions.customer
def shown(agent: Agent, customer: Customer, rows: Rows) -> Piece | None:
    found = rows.get("worth") or ()
    if not found:
        return None
    row = found[0]
    return additions.Piece(
        "reports/worth/_value.html", {**row, "total": money.words(row["total"], row["currency"]), "id": customer.pk}
    )


def _at_least(text: str) -> int | None:
    try:
        return money.minor(text, terms().currency)
    except ValueError:
        return None


def _narrowed(found: Found, value: str) -> Found:
    least = _at_least(value)
    return found.none() if least is None else found.filter(worth__total__gte=least)


def _said(value: str) -> str:
    least = _at_least(value)
    return value if least is None else _("at least %(amount)s") % {"amount": money.words(least, terms().currency)}


def _there() -> bool:
    return CustomerValue.objects.exists()


def _ended(job: Job) -> tray.Said:
    row = RevenueImport.objects.filter(job=job).first()
    parts = [job.error]
    if row is not None and (row.finished_at or not job.error):
        parts.append(ngettext("%(count)s row is new.", "%(count)s rows are new.", row.added) % {"count": row.added})
        if row.known:
            known = ngettext("%(count)s was there already.", "%(count)s were there already.", row.known)
            parts.append(known % {"count": row.known})
        if row.refused:
            refused = ngettext("%(count)s left out.", "%(count)s left out.", row.refused)
            parts.append(refused % {"count": row.refused})
    url = reverse("settings-revenue-import", args=[row.pk]) if row is not None else ""
    return tray.Said(" ".join(part for part in parts if part), url)


def register() -> None:
    panel.register_customer("worth", worth)
    joining.carry("revenue", Revenue)
    customer_lists.offer_filter(
        "worth",
        customer_lists.Filter(gettext_lazy("Revenue of at least"), _narrowed, _said, lambda: terms().currency, _there),
    )
    customer_lists.offer_sort("worth", customer_lists.Sort(gettext_lazy("Most revenue"), "worth__total", _there))
    tray.says(JobKind.IMPORT, _ended)
    audit.says("revenue_added", gettext_lazy("%(count)s rows of revenue came in from %(source)s, by %(who)s"))
    audit.says("revenue_dropped", gettext_lazy("%(who)s took %(count)s rows of revenue back"))
    audit.says("revenue_terms_changed", gettext_lazy("%(who)s changed what revenue means: %(fields)s"))
    preferences.register(
        preferences.Page(
            "revenue",
            gettext_lazy("Revenue"),
            "cart",
            "settings-revenue",
            preferences.ORGANISATION,
            65,
            Right.REPORTS,
            gettext_lazy("What customers paid: import it, and say who counts as a customer."),
        )
    )
