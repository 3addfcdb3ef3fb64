"""Surveys: who is asked, once and where they wrote; what an answer does; what is never asked, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from inbox import locks
from inbox.actions import customers, erasing, joining, reply, tickets
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.models import Agent, Channel, Customer, Event, Message, Origin, Participant, Role, Status, Ticket, TicketLink
from reports.actions import answering, asking
from reports.actions import surveys as actions
from reports.models import Answer, Asking, Survey
from reports.surveys import counts, follower, letters, links, reasons, rules, told
from tests.cast import omar, question, sana, support, team, ticket, zoya

__all__ = ["omar", "sana", "support", "team", "ticket", "zoya"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sends(support: Channel) -> None:
    """A mailbox that is able to send."""
    support.settings = {**support.settings, "smtp": {"host": "127.0.0.1", "port": 1}}
    support.save()


def made(kind: str = "csat", **chosen: Any) -> Survey:
    return Survey.objects.create(name=f"After ({kind})", kind=kind, active=True, rules=chosen)


def answered(ticket: Ticket, by: Agent) -> Message:
    ticket.refresh_from_db()
    message = reply.reply(ticket, by=by, text="On its way.", status="solved")
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=timezone.now())
    return message


def heard(after: int = 0) -> int:
    """The follower reads what the log has behind that line; returns the last."""
    events = list(Event.objects.filter(pk__gt=after).select_related("ticket").order_by("pk"))
    follower.hear(events)
    return events[-1].pk if events else after


def asked() -> int:
    """Time passes, and whoever is due is asked."""
    Asking.objects.update(due_at=F("due_at") - timedelta(hours=2))
    return asking.sweep()


@contextmanager
def elsewhere(sql: str, values: list[int]) -> Iterator[None]:
    """Something is done meanwhile on another connection, which is then gone."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(sql, values)
    try:
        yield
    finally:
        other.close()


def why_not() -> list[str]:
    return list(Asking.objects.order_by("pk").values_list("reason", flat=True))


def test_a_solved_ticket_is_asked_about_once_and_one_click_is_an_answer(ticket: Ticket, sana: Agent) -> None:
    survey = made(low=2)
    answered(ticket, sana)
    heard()
    heard()  # a log read again plans nothing anew
    assert asking.sweep() == 0  # not before its time
    assert asked() == 1 and asked() == 0
    answer = Answer.objects.get()
    message = answer.message
    assert message is not None and (message.kind, message.suppress_auto_reply) == ("auto_reply", True)
    assert message.to == [{"name": "Ayesha Khan", "address": "ayesha@example.com"}] and message.cc == []
    assert links.url(answer, 5) in message.text and f'href="{links.url(answer, 1)}"' in message.html
    ticket.refresh_from_db()
    assert ticket.status == Status.SOLVED  # asking opens nothing
    browser, path = Client(), links.url(answer, 4).removeprefix("http://testserver")

    for look in (browser.get, browser.head):  # a scanner
        seen = look(path)
        assert seen.status_code == 200 and "no-store" in seen.headers["Cache-Control"]
        assert "noindex" in seen.headers["X-Robots-Tag"] and not seen.cookies
    shown = browser.get(path).content.decode()
    assert 'value="4" required checked' in shown and "data-chosen" in shown
    answer.refresh_from_db()
    assert answer.answered_at is None and answer.value is None

    assert browser.post(path, {"value": "4"}).status_code == 302
    assert browser.post(path, {"value": "4"}).status_code == 302  # twice does what once does
    answer.refresh_from_db()
    first = answer.answered_at
    assert answer.value == 4 and first is not None
    browser.post(path, {"value": "5"})
    browser.post(path, {"comment": "Quick, \x00and kind"})
    assert browser.post(path, {"value": "9"}).status_code == 422
    answer.refresh_from_db()
    ticket.refresh_from_db()
    assert (answer.value, answer.answered_at, answer.comment, ticket.csat) == (5, first, "Quick, and kind", 5)
    lines = Event.objects.filter(ticket=ticket, kind__startswith="survey_").order_by("pk")
    assert [(one.kind, one.data.get("value"), one.data.get("first"), one.data.get("commented")) for one in lines] == [
        ("survey_asked", None, None, None),
        ("survey_answered", 4, True, None),
        ("survey_changed", 5, False, None),
        ("survey_changed", 5, None, True),
    ]
    assert lines[1].actor_kind == "customer" and lines[1].actor_id == ticket.customer_id
    assert ticket.status == Status.SOLVED and ticket.messages.filter(direction="in").count() == 1
    assert counts.of([survey])[survey.pk].rate == 100

    Answer.objects.update(answered_at=timezone.now() - timedelta(days=15))
    late = browser.post(path, {"value": "1"})
    assert late.status_code == 410 and "over" in late.content.decode()
    assert browser.get("/survey/1-aaaaaaaaaaaaaaaa/").status_code == 404
    assert browser.get(f"/survey/{links.token(answer)[:-1]}/").status_code == 404


