"""The demo organisation: a small shop with a mailbox, three people who answer, and customers in two languages."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from channels_email.receipts import raw_receipt
from inbox.actions import links, organisations, receive, reply, side, tickets
from inbox.models import Agent, Brand, Channel, Field, LinkKind, Macro, Role, SavedView, Tag, Team, Ticket
from reports.models import Survey
from sandbox import chatting, phoning
from sandbox.letters import LETTERS, Letter
from sandbox.models import SandboxMail

SUPPORT = "support@karvaan.example"
PASSWORD = "demo-karvaan"  # printed at every start
TAGS = {"refund": "#d97706", "delivery": "#2563eb", "vip": "#7c3aed", "invoice": "", "discount": "#16a34a"}
PEOPLE = (
    ("sana@karvaan.example", "Sana Malik", Role.AGENT, "Sana Malik\nKarvaan Customer Care"),
    ("omar@karvaan.example", "Omar Farooq", Role.MANAGER, "Omar Farooq\nKarvaan Customer Care"),
    ("zara@karvaan.example", "Zara Sheikh", Role.ADMIN, ""),
    ("hamza@karvaan.example", "Hamza Iqbal", Role.LIGHT, ""),
)


def ensure() -> list[tuple[str, str, str]]:
    """Make what is missing of the demo; returns (e-mail, password, role) of its people. Harmless to repeat."""
    with transaction.atomic():
        people = [_person(*one) for one in PEOPLE]
        channel = _channel(people)
        chatting.ensure()
        phoning.ensure()
    if not Ticket.objects.exists():
        _desk(people[1])
        _history(channel, {agent.email: agent for agent in people})
        _surveys(people[1])
    return [(agent.email, PASSWORD, str(agent.get_role_display())) for agent in people]


def _surveys(lead: Agent) -> None:
    """The usual surveys ask from now on; after a solve at once, so that one sees it."""
    for survey in Survey.objects.filter(of_chats=False, kind__in=["csat", "solved", "nps"]):
        survey.active = True
        if survey.kind == "csat":
            survey.rules = {**survey.rules, "delay": 1, "every": 1, "tell": lead.pk}
        survey.save()


def _person(email: str, name: str, role: str, signature: str) -> Agent:
    agent = Agent.objects.filter(email=email).first()
    if agent is None:
        agent = Agent.objects.create_user(email, PASSWORD, name=name, role=role, signature=signature)
    return agent


def _channel(people: list[Agent]) -> Channel:
    brand, _made = Brand.objects.get_or_create(
        name="Karvaan", defaults={"from_address": SUPPORT, "signature": "Karvaan Customer Care"}
    )
    care, _made = Team.objects.get_or_create(slug="care", defaults={"name": "Customer care"})
    shipping, _made = Team.objects.get_or_create(slug="shipping", defaults={"name": "Shipping"})
    care.members.add(*people)
    shipping.members.add(people[1])
    for name, colour in TAGS.items():
        Tag.objects.get_or_create(name=name, defaults={"colour": colour})
    channel, _made = Channel.objects.get_or_create(
        slug="support",
        defaults={
            "kind": "email",
            "name": "Karvaan Support",
            "brand": brand,
            "default_team": care,
            "addresses": [SUPPORT],
        },
    )
    channel.teams.add(care)
    smtp = {"host": "127.0.0.1", "port": settings.SANDBOX_SMTP_PORT, "security": "none"}
    wanted = {"address": SUPPORT, "name": "Karvaan", "plus_addressing": True, **channel.settings, "smtp": smtp}
    if channel.settings != wanted:  # the ports may differ from the last start
        channel.settings = wanted
        channel.save(update_fields=["settings"])
    return channel


def _desk(omar: Agent) -> None:
    """What the team has set up for its work."""
    organisations.create(by=omar, name="Hillside School", domains=["example.edu"])
    Field.objects.get_or_create(noun="ticket", key="order", defaults={"label": "Order"})
    english, urdu = "Where a parcel is", "پارسل کہاں ہے"
    for name, language, text in (
        (
            english,
            "en",
            "Dear {{customer.first_name}},\n\nyour parcel is on its way and should be with you within two days.\n",
        ),
        (urdu, "ur", "محترم {{customer.first_name}}،\n\nآپ کا پارسل روانہ ہو چکا ہے اور دو دن میں پہنچ جائے گا۔\n"),
    ):
        actions = [{"set": "add_tags", "to": ["delivery"]}]
        Macro.objects.get_or_create(name=name, defaults={"language": language, "text": text, "actions": actions})
    for name, query in (("Waiting longer than four hours", {"waiting": "4h"}), ("Urdu", {"language": "ur"})):
        SavedView.objects.get_or_create(name=name, defaults={"query": {"status": "open", **query}})


def _history(channel: Channel, people: dict[str, Agent]) -> None:
    """Letters of the last days, through the same door as any other mail."""
    now = timezone.now()
    for letter in LETTERS:
        at = now - timedelta(hours=letter.hours_ago)
        raw = letter.raw(SUPPORT, at)
        SandboxMail.put(letter.address, raw, sent=True)
        SandboxMail.objects.filter(mailbox=letter.address).update(at=at)
        stored = receive.store(channel, [raw_receipt(raw, at=at, meta={"recipients": [SUPPORT]})], claim=True)
        outcome = receive.take_in([stored[0].receipt_id])[0]
        if outcome.ticket is not None:
            _work(Ticket.objects.get(pk=outcome.ticket), letter, people)
    one, other = Ticket.objects.filter(tags=["discount"]).order_by("pk")
    links.link(other, one, LinkKind.INCIDENT, by=people["omar@karvaan.example"])


def _work(ticket: Ticket, letter: Letter, people: dict[str, Agent]) -> None:
    """What the team has done about it so far."""
    omar = people["omar@karvaan.example"]
    agent = people.get(f"{letter.agent}@karvaan.example")
    if letter.tags:
        tickets.set_tags(ticket, letter.tags, by=omar)
    if letter.priority:
        tickets.set_priority(ticket, letter.priority, by=omar)
    if agent is not None:
        tickets.assign(ticket, by=omar, agent=agent)
    if letter.facts:
        ticket = tickets.set_fields(ticket, by=omar, **dict(letter.facts))
    if letter.note:
        reply.note(ticket, by=omar, text=letter.note)
    if letter.answer:
        reply.reply(ticket, by=agent, text=letter.answer, status=letter.status)
        if letter.again:
            _writes_again(ticket.channel, letter)
            side.start(
                ticket,
                by=omar,
                to=[{"address": "dispatch@courier.example", "name": "Courier"}],
                subject=f"Delivery of {ticket.attributes['order']}",
                text="Hello,\n\nplease leave this parcel at number 12 if nobody opens.\n",
            )
            reply.note(ticket, by=omar, text="@Sana Malik I have asked the courier. Could you tell Ayesha?")
    if letter.snoozed:
        tickets.snooze(ticket, timezone.now() + timedelta(hours=letter.snoozed), by=agent)


def _writes_again(channel: Channel, letter: Letter) -> None:
    at = timezone.now()
    raw = letter.raw_again(SUPPORT, at)
    SandboxMail.put(letter.address, raw, sent=True)
    stored = receive.store(channel, [raw_receipt(raw, at=at, meta={"recipients": [SUPPORT]})], claim=True)
    receive.take_in([stored[0].receipt_id])
