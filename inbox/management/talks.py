"""Chats of a seeded history: some tickets were chatted in, a bot had some of them first, and some visitors left.

The lines of the log are those that live chat writes; what the queue keeps of a chat while it lasts is long gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inbox.management.history import Story

CHATS = 0.15  # of tickets, where there is a website to chat on
BOTS = 0.35  # of chats begin with the bot, where there is one
HURRY = 40  # times as fast as by mail
SHORT = 15  # seconds: who leaves as early was never there
STEPS = (("welcome", "orders"), ("welcome", "returns", "address"), ("welcome", "orders", "tracking"), ("welcome",))
NONE = "\\N"


@dataclass
class Talk:
    """One chat, from asking to its end."""

    story: Story
    bot: int | None

    @property
    def engagement(self) -> int:
        plan = self.story.teller.plan
        return plan.first_engagement + self.story.number - plan.first_ticket

    @property
    def contained(self) -> bool:
        """The bot alone had it, and it was solved."""
        return self.bot is not None and len(self.story.turns) == 1 and self.story.solved_at is not None

    def tell(self) -> None:
        story, pick = self.story, self.story.teller.talks
        began = story.turns[0].at
        answered = next((turn for turn in story.turns if turn.agent is not None), None)
        agent = answered.agent if answered is not None else None
        requested = began + timedelta(seconds=pick.randrange(20, 90) if self.bot else 0)
        if answered is not None:
            requested = min(requested, answered.at)
        left = requested + timedelta(seconds=int(pick.lognormvariate(4.2, 1.1)))
        ended = story.turns[-1].at + timedelta(seconds=60) if answered is not None else left
        ended = min(ended, story.teller.plan.end)
        self._row(requested, answered.at if answered is not None else None, ended, agent)
        if self.bot is not None:
            self._bot(began, requested, pick.choice(STEPS), pick.random())
        if self.contained:
            return
        team = {"team": story.team, "in_hours": pick.random() < 0.9, "agents_here": True, "reason": "asked"}
        self._line("chat_requested", requested, None, **team)
        if answered is not None:
            waited = int((answered.at - requested).total_seconds())
            self._line("chat_accepted", answered.at, agent, waited=waited, offered=True, first=True)
            self._line("chat_answered", answered.at, agent, waited=waited, message=answered.key, took=False)
        else:
            waited = int((ended - requested).total_seconds())
            told = {"waited": waited, "short": waited < SHORT, "left": ended.isoformat(), "how": "left"}
            self._line("chat_abandoned", ended, None, **told)
        why = "left" if answered is None else "solved" if story.solved_at is not None else "inactive"
        self._line("chat_ended", ended, agent, why=why, answered=answered is not None)

    def _bot(self, began: datetime, over: datetime, steps: tuple[str, ...], chance: float) -> None:
        assert self.bot is not None
        told = {"bot": "flow", "steps": list(steps), "fallbacks": int(3 * chance**3)}
        self._line("bot_started", began, None, bot="flow")
        if self.contained:
            outcome = "confirmed" if chance < 0.6 else "assumed"
            self._line("bot_ended", over, None, outcome=outcome, **told)
        else:
            self._line("bot_handoff", over, None, reason="asked", **told)

    def _line(self, kind: str, at: datetime, agent: tuple[int, str] | None, **data: object) -> None:
        bot = self.bot if kind.startswith("bot_") else None
        self.story.event(kind, at.isoformat(" "), agent, bot, engagement=self.engagement, **data)

    def _row(
        self, requested: datetime, accepted: datetime | None, ended: datetime, agent: tuple[int, str] | None
    ) -> None:
        story = self.story
        self.story.teller.sheets.engagements.add(
            str(self.engagement), str(story.number), str(story.channel[0]), str(agent[0]) if agent else NONE,
            requested.isoformat(" "), requested.isoformat(" "), accepted.isoformat(" ") if accepted else NONE,
            ended.isoformat(" "), "agent" if agent else "visitor",
        )  # fmt: skip
