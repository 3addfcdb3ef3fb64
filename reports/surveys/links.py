"""Addresses of surveys: signed, so that nobody can guess one, and good for as long as the asking is open."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from lib import signing
from reports.models import Answer
from reports.surveys import rules

PURPOSE = "survey"
CHANGES_FOR = timedelta(days=14)  # after the first answer another one may take its place


def token(answer: Answer) -> str:
    return f"{answer.pk}-{signing.sign(PURPOSE, str(answer.pk))}"


def url(answer: Answer, value: int | None = None) -> str:
    """Where it is answered; with a value, that one is chosen there already. Opening it counts as nothing."""
    return address(token(answer), value)


def address(token: str, value: int | None = None) -> str:
    path = settings.BASE_URL.rstrip("/") + reverse("survey", args=[token])
    return path if value is None else f"{path}?v={value}"


def find(token: str) -> Answer | None:
    """The asking of this token; None for one that is none of ours."""
    number, _dash, signature = token.partition("-")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    if not signing.verify(PURPOSE, number, signature):
        return None
    return Answer.objects.select_related("survey", "customer", "channel__brand").filter(pk=int(number)).first()


def closes_at(answer: Answer) -> datetime:
    """Until when it can be answered, or the answer changed."""
    if answer.answered_at is not None:
        return answer.answered_at + CHANGES_FOR
    return answer.asked_at + timedelta(days=rules.of(answer.survey).expires)


def is_open(answer: Answer) -> bool:
    """Nobody is asked any more who was erased."""
    return timezone.now() < closes_at(answer) and answer.customer.erased_at is None
