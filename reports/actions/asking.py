"""Asking: what is due leaves in the channel that the customer used, once, if it still may."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from inbox import locks, log
from inbox.actions import reply
from inbox.actions.errors import ActionError
from inbox.actions.recipients import choose_channel
from inbox.adapters import adapter_for
from inbox.models import Customer, Ticket
from reports.models import Answer, Asking, AskingState, Survey
from reports.surveys import letters, links, reasons, rules, words
from reports.surveys.rules import When

logger = logging.getLogger(__name__)

MOST = 200  # of one round
KEPT = timedelta(days=400)  # that somebody was left out
CODES = {"window_closed": "window_closed", "opted_out": "opted_out", "public": "public", "no_address": "unreachable",
         "merged": "merged", "trashed": "trashed"}  # fmt: skip


def sweep() -> int:
    """Ask whoever is due; returns how many were asked. Each is a transaction of its own, and keeps no other waiting."""
    done, now = 0, timezone.now()
    due = Asking.objects.filter(state=AskingState.WAITING, due_at__lte=now).order_by("due_at", "pk")
    for pk in list(due.values_list("pk", flat=True)[:MOST]):
        try:
            done += ask(pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("the asking %s cannot be decided", pk)  # it is tried again until it is too late
    return done


def ask(pk: int) -> bool:
    """Ask, or note why not. False where nothing leaves, or another worker has it, or its customer."""
    with transaction.atomic():
        rows = Asking.objects.select_for_update(skip_locked=True, of=("self",)).filter(state=AskingState.WAITING, pk=pk)
        asking = rows.select_related("survey").first()
        if asking is None or asking.ticket_id is None or not _alone(asking.customer_id):
            return False
        ticket = Ticket.objects.select_related("customer").get(pk=asking.ticket_id)
        now = timezone.now()
        reason = reasons.to_ask_now(asking, ticket, now)
        if reason == "today" and rules.of(asking.survey).when == When.PERIODIC:
            asking.due_at = now + reasons.A_DAY  # it can wait: no ticket is what it is about
            asking.save(update_fields=["due_at"])
            return False
        if not reason:
            try:
                with transaction.atomic():
                    asking.answer = _write(asking, ticket)
            except ActionError as error:
                reason = CODES.get(error.code, "unreachable")
        asking.state = AskingState.SKIPPED if reason else AskingState.ASKED
        asking.reason, asking.decided_at = reason, now
        asking.save(update_fields=["state", "reason", "decided_at", "answer"])
        return not reason


def _alone(customer: int) -> bool:
    """Whether nobody else asks this customer at this moment: who did would not see how lately we asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [locks.ASKING, customer % 2**31])
        (mine,) = cursor.fetchone()
    return bool(mine)


def _write(asking: Asking, ticket: Ticket) -> Answer:
    """The asking, its message and its line of the log. Raises ActionError."""
    survey = asking.survey
    periodic = rules.of(survey).when == When.PERIODIC
    channel = choose_channel(ticket)[0]
    language = words.language_for(ticket.customer, ticket)
    answer = Answer.objects.create(
        survey=survey,
        ticket=None if periodic else ticket,
        customer=ticket.customer,
        channel=channel,
        language=language,
    )
    with words.speaking(language):
        letter = letters.write(survey, adapter_for(channel.kind), links.token(answer), language)
        subject = words.said(survey, "question", language) if periodic else None
    message = reply.reply(
        ticket,
        by=None,
        channel=channel,
        text=letter.text,
        html=letter.html,
        subject=subject,
        automatic=True,
        signed=False,
        client_id=f"survey:{asking.pk}",
        buttons=letter.buttons,
        even_if_closed=True,
    )
    answer.message = message
    answer.save(update_fields=["message"])
    told = {"answer": answer.pk, "survey": survey.pk, "kind": survey.kind}
    log.record(ticket, "survey_asked", by=None, **told)
    return answer


def plan_periodic() -> int:
    """Note whom surveys are for that no ticket brings up, and who were not asked for long; returns how many."""
    now, count = timezone.now(), 0
    for survey in Survey.objects.filter(active=True, of_chats=False).order_by("pk"):
        chosen = rules.of(survey)
        if chosen.when != When.PERIODIC:
            continue
        period = max(chosen.every, 1)
        key = f"period:{period}:{now.date().toordinal() // period}"
        asked = Answer.objects.filter(
            customer=OuterRef("pk"), survey__kind=survey.kind, asked_at__gt=now - timedelta(days=period)
        )
        planned = Asking.objects.filter(customer=OuterRef("pk"), survey=survey, key__startswith=f"{key}:")
        wrote = Customer.objects.filter(
            Q(merged_into__isnull=True, erased_at__isnull=True), last_seen_at__gt=now - timedelta(days=chosen.days)
        ).filter(~Exists(asked), ~Exists(planned))
        rows = []
        for customer in wrote.order_by(F("last_seen_at").desc())[:MOST]:
            ticket = _latest(customer, chosen)
            reason = "" if ticket is not None else "elsewhere"
            if ticket is not None:
                reason = reasons.of_ticket(ticket) or (
                    "" if reasons.in_sample(survey, f"{key}:{customer.pk}") else "sample"
                )
            rows.append(
                Asking(
                    survey=survey,
                    key=f"{key}:{customer.pk}",
                    ticket=ticket,
                    customer=customer,
                    due_at=now,
                    state=AskingState.SKIPPED if reason else AskingState.WAITING,
                    reason=reason,
                    decided_at=now if reason else None,
                )
            )
        count += len(Asking.objects.bulk_create(rows, ignore_conflicts=True))
    return count


def prune() -> int:
    """Forget who was left out long ago; whoever was asked stays."""
    count = 0
    for survey in Survey.objects.all():
        old = Asking.objects.filter(survey=survey, state=AskingState.SKIPPED, due_at__lt=timezone.now() - KEPT)
        ids = list(old.order_by("due_at").values_list("pk", flat=True)[: MOST * 50])
        count += Asking.objects.filter(pk__in=ids).delete()[0] if ids else 0
    return count


def _latest(customer: Customer, chosen: rules.Rules) -> Ticket | None:
    """The newest ticket of theirs in which they wrote, among those that the survey is for."""
    own = Ticket.objects.current().filter(customer=customer, last_customer_message_at__isnull=False)
    found = own.select_related("customer").order_by("-last_customer_message_at")[:20]
    return next((one for one in found if chosen.concerns(one)), None)
