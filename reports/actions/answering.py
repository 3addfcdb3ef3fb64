"""Answers: what a customer says to a survey, by link, by button or to a chat; said anew, it replaces what was said.

An answer is no message: it waits for nobody, and opens nothing but by the rules of its survey.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, reply
from inbox.actions.errors import ActionError
from inbox.models import ActorKind, Engagement, Event, Message, Ticket
from reports.actions import following_up
from reports.models import Answer, Survey, SurveyKind
from reports.surveys import letters, links, scales, words

LONGEST_COMMENT = 5000
MERGE_HOPS = 20


def give(answer: Answer, value: int, *, at: datetime | None = None) -> Answer:
    """This value, instead of any before. Raises ActionError where it is too late, or no answer to that."""
    with transaction.atomic():
        ticket, row = _locked(answer)
        if value not in scales.values(row.survey):
            raise ActionError(_("Choose one of the answers."), "value")
        _check_open(row)
        _stand(row, ticket, value, at=at or timezone.now())
        return row


def add_words(answer: Answer, comment: str, further: Mapping[str, Any]) -> Answer:
    """What they write beside it, and what they answer to the questions that follow. To an open question it is the
    answer. Raises ActionError where it is too late.
    """
    said = comment.replace("\x00", "").strip()[:LONGEST_COMMENT]
    with transaction.atomic():
        ticket, row = _locked(answer)
        _check_open(row)
        more = {**row.further, **_checked(row, further)}
        if (row.comment, row.further) == (said, more):
            return row
        added = said and not row.comment
        row.comment, row.further = said, more
        row.save(update_fields=["comment", "further"])
        if row.survey.kind == SurveyKind.OPEN:
            if said:
                _stand(row, ticket, None, at=timezone.now())
        elif row.answered_at is not None:
            _tell(row, ticket, "survey_changed", commented=True)
        if added and ticket is not None:
            following_up.add_words(row, ticket)
        return row


def pressed(message: Message, key: str, at: datetime) -> None:
    """A button below the message that asked: the answer is given, and the first time there is a word of thanks."""
    answer = Answer.objects.filter(message=message).select_related("survey", "customer").first()
    if answer is None or not key.startswith("v") or not key[1:].isdecimal():
        return
    first = answer.answered_at is None
    try:
        answer = give(answer, int(key[1:]), at=at)
    except ActionError:
        return  # its time is over: the buttons stay below the message for ever
    if first:
        _thank(answer, message)


def rated(ticket: Ticket, engagement: int, score: int, comment: str) -> None:
    """A visitor rated a chat by themselves: that is an asking and its answer in one; in the chat's transaction."""
    survey, _made = Survey.objects.get_or_create(
        of_chats=True, defaults={"name": "Live chat", "kind": SurveyKind.CSAT, "active": True}
    )
    now = timezone.now()
    answer, _new = Answer.objects.get_or_create(
        engagement=engagement,
        defaults={
            "survey": survey,
            "ticket": ticket,
            "customer_id": ticket.customer_id,
            "channel_id": Engagement.objects.filter(pk=engagement).values_list("channel", flat=True).first(),
            "unasked": True,
            "asked_at": now,
        },
    )
    row = Answer.objects.select_for_update(of=("self",)).select_related("survey", "customer").get(pk=answer.pk)
    if row.comment != comment:
        row.comment = comment
        row.save(update_fields=["comment"])
        if row.value == score:
            _tell(row, ticket, "survey_changed", commented=True)
    _stand(row, ticket, score, at=now)


def rated_before(event: Event) -> None:
    """A chat's rating of the log that no answer is kept of: it was given before there were any."""
    engagement, score = event.data.get("engagement"), event.data.get("score")
    if event.ticket is None or not isinstance(engagement, int) or score not in range(1, 6):
        return
    survey, _made = Survey.objects.get_or_create(
        of_chats=True, defaults={"name": "Live chat", "kind": SurveyKind.CSAT, "active": True}
    )
    answer, new = Answer.objects.get_or_create(
        engagement=engagement,
        defaults={
            "survey": survey,
            "ticket": event.ticket,
            "customer_id": event.ticket.customer_id,
            "channel_id": Engagement.objects.filter(pk=engagement).values_list("channel", flat=True).first(),
            "unasked": True,
            "asked_at": event.at,
            "answered_at": event.at,
            "changed_at": event.at,
            "value": score,
        },
    )
    if new or (answer.changed_at and answer.changed_at < event.at):
        answer.value, answer.changed_at = score, event.at
        answer.save(update_fields=["value", "changed_at"])
        _tell(answer, event.ticket, "survey_answered" if new else "survey_changed", first=new)


