"""Dates and times in Urdu, as `Intl.DateTimeFormat` writes them with 24 hours: Django has none of its own."""

DATE_FORMAT = "j F، Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F، Y، H:i"
SHORT_DATE_FORMAT = "j F، Y"
SHORT_DATETIME_FORMAT = "j F، Y، H:i"
