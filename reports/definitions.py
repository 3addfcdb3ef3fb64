"""What each figure is, in words: “How is this computed?” on every screen, and docs/kpis.md letter by letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Better = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Definition:
    """`unit` is how the value is written: seconds, ratio, score, count or money; `better` is which way is good news."""

    title: StrOrPromise
    unit: str
    text: StrOrPromise
    better: Better | None = None


DEFINITIONS: dict[str, Definition] = {
    "first_response": Definition(
        _("First response"),
        "seconds",
        _(
            "From a customer’s first message to the first answer that a person wrote; where a bot had the ticket, from "
            "the hand-off. Automatic answers do not count, nor does one that failed or bounced. The day is that of the "
            "answer."
        ),
        "down",
    ),
    "first_wait": Definition(
        _("First response, with the bot’s time"),
        "seconds",
        _("The same, but always from the customer’s first message: what they waited in all for a person."),
        "down",
    ),
    "response": Definition(
        _("Response"),
        "seconds",
        _(
            "From the first of a customer’s messages that wait to the next answer that a person wrote, each time anew. "
            "Snoozing, setting to pending, transfers and notes do not stop it; where a ticket is solved without an "
            "answer, that wait has no value here."
        ),
        "down",
    ),
    "next_response": Definition(
        _("Next response"), "seconds", _("All responses but the first of each ticket."), "down"
    ),
    "waiting": Definition(
        _("Waiting for a first answer"),
        "count",
        _("Unsolved tickets that no person has answered so far, snoozed ones included, and how long the oldest waits."),
        "down",
    ),
    "resolution_first": Definition(
        _("Resolution, the first"),
        "seconds",
        _(
            "From a customer’s first message to the first time that the ticket was solved. What was solved by silence "
            "counts as solved at our last answer. The day is that of the first solve."
        ),
        "down",
    ),
    "resolution_full": Definition(
        _("Resolution, in full"),
        "seconds",
        _(
            "From a customer’s first message to the last time that the ticket was solved, of those that are solved "
            "now. The day is that of the last solve."
        ),
        "down",
    ),
    "customer_wait": Definition(
        _("Customer’s wait"),
        "seconds",
        _(
            "All the time in which the customer waited for us in a ticket: from the first of their messages that wait "
            "(or a bot’s hand-off) to our next answer or the solve, added up. Snoozing, hold and transfers do not stop "
            "it. The day is that of the last solve."
        ),
        "down",
    ),
    "one_touch": Definition(
        _("One touch"),
        "ratio",
        _(
            "Of the solved tickets that a person answered: those with exactly one answer up to the first solve; in "
            "chats, calls and messengers, with one session."
        ),
        "up",
    ),
    "fcr": Definition(
        _("First contact resolution"),
        "ratio",
        _(
            "Of the tickets that a person answered before they were first solved: those that took one contact, were "
            "not opened again, did not make the customer come back with another ticket, and were not called unsolved "
            "by them, all of it within the window after the first solve. One contact is one session in chats, calls "
            "and messengers; elsewhere, no customer message between our first answer and the solve."
        ),
        "up",
    ),
    "fcr_confirmed": Definition(
        _("Solved, said the customer"),
        "ratio",
        _("Answers of yes to “Was it solved?”, of all answers to it. The day is that of the first answer."),
        "up",
    ),
    "reopen_rate": Definition(
        _("Opened again"),
        "ratio",
        _(
            "Of the tickets first solved: those that were opened again within the window, by the customer or by hand, "
            "and then answered by a person. A thank-you that is solved without an answer does not count."
        ),
        "down",
    ),
    "aht": Definition(
        _("Handle time"),
        "seconds",
        _(
            "Seconds that people spent on tickets, by the number of tickets that somebody both looked at and did "
            "something on: a reply, a note, a change. Seconds count while a ticket is before somebody and they are "
            "active, in calls and active chats, and just after those. A ticket that took two days, or two people, "
            "counts once in the whole: days and agents do not add up."
        ),
        "down",
    ),
    "coverage": Definition(
        _("Coverage of handle time"),
        "ratio",
        _(
            "Of all tickets that anything is known of (seconds, actions, estimates): those that handle time is counted "
            "from. The rest was looked at only, changed together with others, or worked on by API."
        ),
        "up",
    ),
    "cost_per_ticket": Definition(
        _("Cost of a ticket"),
        "money",
        _(
            "Hours of handle time at the hourly rate of the ticket’s team, by the number of tickets handled. There is "
            "no figure while some of those hours have no rate."
        ),
        "down",
    ),
    "csat": Definition(
        _("Satisfaction"),
        "ratio",
        _(
            "Ratings of 4 and 5, of all ratings from 1 to 5. The day is that of the first answer; a rating can be "
            "changed for 14 days, and the latest stands."
        ),
        "up",
    ),
    "response_rate": Definition(
        _("Answers to satisfaction surveys"),
        "ratio",
        _(
            "Askings for a rating that were answered, of all that reached the customer. A rating given unasked is "
            "both. The day is that of the asking."
        ),
        "up",
    ),
    "nps": Definition(
        _("Promoter score"),
        "score",
        _(
            "Promoters (9 and 10) less detractors (0 to 6), of a hundred customers asked apart from any ticket; each "
            "customer’s last answer in the period counts. Below ten customers there is no score, and the scores of "
            "shorter periods do not add up to that of a longer one."
        ),
        "up",
    ),
    "nps_transactional": Definition(
        _("Promoter score after tickets"),
        "score",
        _("The same, of customers who were asked about a ticket."),
        "up",
    ),
    "ces": Definition(
        _("Ease"),
        "ratio",
        _("Answers of 5 to 7 to “made it easy to handle my issue”, of all answers from 1 to 7."),
        "up",
    ),
    "sla": Definition(
        _("Service levels"),
        "ratio",
        _("Targets that were met, of all that were met or missed. There are none as long as no policy sets them."),
        "up",
    ),
    "backlog": Definition(
        _("Backlog"),
        "count",
        _(
            "Unsolved tickets at the end of the period, or now where it has not ended: by whom they wait for, and by "
            "how long they have been unsolved."
        ),
        "down",
    ),
    "volume": Definition(
        _("Tickets"),
        "count",
        _("Tickets opened by customers. The day is that of their first message."),
    ),
    "solved": Definition(
        _("Solved"), "count", _("Tickets solved for the first time. The day is that of the first solve."), "up"
    ),
    "ours_only": Definition(
        _("Begun by us, no answer"),
        "count",
        _("Tickets in which we alone have written so far, such as invitations. The day is that of our first message."),
    ),
    "messages_in": Definition(_("Messages in"), "count", _("Messages that customers wrote.")),
    "messages_out": Definition(_("Messages out"), "count", _("Messages to customers that people wrote or approved.")),
    "messages_bot": Definition(
        _("Messages by bots"), "count", _("Messages to customers that bots and automation wrote.")
    ),
    "messages_automatic": Definition(
        _("Automatic messages"), "count", _("Automatic mail and reports of delivery, either way.")
    ),
    "abandonment": Definition(
        _("Chats given up"),
        "ratio",
        _(
            "Of the chats offered to people within opening hours: those that the customer left before a person "
            "answered, without giving an address. Chats left within 15 seconds count nowhere. The day is that of the "
            "offer."
        ),
        "down",
    ),
    "journey_abandonment": Definition(
        _("Journeys given up"),
        "ratio",
        _(
            "Of the visits that started a declared journey on your site: those that did not complete it, visits in "
            "contact with you beside the others."
        ),
        "down",
    ),
    "containment_confirmed": Definition(
        _("Settled by the bot, confirmed"),
        "ratio",
        _("Of all conversations with a bot: those without a person in which the customer said that it was solved."),
        "up",
    ),
    "containment_assumed": Definition(
        _("Settled by the bot, assumed"),
        "ratio",
        _(
            "Of all conversations with a bot: those without a person and without a word on it, after which the "
            "customer did not come again within the window."
        ),
        "up",
    ),
    "conversion": Definition(
        _("Ordered after a contact"),
        "ratio",
        _(
            "Of the tickets that customers opened: those after which the customer ordered within the window, as the "
            "events told by the shop say. The day is that of the first message. That they wrote need not be why they "
            "ordered."
        ),
        "up",
    ),
    "retention": Definition(
        _("Customers who stay"),
        "ratio",
        _(
            "Of those who were customers at the start of the period: those who still are at its end. A customer is who "
            "brought revenue in the days before that the settings name (365), by imported revenue alone."
        ),
        "up",
    ),
    "churn": Definition(
        _("Customers who leave"),
        "ratio",
        _("Of those who were customers at the start of the period: those who are none at its end."),
        "down",
    ),
    "clv": Definition(
        _("Lifetime value"),
        "money",
        _(
            "What a customer leaves: the margin of a month, times the months that customers stay as the period’s "
            "leavers say (60 at most). Under 30 customers, or without a margin in the settings, it is not told."
        ),
        "up",
    ),
}