def test_what_is_never_asked_about_says_why(ticket: Ticket, support: Channel, sana: Agent) -> None:
    made()

    def other(name: str) -> Ticket:
        return question(support, name, Party("email", f"{name}@example.com", name))

    silent, spam, by_us, robot, imported, reopened = (
        other(one) for one in ("silent", "spam", "ours", "robot", "imported", "reopened")
    )
    tickets.set_status(silent, "solved", by=sana)  # nobody answered
    for one in (spam, by_us, robot, imported, reopened):
        answered(one, sana)
    tickets.set_spam(spam, True, by=sana)
    Ticket.objects.filter(pk=by_us.pk).update(last_customer_message_at=None)
    Message.objects.filter(ticket=robot, direction="in").update(suppress_auto_reply=True)
    Message.objects.filter(ticket=imported, direction="in").update(origin=Origin.IMPORT)
    last = heard()
    tickets.set_status(reopened, "open", by=sana)  # after it was planned, before it was due
    assert asked() == 0
    assert sorted(why_not()) == ["automatic", "imported", "internal", "reopened", "spam", "unanswered"]
    answered(reopened, sana)  # solved anew: that one counts
    heard(last)
    assert asked() == 1
    survey = Survey.objects.get(active=True)
    how = counts.of([survey])[survey.pk]
    assert (how.asked, how.left_out) == (1, 6) and all(words for words, _count in how.skipped)


def test_rules_say_who_how_often_and_how_many(ticket: Ticket, support: Channel, sana: Agent, omar: Agent) -> None:
    made(teams=[10**6])  # is for others: leaves no trace
    made("ces", sample=1, tags=["vip"])
    survey = made(every=30)
    tickets.set_tags(ticket, ["vip"], by=sana)
    answered(ticket, sana)
    last = heard()
    assert {row.survey_id for row in Asking.objects.all()} <= {
        survey.pk,
        Survey.objects.get(kind="ces", active=True).pk,
    }
    Asking.objects.exclude(survey=survey).delete()
    with elsewhere("SELECT pg_advisory_lock(%s, %s)", [locks.ASKING, ticket.customer_id]):
        assert asked() == 0  # another worker asks the same customer: it may be too often when that one is done
    assert asked() == 1
    again = question(support, "Again")
    answered(again, omar)
    last = heard(last)
    assert asked() == 0 and Asking.objects.get(ticket=again).reason == "often"
    Answer.objects.update(asked_at=timezone.now() - timedelta(days=31))
    third = question(support, "And again")
    Customer.objects.update(opt_outs=["email"])
    answered(third, sana)
    last = heard(last)
    assert asked() == 0 and Asking.objects.get(ticket=third).reason == "opted_out"
    Customer.objects.update(opt_outs=[])
    fourth = question(support, "Still")
    answered(fourth, sana)
    heard(last)
    Survey.objects.update(active=False)
    assert asked() == 0 and Asking.objects.get(ticket=fourth).reason == "off"
    assert set(reasons.REASONS) >= set(why_not()) - {""}


