"""The websocket of agents with chats before them: what visitors say appears at once, and what is answered leaves at
once. As everywhere, a page that lost its connection asks for what it missed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.utils import translation

from channels_chat import answers, hub, patience, protocol, reading, room
from channels_chat.allowances import Allowance
from channels_chat.consumers import WHY
from channels_chat.pages import DeskPage
from inbox import frames as rights
from inbox.connections import AgentConnection
from inbox.sockets import LOGGED_OUT, frame

logger = logging.getLogger(__name__)

MOST_WATCHED = 20
LONGEST = 40_000  # characters of a frame
BURST, PER_SECOND = 40.0, 8.0
CHECK_EVERY = 20.0  # seconds that a log-in is believed


class DeskConsumer(AgentConnection):
    page: DeskPage | None = None
    checked_at = 0.0

    async def connect(self) -> None:
        agent = self.scope.get("user")
        self.page = await self.admit(DeskPage, may_write=bool(agent and agent.is_authenticated and agent.may_write))
        if self.page is not None:
            self.checked_at, self.frames = time.monotonic(), Allowance(BURST)
            room.current().join_desk(self.page)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        page = self.page
        if page is None or page.closed or not text_data or len(text_data) > LONGEST:
            return
        said, wait = protocol.frame(text_data), self.frames.spend(BURST, PER_SECOND)
        if said is None or wait and said["t"] != "say":
            return
        cid = protocol.word(said.get("cid"))
        if wait:
            self._no(page, said, cid, "flood", WHY["flood"], after=1)
            return
        if not await self._still_logged_in(page):
            return
        try:
            match said["t"]:
                case "watch":
                    await self._watch(page, said)
                case "say" if cid:
                    await self._say(page, said, cid)
                case "typing":
                    await self._typing(page, said)
                case "seen":
                    await self._seen(page, said)
        except patience.Held:
            logger.warning("what an agent's frame needs is held")
        except (DatabaseError, InterfaceError, OSError):
            logger.exception("an agent's frame was not answered")
            if cid:
                self._no(page, said, cid, "later", WHY["later"], after=2)
        except Exception:  # alike at the next try: the page must not say it again for ever
            logger.exception("an agent's frame cannot be answered")
            if cid:
                self._no(page, said, cid, "wrong", WHY["wrong"])

    async def disconnect(self, code: int) -> None:
        if self.page is not None:
            room.current().leave_desk(self.page)

    async def _still_logged_in(self, page: DeskPage) -> bool:
        if time.monotonic() - self.checked_at < CHECK_EVERY:
            return True
        valid = await room.current().in_thread(partial(rights.logged_in, {page.session: page.agent}))
        if page.session not in valid:
            page.close(LOGGED_OUT)
            return False
        self.checked_at = time.monotonic()
        return True

    async def _watch(self, page: DeskPage, said: dict[str, Any]) -> None:
        asked, since = said.get("tickets"), said.get("since")
        since = since if isinstance(since, dict) else {}
        numbers = [one for one in asked if protocol.number(one)][:MOST_WATCHED] if isinstance(asked, list) else []
        here = room.current()
        sees = await here.in_thread(partial(rights.who_sees, set(numbers), {page.agent}))
        mine = sees.get(page.agent, frozenset())
        known = {one: protocol.number(since.get(str(one))) for one in numbers if one in mine}
        here.watch(page, await here.in_thread(partial(reading.since, known)) if any(known.values()) else known)
        here.spoken.update(page.watches)
        here._tell_soon()

    async def _say(self, page: DeskPage, said: dict[str, Any], cid: str) -> None:
        ticket = protocol.number(said.get("ticket"))
        if not page.may_write or not ticket:
            return
        text = said.get("text")
        here = room.current()
        draft = protocol.number(said.get("version"))
        asked = answers.Asked(page.agent, ticket, protocol.words(text, LONGEST), cid, page.language, draft)
        answered = await here.answers.do(asked)
        page.put(frame({"ticket": ticket, "cid": cid, **answered.told}))
        if answered.took is not None:
            here.answered(answered.took, page)

    def _no(
        self, page: DeskPage, said: dict[str, Any], cid: str, why: str, words: Callable[[], str], *, after: int = 0
    ) -> None:
        with translation.override(page.language):
            told = {"t": "no", "ticket": said.get("ticket"), "cid": cid, "why": why, "text": words()}
        page.put(frame({**told, **({"after": after} if after else {})}))

    async def _typing(self, page: DeskPage, said: dict[str, Any]) -> None:
        ticket = protocol.number(said.get("ticket"))
        if page.may_write and ticket in page.watches:
            told = await room.current().in_thread(partial(answers.typing_to, page.agent, ticket))
            if told is not None:
                hub.type_to(*told, said.get("on") is True)

    async def _seen(self, page: DeskPage, said: dict[str, Any]) -> None:
        ticket, message = protocol.number(said.get("ticket")), protocol.number(said.get("id"))
        if message and ticket in page.watches:
            visitor = await room.current().in_thread(partial(reading.seen_by, page.agent, ticket, message))
            if visitor is not None:
                hub.seen(visitor, message, message)
