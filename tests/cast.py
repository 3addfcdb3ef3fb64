"""The people in every test, and the channels and tickets they meet at.

Sana answers for the team Support; Omar is her teammate; Bilal works elsewhere and sees nothing of the private team;
Zoya administers; Lena is a light agent of Support. Ayesha writes to us. Import the fixtures into a conftest.
"""

from __future__ import annotations

import pytest

from inbox.actions import tickets
from inbox.adapters import Party
from inbox.models import Agent, Channel, Role, Team, Ticket

# Seconds that the tests beside one's own may hold readers of the log up: they see nothing newer than the oldest
# transaction in any database of the server, and many a test is one transaction.
HELD_UP = 90
AYESHA = Party("email", "ayesha@example.com", "Ayesha Khan")


@pytest.fixture
def team(db: None) -> Team:
    """Support: private, so that whoever is no member is an outsider."""
    return Team.objects.create(name="Support", slug="support", private=True)


def member(name: str, role: str, team: Team | None) -> Agent:
    agent = Agent.objects.create_user(f"{name.lower()}@example.org", name=name, role=role)
    if team is not None:
        team.members.add(agent)
    return agent


@pytest.fixture
def sana(team: Team) -> Agent:
    return member("Sana", Role.AGENT, team)


@pytest.fixture
def omar(team: Team) -> Agent:
    return member("Omar", Role.AGENT, team)


@pytest.fixture
def lena(team: Team) -> Agent:
    return member("Lena", Role.LIGHT, team)


@pytest.fixture
def zoya(team: Team) -> Agent:
    return member("Zoya", Role.ADMIN, team)


@pytest.fixture
def bilal(db: None) -> Agent:
    return member("Bilal", Role.AGENT, None)


@pytest.fixture
def support(team: Team) -> Channel:
    """A mailbox that only the team sees."""
    channel = Channel.objects.create(
        kind="email",
        name="Support",
        slug="support",
        default_team=team,
        addresses=["support@example.org"],
        settings={"address": "support@example.org", "name": "Support"},
    )
    channel.teams.add(team)
    return channel


@pytest.fixture
def ticket(support: Channel) -> Ticket:
    """Ayesha's question, as it came."""
    return question(support, "Where is my parcel?")


def question(channel: Channel, subject: str, sender: Party = AYESHA, text: str = "It should be here by now.") -> Ticket:
    return tickets.open_ticket(by=None, channel=channel, identity=sender, subject=subject, text=text, direction="in")
