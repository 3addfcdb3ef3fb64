"""Facts: what figures are counted from. Each row says what one ticket, response, hour of work, chat or answer came to.

All of it is made from the log and the rows it names, by `reports.facts`, and can be made again from zero, equal to the
last bit. Ids are plain numbers: a team that is gone keeps its figures. Times are instants, durations seconds; business
seconds are those of the schedule in force, and where there is none the calendar's. Tickets that count nowhere (spam,
in the trash, merged away, or without a word said in public) have no rows.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

# Figures are counted from indexes alone: each, by the date that its figures go by, holds all that these ask for.
SHARED = ["ticket", "channel_id", "team_id", "agent_id", "imported"]
FILTERS = [*SHARED, "priority"]
FIRST_ALONE = ["first_seconds", "first_business", "first_total"]


class TicketFact(models.Model):
    """What one ticket came to, as known now."""

    ticket = models.OneToOneField(
        "inbox.Ticket", on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="fact"
    )
    customer_id = models.BigIntegerField()  # as merged now
    imported = models.BooleanField(default=False)  # of another system's history: in no figure unless asked for
    channel_id = models.BigIntegerField()  # of the first customer message; where there is none, the ticket's
    live = models.BooleanField(default=False)  # chat, call, messenger, SMS, direct message
    began_at = models.DateTimeField()  # its first public message of any kind
    opened_at = models.DateTimeField(null=True)  # the first customer message; none where we alone have spoken
    ours_at = models.DateTimeField(null=True)  # where there is none: the first word of a person or bot here
    bot = models.BooleanField(default=False)  # a bot owned it when the customer wrote first
    handed_at = models.DateTimeField(null=True)  # the bot gave it to a person, by whatever way
    topic = models.CharField(max_length=120, blank=True)
    matter = models.CharField(max_length=200, blank=True)  # the order it is about, where it says one
    follow_up_of = models.BigIntegerField(null=True)
    waiting_since = models.DateTimeField(null=True)  # unsolved, and no person has ever answered: since when
    team_id = models.BigIntegerField(null=True)  # now, as are the next three
    agent_id = models.BigIntegerField(null=True)
    priority = models.CharField(max_length=10)
    done = models.BooleanField(default=False)

    # The first solve that counts, and whose it is.
    first_solved_at = models.DateTimeField(null=True)
    first_agent_id = models.BigIntegerField(null=True)
    first_team_id = models.BigIntegerField(null=True)
    first_priority = models.CharField(max_length=10, blank=True)
    resolution_first = models.BigIntegerField(null=True)
    resolution_first_business = models.BigIntegerField(null=True)
    answers_before = models.PositiveIntegerField(default=0)  # counted human public messages up to the first solve
    one_touch = models.BooleanField(default=False)  # exactly one of them, on live channels one session
    one_contact = models.BooleanField(default=False)  # condition (a) of FCR
    reopened_at = models.DateTimeField(null=True)  # the first counting re-open (W is applied when it is asked for)
    own_reopened_at = models.DateTimeField(null=True)  # the same, without those by follow-up tickets
    answers_reopen = models.BooleanField(default=False)  # as a follow-up: a person answered before its first solve
    repeat_at = models.DateTimeField(null=True)  # condition (c): when this customer first came again, within 30 days
    denied_at = models.DateTimeField(null=True)  # condition (d): the first "no" to "Was it solved?" that stands

    # The last solve, only while it is solved.
    last_solved_at = models.DateTimeField(null=True)
    last_agent_id = models.BigIntegerField(null=True)
    last_team_id = models.BigIntegerField(null=True)
    last_priority = models.CharField(max_length=10, blank=True)
    resolution_full = models.BigIntegerField(null=True)
    resolution_full_business = models.BigIntegerField(null=True)
    customer_wait = models.BigIntegerField(null=True)
    customer_wait_business = models.BigIntegerField(null=True)
    unanswered = models.BooleanField(default=False)  # solved without a human public message

    class Meta:
        indexes = (
            models.Index(
                fields=["first_solved_at"],
                include=[
                    "resolution_first",
                    "resolution_first_business",
                    "answers_before",
                    "one_touch",
                    "one_contact",
                    "reopened_at",
                    "repeat_at",
                    "denied_at",
                    "first_agent_id",
                    "first_team_id",
                    "first_priority",
                    "channel_id",
                    "imported",
                    "ticket",
                ],
                name="fact_first_solve",
                condition=Q(first_solved_at__isnull=False),
            ),
            models.Index(
                fields=["last_solved_at"],
                include=[
                    "resolution_full",
                    "resolution_full_business",
                    "customer_wait",
                    "customer_wait_business",
                    "last_agent_id",
                    "last_team_id",
                    "last_priority",
                    "channel_id",
                    "imported",
                    "ticket",
                ],
                name="fact_last_solve",
                condition=Q(last_solved_at__isnull=False),
            ),
            models.Index(
                fields=["opened_at"],
                include=["channel_id", "team_id", "agent_id", "priority", "imported", "ticket"],
                name="fact_open",
                condition=Q(opened_at__isnull=False),
            ),
            models.Index(fields=["ours_at"], name="fact_ours_only", condition=Q(ours_at__isnull=False)),
            models.Index(fields=["waiting_since"], name="fact_waiting", condition=Q(waiting_since__isnull=False)),
            models.Index(fields=["customer_id", "opened_at"], name="fact_of_customer"),
            models.Index(fields=["follow_up_of"], name="fact_follow_up", condition=Q(follow_up_of__isnull=False)),
            # Of who may be leaving (`reports.worth.risk`).
            models.Index(fields=["reopened_at"], name="fact_reopened", condition=Q(reopened_at__isnull=False)),
            models.Index(fields=["denied_at"], name="fact_denied", condition=Q(denied_at__isnull=False)),
            models.Index(fields=["last_solved_at"], name="fact_long_wait", condition=Q(customer_wait__gte=86_400)),
        )


class OfTicket(models.Model):
    """A fact of which a ticket can have several; `imported` as its ticket's."""

    id = models.BigAutoField(primary_key=True)
    ticket = models.ForeignKey(
        "inbox.Ticket", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    imported = models.BooleanField(default=False)
    channel_id = models.BigIntegerField()
    team_id = models.BigIntegerField(null=True)
    agent_id = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


class ResponseFact(OfTicket):
    """A run of customer messages and the human public message that ended it. Its day is that of the answer.

    The channel is that of the message answered; the agent who answered is null where it was done outside Rabta.

    `first_seconds` is the ticket's first response, from its first customer message or the hand-off. It differs from
    `seconds` where a run before was solved without a word; where the answer came when nothing was asked any more, it
    ended no run, and `seconds` is null.
    """

    first = models.BooleanField()  # with the ticket's first human public message that counts
    asked_at = models.DateTimeField()  # where the human clock starts: the first of the run, or the hand-off
    answered_at = models.DateTimeField()
    seconds = models.BigIntegerField(null=True)
    business = models.BigIntegerField(null=True)
    total = models.BigIntegerField(null=True)  # from the first of the run, a bot's time included
    first_seconds = models.BigIntegerField(null=True)  # of the first alone
    first_business = models.BigIntegerField(null=True)
    first_total = models.BigIntegerField(null=True)  # from the ticket's first customer message, a bot's time included
    priority = models.CharField(max_length=10)

    class Meta:
        indexes = (
            models.Index(
                fields=["answered_at"],
                include=["seconds", "business", "first", *FIRST_ALONE, "priority", *SHARED],
                name="response_when",
            ),
            models.Index(fields=["ticket"], name="response_of_ticket"),
        )


class SpanState(models.TextChoices):
    US = "us", "waiting on us"
    CUSTOMER = "customer", "waiting on the customer"
    HOLD = "hold", "on hold"
    SNOOZED = "snoozed", "snoozed"
    BOT = "bot", "with a bot"


class SpanFact(OfTicket):
    """A stretch of time in which an unsolved ticket waited for one and the same: those at t make up the backlog of t.

    Spans of one ticket follow each other without a gap while it is unsolved. `enters` and `leaves` mark where such a
    stretch as a whole begins and ends, so that the backlog is what entered less what left. Channel as the ticket's
    fact; team and agent (owner) as they were when the span began.
    """

    state = models.CharField(max_length=8, choices=SpanState)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # still so
    priority = models.CharField(max_length=10)
    unsolved_since = models.DateTimeField()  # where the stretch began
    enters = models.BooleanField()
    leaves = models.BooleanField()

    class Meta:
        indexes = (
            models.Index(fields=["started_at"], include=SHARED, name="span_begins", condition=Q(enters=True)),
            models.Index(fields=["ended_at"], include=SHARED, name="span_ends", condition=Q(leaves=True)),
            models.Index(fields=["started_at"], include=["state", "priority", *SHARED], name="span_starts"),
            models.Index(
                fields=["ended_at"],
                include=["started_at", "state", "unsolved_since", "priority", *SHARED],
                name="span_stands",
            ),
            models.Index(fields=["ticket"], name="span_of_ticket"),
        )


class TrafficKind(models.TextChoices):
    CUSTOMER = "customer", "from customers"
    HUMAN = "human", "by people here"
    BOT = "bot", "by bots and automation"
    AUTOMATIC = "automatic", "automatic mail and reports, either way"


class TrafficFact(OfTicket):
    """Messages of one ticket in one quarter of an hour, by who wrote them."""

    kind = models.CharField(max_length=9, choices=TrafficKind)
    quarter = models.DateTimeField()
    count = models.PositiveIntegerField()
    priority = models.CharField(max_length=10, default="")  # of the ticket then

    class Meta:
        indexes = (
            models.Index(fields=["quarter"], include=["kind", "count", *FILTERS], name="traffic_when"),
            models.Index(fields=["ticket"], name="traffic_of_ticket"),
        )


class HandlingFact(OfTicket):
    """What one agent did on one ticket in one quarter of an hour: seconds by the rule they fell under, and actions.

    `estimated` are seconds guessed for work done without the page being looked at (by the API); they count nowhere but
    in the coverage. Channel as the ticket's fact; the team is the ticket's then.
    """

    quarter = models.DateTimeField()
    focus = models.FloatField(default=0)
    call = models.FloatField(default=0)
    chat = models.FloatField(default=0)
    wrap_up = models.FloatField(default=0)
    estimated = models.FloatField(default=0)
    actions = models.PositiveIntegerField(default=0)  # done on this ticket alone

    class Meta:
        indexes = (
            models.Index(
                fields=["quarter"],
                include=["focus", "call", "chat", "wrap_up", "estimated", "actions", *SHARED],
                name="handling_when",
            ),
            models.Index(fields=["ticket"], name="handling_of_ticket"),
            models.Index(fields=["agent_id", "quarter"], name="handling_of_agent"),
        )


class AnswerFact(models.Model):
    """One asking of a survey and what came back. Channel, team and agent are those of the asking (NPS: no agent)."""

    answer = models.OneToOneField(
        "reports.Answer", on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="fact"
    )
    kind = models.CharField(max_length=8)
    survey_id = models.BigIntegerField(null=True)  # none: a chat's own rating
    ticket = models.ForeignKey(
        "inbox.Ticket", on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    customer_id = models.BigIntegerField()  # as merged now
    imported = models.BooleanField(default=False)
    channel_id = models.BigIntegerField(null=True)
    team_id = models.BigIntegerField(null=True)
    agent_id = models.BigIntegerField(null=True)
    priority = models.CharField(max_length=10, blank=True)
    asked_at = models.DateTimeField()
    failed = models.BooleanField(default=False)  # the asking never reached them
    answered_at = models.DateTimeField(null=True)  # the first answer: its day
    value = models.SmallIntegerField(null=True)  # the one that stands
    commented = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(
                fields=["kind", "answered_at"], include=["value", "customer_id", *FILTERS], name="answer_fact_given"
            ),
            models.Index(
                fields=["kind", "asked_at"], include=["answered_at", "failed", *FILTERS], name="answer_fact_when"
            ),
            models.Index(fields=["ticket"], name="answer_fact_of_ticket"),
            models.Index(fields=["customer_id"], name="answer_fact_of_customer"),
        )


class ChatOutcome(models.TextChoices):
    WAITING = "waiting", "nobody has answered yet"
    ANSWERED = "answered", "a person answered"
    ABANDONED = "abandoned", "left before"
    SHORT = "short", "left within 15 seconds"
    MESSAGE = "message", "became a message: an address was given"


class ChatFact(OfTicket):
    """One chat that was offered to people: its day is that of the offer."""

    engagement_id = models.BigIntegerField(unique=True)
    offered_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)  # or it ended, unanswered: nothing changes any more
    outcome = models.CharField(max_length=9, choices=ChatOutcome)
    in_schedule = models.BooleanField(default=True)  # out of it, it counts nowhere

    class Meta:
        indexes = (
            models.Index(fields=["offered_at"], include=["outcome", "in_schedule", *SHARED], name="chat_fact_when"),
            models.Index(fields=["ticket"], name="chat_fact_of_ticket"),
        )


class BotFact(OfTicket):
    """One conversation of a bot: the agent is the bot. Its day is that of its beginning."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True)  # to a person
    confirmed_at = models.DateTimeField(null=True)  # the customer said that this was it
    last_heard_at = models.DateTimeField()  # the customer's last word in it
    steps = ArrayField(models.CharField(max_length=60), default=list)  # of the flow, in the order they were reached
    fallbacks = models.PositiveIntegerField(default=0)  # answers that it did not understand

    class Meta:
        indexes = (
            models.Index(fields=["began_at"], name="bot_fact_began"),
            models.Index(fields=["ticket"], name="bot_fact_of_ticket"),
        )
