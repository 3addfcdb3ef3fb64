"""The widget's websocket: who it is, what it says, each frame checked; what it is told comes from the room."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from django.db import DataError
from django.utils import translation
from django.utils.translation import gettext as _

from channels_chat import (
    allowances,
    config,
    deeds,
    doors,
    greeting,
    hub,
    in_chat,
    openings,
    protocol,
    reading,
    room,
    site,
)
from channels_chat.allowances import FRAMES, FRAMES_PER_SECOND, SAYS, SAYS_PER_SECOND, Crowd, Purse, Turns, address_of
from channels_chat.intake_values import Said, Took
from channels_chat.pages import Page
from channels_chat.patience import Held
from inbox.connections import Connection
from inbox.sockets import frame

logger = logging.getLogger(__name__)

NO_CHANNEL, NOT_HERE, FLOODS, AGAIN = 4404, 4403, 4429, 1013  # close codes
MOST_IN_VAIN = 300  # frames beyond that, after which the page is shut out
DRAFT = 500  # characters of what is being typed
MOST_FILES = 5
READY = 30.0  # seconds that a visitor's row and their page's beginnings are believed, if nothing else changes them
LASTING = (DataError, ValueError, TypeError, LookupError, AttributeError, RecursionError)  # alike at the next try


class WidgetConsumer(Connection):
    page: Page | None = None
    door: doors.Door
    in_vain = 0
    typing_at = 0.0

    async def connect(self) -> None:
        token = self.scope["url_route"]["kwargs"]["token"]
        here = room.current()
        kept = doors.kept(token)
        door = kept[0] if kept else await here.in_thread(partial(doors.find, token))
        await self.accept()
        if door is None:
            await self.close(NO_CHANNEL)
            return
        headers = dict(self.scope.get("headers") or ())
        if not door.admits(headers.get(b"origin", b"").decode("latin-1")):
            await self.close(NOT_HERE)
            return
        self.door = door
        self.purse, self.turns, self.address = Purse(), Turns(), address_of(self.scope)
        self.page = Page(0, "", door.settings.languages[0], *self.ways(), door=door)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        page = self.page
        if page is None or page.closed:
            return
        said = protocol.frame(text_data)
        wait = self._wait(page, said["t"] if said is not None else "")
        if wait:
            self.in_vain += 1
            if self.in_vain > MOST_IN_VAIN:
                page.close(FLOODS)
                return
        elif self.purse.frames.left > FRAMES / 2:
            self.in_vain = 0
        if wait:
            if said is not None and said["t"] in ANSWERED:
                self.tell_no(protocol.word(said.get("cid")), "flood", after=wait)
            return
        if said is None:
            self.tell_no("", "too_long" if text_data and len(text_data) > protocol.MOST_FRAME else "wrong")
            return
        work = self.DEEDS.get(said["t"])
        if work is None or (not page.visit and said["t"] != "hi"):
            return
        if said["t"] in CHANGE:
            page.ready = None
        try:
            await work(self, page, said)
        except Crowd as crowd:
            self.tell_no(protocol.word(said.get("cid")), "flood", after=crowd.wait)
        except Held:
            if not page.visit:
                page.close(AGAIN)  # greeted when it connects again
            elif cid := protocol.word(said.get("cid")):
                self.tell_no(cid, "later", after=2)
        except Exception as error:
            # Its page stays connected, and says again what was not acknowledged, if that can help.
            logger.exception("a visitor's frame was not answered")
            lasting = isinstance(error, LASTING)
            self.tell_no(protocol.word(said.get("cid")), "wrong" if lasting else "later", after=0 if lasting else 2)

    def _wait(self, page: Page, what: str) -> float:
        """0 where this frame may be, else the seconds until one may."""
        frames = self.purse.frames
        for _time in range(2 if what in DEAR else 1):
            if wait := frames.spend(FRAMES, FRAMES_PER_SECOND):
                return wait
        if page.visitor or what == "hi":
            return 0
        return allowances.crowd_of(self.address).spend(allowances.CROWD, allowances.CROWD_PER_SECOND)

    async def disconnect(self, code: int) -> None:
        if self.page is not None and self.page.visit:
            if self.page.visitor:
                allowances.purse_of(self.page.visitor, self.purse)
            room.current().leave(self.page)

    # What is answered --------------------------------------------------------------------------------------------

    def put(self, **told: Any) -> None:
        if self.page is not None:
            self.page.put(frame(told))

    def tell_no(self, cid: str, why: str, *, after: float = 0, text: str = "") -> None:
        """Why something was not taken, in the visitor's language."""
        if not text and self.page is not None:
            with translation.override(self.page.language):
                text = str(WHY[why]() if why in WHY else WHY["wrong"]())
        told = {"after": max(1, round(after))} if after else {}
        if cid and after:
            self.turns.put_off(cid, why, told["after"])
        else:
            self.turns.over(cid)
        self.put(t="no", cid=cid, why=why, text=text, **told)

    # What is said ------------------------------------------------------------------------------------------------

    async def hi(self, page: Page, said: dict[str, Any]) -> None:
        here = room.current()
        visit = protocol.word(said.get("visit"))
        if not visit or page.visit:
            return
        wait = allowances.crowd_of(self.address).reserve(
            allowances.CROWD, allowances.CROWD_PER_SECOND, allowances.PATIENCE
        )
        if wait > allowances.PATIENCE:
            page.close(FLOODS)
            return
        if wait:
            await asyncio.sleep(wait)
        page.language = _language(said.get("lang"), self.door.settings)
        here.coming.begins(page)
        found = await here.in_thread(partial(greeting.greet, self.door, {**said, "from": self.address}, page.language))
        if page.closed or page.visit:
            return
        page.visit = visit  # only now: whoever could not be greeted says so again
        page.now_knows(found.shown, since=found.since)
        openings.told(page, found.frames)
        here.join(page)
        if found.visitor:
            self._meet(page, found.visitor)
            page.key = str(said.get("key") or "")
        self._on_site(page, found.site)
        self._tell(page, found.frames)

    async def start(self, page: Page, said: dict[str, Any]) -> None:
        here = room.current()
        if wait := self.purse.says.spend(SAYS, SAYS_PER_SECOND):
            self.tell_no(protocol.word(said.get("cid")), "flood", after=wait)
            return
        about = self._about(page, said)
        found = await here.in_thread(partial(deeds.start, self.door, page.visitor, page.language, about))
        self.turns.over(protocol.word(said.get("cid")))
        self._met(page, found)

    async def say(self, page: Page, said: dict[str, Any], chat: dict[str, Any] | None = None) -> Took | None:
        here, cid = room.current(), protocol.word(said.get("cid"))
        text = protocol.words(said.get("text"), protocol.MOST_FRAME).strip()
        if not cid:
            self.tell_no("", "wrong")
            return None
        if why := self.turns.waits(cid):
            self.tell_no(cid, why, after=1)
            return None
        if wait := self.purse.says.spend(SAYS, SAYS_PER_SECOND):
            self.tell_no(cid, "flood", after=wait)
            return None
        if len(text) > config.MOST_TEXT:
            self.tell_no(cid, "too_long")
            return None
        given = said.get("files")
        tokens = [one for one in given if isinstance(one, str)][: MOST_FILES + 1] if isinstance(given, list) else []
        if len(tokens) > MOST_FILES:
            self.tell_no(cid, "files")
            return None
        if not text and not tokens:
            self.tell_no(cid, "empty")
            return None
        ready = page.ready
        if tokens or ready is None or ready.row is None or ready.row.pk != page.visitor or ready.at < time.monotonic():
            about = self._about(page, said)
            ready = await here.in_thread(partial(deeds.prepare, self.door, page.visitor, page.language, about, tokens))
            self._met(page, ready)
            if ready.why or ready.row is None:
                self.tell_no(cid, ready.why or "wrong")
                return None
            page.ready = None if tokens else replace(ready, frames=[], at=time.monotonic() + READY)
        took = await here.intake.do(Said(self.door.channel, ready.row, cid, text, ready.files, chat, meta=ready.meta))
        if took is None:
            self.tell_no(cid, "wrong")
            return None
        if took.line is None:  # more than a line: what was found for it may be another now
            page.ready = None
        self._on_site(page, {"visitor": page.visitor, "chat": took.ticket})
        self.turns.over(cid)
        self.put(t="took", cid=cid, id=took.message, at=int(took.at.timestamp() * 1000))
        here.heard(took, page)
        return took

    async def typing(self, page: Page, said: dict[str, Any]) -> None:
        text = protocol.words(said.get("text"), DRAFT)
        now = time.monotonic()
        if not page.visitor or (text and now - self.typing_at < 0.5):
            return
        self.typing_at = now if text else 0.0
        ticket = await room.current().in_thread(partial(reading.ticket_of, page.visitor))
        if ticket is not None:
            hub.draft(ticket, text, bool(text), preview=self.door.settings.preview)

    async def seen(self, page: Page, said: dict[str, Any]) -> None:
        delivered, read = protocol.number(said.get("delivered")), protocol.number(said.get("read"))
        if page.visitor and (delivered or read):
            await room.current().in_thread(partial(reading.seen_by_visitor, page.visitor, delivered, read))

    async def moved(self, page: Page, said: dict[str, Any]) -> None:
        url = protocol.address(said.get("url"))
        if url:
            title = protocol.line(said.get("title"), 200)
            self._on_site(page, {"page": url, "title": title})
            if page.visitor:
                await room.current().in_thread(partial(deeds.visited, page.visitor, url, title))

    async def more(self, page: Page, said: dict[str, Any]) -> None:
        before = protocol.number(said.get("before"))
        if page.visitor and before:
            told = await room.current().in_thread(partial(deeds.older, page.visitor, before))
            if told is not None:
                page.put(frame(told))

    async def user(self, page: Page, said: dict[str, Any]) -> None:
        room.current().coming.begins(page)
        about = {**self._about(page, said), "key": page.key}
        found = await room.current().in_thread(partial(greeting.vouched, self.door, page.visitor, about, page.language))
        if found is None:
            self.tell_no("", "user")
            return
        if page.visitor and not found.visitor:  # logged out of the site
            room.current().part(page)
            page.knows_nothing()
            page.key = ""  # whoever logs in next on this connection is not told that it is gone once more
        self._met(page, found)
        if isinstance(found, greeting.Greeting):
            page.now_knows(found.shown)

    async def offline(self, page: Page, said: dict[str, Any]) -> None:
        if wait := self.purse.says.spend(SAYS, SAYS_PER_SECOND):
            self.tell_no(protocol.word(said.get("cid")), "flood", after=wait)
            return
        if len(protocol.words(said.get("text"), protocol.MOST_FRAME).strip()) > config.MOST_TEXT:
            self.tell_no(protocol.word(said.get("cid")), "too_long")
            return
        about = self._about(page, said)
        left = await room.current().in_thread(partial(deeds.leave, self.door, page.visitor, page.language, about))
        self.turns.over(protocol.word(said.get("cid")))
        self._met(page, left)

    async def other(self, page: Page, said: dict[str, Any]) -> None:
        """What needs the database and answers with frames: each is one function of `deeds`."""
        cid = protocol.word(said.get("cid")) if said["t"] in in_chat.ANSWERED else ""
        if said["t"] in in_chat.ALL and not page.visitor:
            if cid:
                self.tell_no(cid, "wrong")
            return
        if cid and (why := self.turns.waits(cid)):
            self.tell_no(cid, why, after=1)
            return
        if said["t"] in REPORTS and not allowances.may_report(self.address):
            return  # of so many from one address most are made up; who is on the site is not told by them
        told = await room.current().in_thread(
            partial(deeds.do, said["t"], self.door, page.visitor, page.visit, page.language, said)
        )
        if said["t"] == "journey":
            self._on_site(page, {"journeys": self._journeys(page, said)})
        self.turns.over(cid)
        for one in told:
            page.put(frame(one))

    def _journeys(self, page: Page, said: dict[str, Any]) -> dict[str, Any]:
        """How far the visit is in its journeys, after what it says now."""
        known: dict[str, Any] = page.about.get("journeys") or {}
        key = protocol.key(said.get("key"))
        declared = next((one for one in self.door.settings.journeys if one["key"] == key), None)
        if declared is None or known.get(key) == site.DONE or (said.get("what") == "start" and key in known):
            return known
        return {**known, key: site.progress(declared, time.time(), done=said.get("what") == "done")}

    def _meet(self, page: Page, visitor: int) -> None:
        room.current().meet(page, visitor)
        self.purse = allowances.purse_of(visitor, self.purse)

    def _met(self, page: Page, found: greeting.Met) -> None:
        here = room.current()
        if found.key:
            self._tell(page, [{"t": "key", "key": found.key, "at": int(time.time() * 1000)}])
        if found.visitor and found.visitor != page.visitor:
            if page.visitor:
                here.part(page)
                page.knows_nothing()
            self._meet(page, found.visitor)
        if found.joined:
            here.look_at(found.visitor)
        self._tell(page, found.frames)

    def _tell(self, page: Page, frames: greeting.Frames) -> None:
        for told in frames:
            if told["t"] == "key":
                page.key = told["key"]
            page.put(frame(told))

    def _about(self, page: Page, said: dict[str, Any]) -> dict[str, Any]:
        """What a first message brings along: what was asked before, and where on the site the visitor is."""
        return {**said, "visit": page.visit, "site": page.about, "from": self.address}

    def _on_site(self, page: Page, told: dict[str, Any]) -> None:
        """Who is on the site, and where: agents see it, if the channel shows it."""
        page.about |= {**told, "at": time.time()}
        if self.door.settings.visitors:
            room.current().site.put(page.visit, {"channel": self.door.channel.pk, **page.about})

    DEEDS: ClassVar[dict[str, Callable[[Any, Page, dict[str, Any]], Awaitable[Any]]]] = {
        "hi": hi,
        "start": start,
        "say": say,
        "typing": typing,
        "seen": seen,
        "page": moved,
        "more": more,
        "user": user,
        "offline": offline,
        **dict.fromkeys(
            ("attrs", "event", "journey", "invite", "press", "form", "human", "end", "rate", "transcript"),
            other,
        ),
    }


