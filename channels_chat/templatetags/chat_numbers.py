"""Figures as people read them: shares in per cent, with their parts, and between what they lie."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from channels_chat.numbers import Share

register = template.Library()


def _per_cent(value: float) -> str:
    return _("%(number)s%%") % {"number": number_format(round(value * 100))}


@register.filter
def per_cent(share: Share) -> str:
    """The share; a dash where there is none."""
    return "–" if share.value is None else _per_cent(share.value)


@register.filter
def between(share: Share) -> str:
    """Between which shares it lies, with 95 % certainty; empty where there is none."""
    found = share.between
    if found is None:
        return ""
    low, high = (number_format(round(one * 100)) for one in found)
    return _("%(low)s–%(high)s%%") % {"low": low, "high": high}


@register.filter
def points(effect: float | None) -> str:
    """A difference of two shares in percentage points, with its sign."""
    if effect is None:
        return "–"
    number = number_format(abs(round(effect * 100)))
    return f"{'−' if round(effect * 100) < 0 else '+'}{number}"