@transaction.atomic
def reached(answer: Answer, *, failed: bool, at: datetime) -> None:
    """Whether the message that asks has come to nothing; an answer shows that it arrived."""
    _ticket, answer = _locked(answer)
    if failed == (answer.failed_at is not None) or (failed and answer.answered_at is not None):
        return
    answer.failed_at = at if failed else None
    answer.save(update_fields=["failed_at"])
    ticket = answer.ticket or (answer.message.ticket if answer.message is not None else None)
    if ticket is None:
        return  # nothing is left of what asked
    log.record(ticket, "survey_failed" if failed else "survey_changed", answer=answer.pk, reached=not failed)


def _locked(answer: Answer) -> tuple[Ticket | None, Answer]:
    """The ticket it is about (where that was merged, the one it is in now) and then the answer, both locked."""
    ticket = _home(answer.ticket or (answer.message.ticket if answer.message is not None else None))
    if ticket is not None:
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=ticket.pk)
    rows = Answer.objects.select_for_update(of=("self",)).select_related("survey", "customer")
    return ticket, rows.get(pk=answer.pk)


def _home(ticket: Ticket | None) -> Ticket | None:
    for _hop in range(MERGE_HOPS):
        if ticket is None or ticket.merged_into is None:
            break
        ticket = ticket.merged_into
    return ticket


def _check_open(answer: Answer) -> None:
    if not links.is_open(answer):
        raise ActionError(_("It is too late to answer this."), "late")


def _stand(row: Answer, ticket: Ticket | None, value: int | None, *, at: datetime) -> None:
    """Let this value stand; the same again changes nothing."""
    first = row.answered_at is None
    if not first and row.value == value:
        return
    row.value, row.changed_at = value, at
    row.answered_at = row.answered_at or at
    row.failed_at = None  # whoever answers was reached
    row.save(update_fields=["value", "changed_at", "answered_at", "failed_at"])
    if row.survey.kind == SurveyKind.CSAT and ticket is not None and row.ticket_id is not None:
        ticket.csat = value
        base.save(ticket, "csat")
    _tell(row, ticket, "survey_answered" if first else "survey_changed", first=first)
    if value is not None and ticket is not None:
        following_up.act(row, ticket, value)


def _tell(row: Answer, ticket: Ticket | None, kind: str, **more: Any) -> None:
    """A line of the log in the name of the customer."""
    told = {"answer": row.pk, "survey": row.survey_id, "kind": row.survey.kind, "value": row.value, **more}
    if row.unasked:
        told["unasked"] = True
    if ticket is None:
        return  # nothing is left of what asked: what they say stands in the answer alone
    log.line(ticket, kind, actor=(ActorKind.CUSTOMER, row.customer_id), **told).save(force_insert=True)
    base.announce([ticket.pk])


def _checked(row: Answer, further: Mapping[str, Any]) -> dict[str, Any]:
    """Of what was posted, what answers one of the further questions."""
    kept: dict[str, Any] = {}
    for one in words.further(row.survey, row.value, row.language):
        said = str(further.get(str(one["key"]), "")).replace("\x00", "").strip()[:LONGEST_COMMENT]
        choices = one["choices"]
        if one["kind"] == "choice" and isinstance(choices, list):
            if said.isascii() and said.isdecimal() and len(said) < 4 and int(said) < len(choices):
                kept[str(one["key"])] = int(said)
        elif said or one["key"] in row.further:
            kept[str(one["key"])] = said
    return kept


def _thank(answer: Answer, message: Message) -> None:
    """A word of thanks where they pressed, and where to say more. Where it cannot leave, they have their answer."""
    with words.speaking(answer.language):
        text = letters.thanks(answer.survey, answer.value, links.token(answer), answer.language)
    try:
        with transaction.atomic():
            reply.reply(
                message.ticket,
                by=None,
                channel=message.channel,
                text=text,
                to=list(message.to),
                automatic=True,
                signed=False,
                client_id=f"survey-thanks:{answer.pk}",
                even_if_closed=True,
            )
    except ActionError:
        return
