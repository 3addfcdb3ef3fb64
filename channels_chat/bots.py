"""The seat of a bot in a chat: what a bot is, and which one answers a channel first.

A bot speaks through `channels_chat.actions.seat` alone (`say`, `handoff`, `finish`), which keeps the rules that hold
for every bot: it is muted once a human has the chat, it cannot loop, and a human takes over where it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from lib.folding import fold, words

if TYPE_CHECKING:
    from channels_chat.models import Chat
    from inbox.models import Channel, Message

MOST_IN_A_ROW = 5  # messages of a bot that follow one another
MOST_MISSED = 2  # times in a row that a bot may not understand: the last of them hands over
SILENT = 30  # seconds
HUMAN = "@human"  # key of the button that every message of a bot has which waits for the visitor

# Words that ask for a human, as visitors type them; folded as search does.
ASKING = (
    "human", "agent", "operator", "representative", "real person", "live agent", "live chat", "talk to someone",
    "talk to somebody", "speak to someone", "speak to somebody", "customer service", "support agent", "insaan", "insan",
    "numainda", "kisi se baat", "انسان", "نمائندہ", "نمائندے", "ایجنٹ", "آپریٹر", "کسی سے بات", "بندے سے بات",
)  # fmt: skip
SHORT = 8  # words of a message in which a single word may be such a wish; in longer ones it takes several together


class Bot:
    """One kind of bot. Its methods run in the transaction of what the visitor did, the ticket and the chat locked.

    Whatever it raises undoes what it did in that turn, and hands the chat to a human.
    """

    name: ClassVar[str]

    def on(self, channel: Channel) -> bool:
        """Whether it answers the chats of this channel first."""
        raise NotImplementedError

    def title(self, channel: Channel, language: str) -> str:
        """What visitors and agents call it."""
        return channel.name

    def silent(self, channel: Channel) -> int:
        """Seconds until a human gets the chat if it has not answered."""
        return SILENT

    def asking(self, channel: Channel) -> tuple[str, ...]:
        """More words that ask for a human."""
        return ()

    def start(self, chat: Chat, message: Message | None) -> None:
        """Greet a visitor; `message` is what the chat began with."""
        raise NotImplementedError

    def hear(self, chat: Chat, message: Message) -> None:
        """The visitor wrote something that does not ask for a human."""
        raise NotImplementedError

    def press(self, chat: Chat, message: Message, button: str) -> None:
        """The visitor pressed a button of the newest message with buttons."""
        raise NotImplementedError

    def left(self, chat: Chat) -> bool:
        """The chat ends while the bot has it: whether what it said may have been enough. Else a human looks at it."""
        return False


_bots: dict[str, Bot] = {}


def register(bot: Callable[[], Bot]) -> Callable[[], Bot]:
    """Class decorator: make this bot known."""
    made = bot()
    _bots[made.name] = made
    return bot


def of(channel: Channel) -> Bot | None:
    """The bot that answers first here; None: nobody but people does."""
    return next((bot for bot in _bots.values() if bot.on(channel)), None)


def named(name: str) -> Bot | None:
    return _bots.get(name)


def asks_for_human(text: str, more: tuple[str, ...] = ()) -> bool:
    """Whether these words ask for a human."""
    said = words(fold(text[:500]))
    line = f" {' '.join(said)} "
    for wish in (*ASKING, *more):
        wanted = " ".join(words(fold(wish)))
        if wanted and f" {wanted} " in line and (len(said) <= SHORT or " " in wanted):
            return True
    return False
