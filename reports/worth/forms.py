"""What the page of revenue is sent, checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lib import money
from reports.worth.terms import Terms


class TermsForm(forms.Form):
    currency = forms.CharField(
        label=gettext_lazy("Currency"), max_length=3, help_text=gettext_lazy("Three letters: EUR, PKR, USD.")
    )
    days = forms.IntegerField(
        label=gettext_lazy("A customer is who paid within so many days"), min_value=7, max_value=3650
    )
    margin = forms.DecimalField(
        label=gettext_lazy("Margin in per cent"),
        required=False,
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
        help_text=gettext_lazy("What of a hundred is left when everything is paid. Without it no lifetime value."),
    )
    orders = forms.BooleanField(label=gettext_lazy("Orders told by other systems count as revenue"), required=False)
    order_kind = forms.CharField(
        label=gettext_lazy("Kind of these events"), max_length=60, required=False, empty_value="order"
    )
    amount_key = forms.CharField(
        label=gettext_lazy("Where they say the amount"), max_length=60, required=False, empty_value="total"
    )

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).upper()
        if not money.is_currency(code):
            raise forms.ValidationError(_("Three letters: EUR, PKR, USD."))
        return code

    @staticmethod
    def initial_of(found: Terms) -> dict[str, Any]:
        return {**found.value, "margin": None if found.margin is None else round(100 * found.margin, 2)}

    def chosen(self) -> Terms:
        data = dict(self.cleaned_data)
        margin = data.pop("margin")
        return Terms(margin=None if margin is None else float(margin) / 100, **data)


class UploadForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt"}))


def mapping(data: Any, headings: int, roles: tuple[str, ...], before: dict[str, Any]) -> dict[str, Any]:
    """What was chosen of columns, order of dates and source; what was not said stays as before."""
    columns = dict(before["columns"])
    for role in roles:
        if role in data:
            columns.pop(role, None)
            said = data[role]
            if said.isascii() and said.isdigit() and len(said) < 4 and int(said) < headings:
                columns[role] = int(said)
    order = data.get("order", before["order"])
    source = " ".join(str(data.get("source", before.get("source", ""))).replace("\0", "").split())[:40]
    return {"columns": columns, "order": order if order in {"dmy", "mdy"} else "dmy", "source": source}
