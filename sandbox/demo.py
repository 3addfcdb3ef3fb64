"""The demo organisation: a small shop with a mailbox, three people who answer, and customers in two languages."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from channels_email.receipts import raw_receipt
from inbox.actions import receive, reply, tickets
from inbox.models import Agent, Brand, Channel, Role, Tag, Team, Ticket
from sandbox.letters import LETTERS, Letter
from sandbox.models import SandboxMail

SUPPORT = "support@karvaan.example"
PASSWORD = "demo-karvaan"  # printed at every start
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
    if not Ticket.objects.exists():
        _history(channel, {agent.email: agent for agent in people})
    return [(agent.email, PASSWORD, str(agent.get_role_display())) for agent in people]


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
    for name, colour in (("refund", "amber"), ("delivery", "blue"), ("vip", "violet")):
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
    if letter.note:
        reply.note(ticket, by=omar, text=letter.note)
    if letter.answer:
        reply.reply(ticket, by=agent, text=letter.answer, status=letter.status)