CHANGE = {"start", "user", "attrs", "event", "journey", "invite", *in_chat.ALL}  # what the next line needs
ANSWERED = {"start", "say", "offline", *in_chat.ANSWERED}  # their pages keep them until they are told
DEAR = {"seen", "page", "more", "typing", "user"}  # cost more queries than others
REPORTS = {"journey", "invite"}
WHY: dict[str, Callable[[], str]] = {
    "wrong": lambda: _("This could not be read."),
    "later": lambda: _("We could not take this just now. It is sent again in a moment."),
    "flood": lambda: _("That was very fast. Please wait a moment."),
    "too_long": lambda: _("This message is too long. Please send it in parts."),
    "empty": lambda: _("Write something first."),
    "files": lambda: _("A file is no longer there; please add it again."),
    "consent": lambda: _("Please agree first that what you write is kept."),
    "fields": lambda: _("Please fill in what is asked for before the chat."),
    "user": lambda: _("The site’s word for who you are could not be verified."),
}


def _language(asked: Any, settings: config.Settings) -> str:
    """The first of the channel's languages that the page asks for, whatever the region."""
    wanted = protocol.line(asked, 20).lower()
    for one in settings.languages:
        if wanted == one or wanted.split("-")[0] == one:
            return one
    return settings.languages[0]
