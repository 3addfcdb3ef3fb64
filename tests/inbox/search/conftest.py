from collections.abc import Callable

import pytest

from inbox.adapters import Party
from inbox.models import Channel, Ticket
from inbox.search import follower
from tests.cast import AYESHA, bilal, lena, omar, question, sana, support, team, zoya

__all__ = ["bilal", "lena", "omar", "sana", "support", "team", "zoya"]

Ask = Callable[..., Ticket]


@pytest.fixture
def ask(support: Channel) -> Ask:
    """A ticket that came in, and can be found."""

    def asked(subject: str, text: str = "Hello", sender: Party = AYESHA, channel: Channel | None = None) -> Ticket:
        ticket = question(channel or support, subject, sender, text)
        follower.write([ticket.number])
        return ticket

    return asked