def test_an_asking_that_breaks_keeps_no_other_waiting(
    ticket: Ticket, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = made("ces", every=0)
    made()
    answered(ticket, sana)
    heard()
    decide = reasons.to_ask_now
    monkeypatch.setattr(
        reasons, "to_ask_now", lambda one, *more: 1 / 0 if one.survey_id == broken.pk else decide(one, *more)
    )
    assert asked() == 1 and Asking.objects.get(survey=broken).state == "waiting"


def test_a_bad_answer_opens_the_ticket_and_tells_the_lead_once(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    made(low=2, reopen=True, tell=omar.pk, assign=True)
    answered(ticket, sana)
    heard()
    asked()
    answer = answering.give(Answer.objects.get(), 1)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.reopen_count) == (Status.OPEN, omar, 1)
    note = ticket.messages.get(direction="note")
    assert "1 of 5" in note.text and [one.agent for one in note.mentions.all()] == [omar]
    tickets.set_status(ticket, "solved", by=sana)
    answering.give(answer, 2)
    ticket.refresh_from_db()
    assert ticket.status == Status.SOLVED and ticket.messages.filter(direction="note").count() == 1
    answering.add_words(answer, "It took a week.", {})  # typed after the click, as on the page
    answering.add_words(answer, "It took a week!", {})
    words = ticket.messages.filter(direction="note").latest("pk")
    assert "It took a week." in words.text and ticket.messages.filter(direction="note").count() == 2


def test_a_no_some_days_later_opens_it_again_or_a_follow_up_of_what_is_closed(
    ticket: Ticket, support: Channel, sana: Agent
) -> None:
    made("solved", when="later", days=2, low=0, reopen=True, every=0)
    answered(ticket, sana)
    last = heard()
    assert asked() == 0
    Asking.objects.update(due_at=timezone.now())
    assert asking.sweep() == 1
    answer = Answer.objects.get()
    assert answer.message is not None and "Yes" in answer.message.text
    answering.give(answer, 0)
    ticket.refresh_from_db()
    assert ticket.status == Status.OPEN

    answered(ticket, sana)
    heard(last)
    tickets.set_status(ticket, "closed", by=sana)
    Answer.objects.update(asked_at=timezone.now() - timedelta(days=1))
    Asking.objects.update(due_at=timezone.now())
    assert asking.sweep() == 1  # a closed ticket can be asked about, and stays closed
    answering.give(Answer.objects.latest("pk"), 0)
    ticket.refresh_from_db()
    link = TicketLink.objects.get(target=ticket)
    assert ticket.status == Status.CLOSED and link.source.status == Status.OPEN
    assert [one.identity.value for one in Participant.objects.filter(ticket=link.source)] == ["ayesha@example.com"]


def test_whom_no_ticket_brings_up_is_asked_now_and_then(ticket: Ticket, sana: Agent) -> None:
    made("nps", when="periodic", days=90, every=180, low=6)
    answered(ticket, sana)
    assert asking.plan_periodic() == 1 and asking.plan_periodic() == 0
    assert asked() == 1
    answer = Answer.objects.get()
    assert answer.ticket is None and answer.message is not None and "recommend" in answer.message.subject
    answering.give(answer, 10)
    ticket.refresh_from_db()
    assert ticket.csat is None
    assert Event.objects.get(kind="survey_answered").data["kind"] == "nps"
    Asking.objects.all().delete()
    assert asking.plan_periodic() == 0  # for half a year


def test_two_questions_do_not_come_on_one_day(ticket: Ticket, sana: Agent) -> None:
    made("csat", delay=1)
    made("ces", delay=2)
    made("nps", when="periodic", days=90, every=180)
    answered(ticket, sana)
    heard()
    assert asking.plan_periodic() == 1
    Asking.objects.exclude(survey__kind="nps").update(due_at=F("due_at") - timedelta(hours=2))
    assert asking.sweep() == 1
    assert [one.survey.kind for one in Answer.objects.all()] == ["csat"]
    left_out = Asking.objects.get(survey__kind="ces")
    later = Asking.objects.get(survey__kind="nps")  # it is about no ticket, and can wait
    assert (left_out.state, left_out.reason, later.state) == ("skipped", "today", "waiting")
    assert later.due_at > timezone.now() + timedelta(hours=20)
    Answer.objects.update(asked_at=timezone.now() - timedelta(days=2))
    Asking.objects.filter(pk=later.pk).update(due_at=timezone.now())
    assert asking.sweep() == 1 and Answer.objects.latest("pk").survey.kind == "nps"


def sana_as_manager(sana: Agent) -> Agent:
    sana.role = Role.MANAGER
    sana.save()
    return sana


def test_only_customers_answer(ticket: Ticket, sana: Agent, settings: Any) -> None:
    said = Answer.objects.create(survey=made("csat"), ticket=ticket, customer=ticket.customer)
    browser, path = Client(), links.url(said).removeprefix("http://testserver")
    browser.force_login(sana)
    settings.DEMO = False
    refused = browser.post(path, {"value": "5"})
    said.refresh_from_db()
    assert refused.status_code == 403 and "only customers" in refused.content.decode() and said.value is None
    browser.logout()
    assert browser.post(path, {"value": "5"}).status_code == 302


def test_further_questions_and_closed_and_open_ones(ticket: Ticket, sana: Agent) -> None:
    Customer.objects.update(language="ur")
    survey = made("choice")
    survey.choices = [{"en": "Price", "ur": "قیمت"}, {"en": "Speed"}]
    survey.texts = {"ur": {"question": "کیا اہم ہے؟"}}
    survey.further = [
        {"key": "q0", "kind": "choice", "when": "all", "text": {"en": "Else?"}, "choices": [{"en": "A"}, {"en": "B"}]},
        {"key": "q1", "kind": "open", "when": "high", "text": {"en": "Why?"}},
    ]
    survey.save()
    answered(ticket, sana)
    heard()
    asked()
    answer = Answer.objects.get()
    assert answer.language == "ur" and answer.message is not None
    assert "کیا اہم ہے؟" in answer.message.text and "قیمت" in answer.message.text and "Speed" in answer.message.text
    browser, path = Client(), links.url(answer).removeprefix("http://testserver")
    page = browser.get(path).content.decode()
    assert 'dir="rtl"' in page and 'lang="ur"' in page and "Else?" not in page
    browser.post(path, {"value": "1"})
    assert "Else?" in browser.get(path).content.decode()
    browser.post(path, {"comment": "", "further.q0": "1", "further.q1": "no such question", "further.x": "?"})
    answer.refresh_from_db()
    assert (answer.value, answer.further) == (1, {"q0": 1})
    assert browser.post(path, {"comment": "", "further.q0": "1" * 4500}).status_code == 302  # no number at all

    turned = [{"en": "Speed"}, {"en": "Price", "ur": "قیمت"}]
    for choices in (turned, survey.choices[:1]):
        with pytest.raises(ActionError, match="in order"):
            actions.update(survey, by=sana_as_manager(sana), choices=choices)
    more = [{"en": "The price", "ur": "قیمت"}, {"en": "Speed"}, {"en": "Else"}]
    assert actions.update(survey, by=sana, choices=more).choices == more

    free = Survey.objects.create(name="Free", kind="open")
    said = Answer.objects.create(survey=free, ticket=ticket, customer=ticket.customer)
    browser.post(links.url(said).removeprefix("http://testserver"), {"comment": "All well."})
    said.refresh_from_db()
    assert said.answered_at is not None and said.value is None and said.comment == "All well."


def test_what_fails_to_leave_was_asked_in_vain(ticket: Ticket, sana: Agent) -> None:
    made()
    answered(ticket, sana)
    heard()
    asked()
    message = Answer.objects.get().message
    last = Event.objects.latest("pk").pk
    Event.objects.create(ticket=ticket, kind="message_failed", data={"message": message.pk})
    heard(last)
    assert Answer.objects.get().failed_at is not None
    assert Event.objects.filter(kind="survey_failed").count() == 1
    answering.give(Answer.objects.get(), 3)  # it came through after all
    assert Answer.objects.get().failed_at is None


def test_answers_follow_their_customer_and_forget_their_words(ticket: Ticket, support: Channel, sana: Agent) -> None:
    survey = made()
    answer = Answer.objects.create(survey=survey, ticket=ticket, customer=ticket.customer, value=1, comment="Ayesha!")
    into = customers.ensure_identity(Party("email", "khan@example.com", "A. Khan")).customer
    joining.merge(ticket.customer, into, by=sana)
    answer.refresh_from_db()
    assert answer.customer == into
    beside = told.of_ticket(sana, ticket)
    assert beside[0]["comment"] == "Ayesha!" and str(beside.query).count(" JOIN ") == 1  # its tickets are not joined
    answer.further = {"q0": "Ayesha"}
    answer.save()
    erasing.erase(into, by=sana)
    answer.refresh_from_db()
    assert (answer.value, answer.comment, answer.further) == (1, "", {})
    assert Client().get(links.url(answer).removeprefix("http://testserver")).status_code == 410


def test_each_kind_of_channel_asks_as_it_can() -> None:
    from inbox.adapters import kinds

    known = kinds()
    survey = Survey(kind="nps")
    assert letters.write(survey, known["sms"], "t", "en").text.endswith("/survey/t/")
    assert letters.write(survey, known["whatsapp"], "t", "en").buttons is None  # takes ten at most: a link
    for kind, one in (("telegram", survey), ("facebook", survey), ("whatsapp", Survey(kind="csat")),
                      ("chat", Survey(kind="csat", look="stars"))):  # fmt: skip
        letter = letters.write(one, known[kind], "t", "en")
        assert letter.buttons is not None and "http" not in letter.text, kind
        assert all(len(label) <= 20 for _key, label in letter.buttons.shown)


def test_the_settings_make_change_switch_and_show(zoya: Agent, sana: Agent, support: Channel, ticket: Ticket) -> None:
    browser = Client()
    browser.force_login(sana)
    assert browser.get("/settings/surveys/").status_code == 403
    browser.force_login(zoya)
    Survey.objects.create(name="Satisfaction after a ticket", kind="csat")
    listed = browser.get("/settings/surveys/").content.decode()
    assert "Satisfaction after a ticket" in listed
    for kind in ("csat", "nps", "ces", "solved", "choice", "open"):
        assert browser.get(f"/settings/surveys/new/{kind}/").status_code == 200
    assert browser.get("/settings/surveys/new/nothing/").status_code == 404
    form = {
        "name": "How was it?", "look": "stars", "when": "solved", "delay": "5", "days": "2", "every": "10",
        "sample": "50", "expires": "20", "low": "2", "reopen": "on", "channels": [str(support.pk)], "tags": "vip, loud",
        "question_en": "Well?", "more_kind_0": "choice", "more_text_0_en": "Why?", "more_choices_0_en": "A\nB\n\n",
        "review_from": "5", "review_url": "https://reviews.example/shop",
    }  # fmt: skip
    wrong = browser.post("/settings/surveys/new/csat/", {**form, "low": "7"})
    assert wrong.status_code == 200 and "from 1 to 5" in wrong.content.decode()
    browser.post("/settings/surveys/new/csat/", form)
    survey = Survey.objects.get(name="How was it?")
    chosen = rules.of(survey)
    assert (chosen.channels, chosen.tags, chosen.delay, chosen.sample) == ((support.pk,), ("vip", "loud"), 5, 50)
    assert survey.further[0]["choices"] == [{"en": "A"}, {"en": "B"}] and not survey.active
    shown = browser.get(f"/settings/surveys/{survey.pk}/").content.decode()
    assert "Well?" in shown and "★★★★★" in shown
    preview = browser.post("/settings/surveys/preview/", {**form, "kind": "csat", "question_en": "Really?"})
    assert "Really?" in preview.content.decode()
    browser.post(f"/settings/surveys/{survey.pk}/switch/", {"active": "on"})
    browser.post(f"/settings/surveys/{survey.pk}/", {**form, "name": "How was that?"})
    survey.refresh_from_db()
    assert survey.active and survey.name == "How was that?"
    kinds = [one.kind for one in Event.objects.filter(data__survey=survey.pk).order_by("pk")]
    assert kinds == ["survey_created", "survey_switched_on", "survey_edited"]
    assert "switched the survey" in browser.get("/settings/audit/").content.decode()
    Answer.objects.create(survey=survey, ticket=ticket, customer=ticket.customer, value=2, answered_at=timezone.now())
    browser.post(f"/settings/surveys/{survey.pk}/delete/")
    assert Survey.objects.filter(pk=survey.pk).exists()
    page = browser.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "How was that?" in page and "2 of 5" in page
    journey = browser.get(f"/customers/{ticket.customer_id}/journey/")
    assert "How was that?" in (journey.content.decode() if journey.status_code == 200 else page)
    fresh = actions.create("open", by=zoya, name="Gone soon")
    browser.post(f"/settings/surveys/{fresh.pk}/delete/")
    assert not Survey.objects.filter(pk=fresh.pk).exists()
