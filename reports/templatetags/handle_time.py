"""Seconds as a clock shows them."""

from django import template

register = template.Library()


@register.filter
def stopwatch(seconds: float) -> str:
    """0:42, 5:09, 1:05:09."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
