"""What somebody did on the site before they wrote: pages and tracked events, in Redis for some hours.

Nobody who only looks at a site has a row in PostgreSQL. When they write, what lies here becomes part of their
customer's journey (`channels_chat.actions.proactive`). Redis may be emptied: then that part of it is not told.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from channels_chat import memory

logger = logging.getLogger(__name__)

PREFIX = "rabta:trail"
LIVES = 6 * 3600  # seconds
MOST = 50  # steps of one visit
VISIT = re.compile(r"[A-Za-z0-9_-]{8,40}")


def key(channel: int, visit: str) -> str:
    return f"{PREFIX}:{channel}:{visit}"


def page(url: str, title: str, at: float) -> str:
    """A page view as a step."""
    return json.dumps({"page": url, "title": title, "at": at}, separators=(",", ":"))


def note_event(channel: int, visit: str, cid: str, name: str, data: Mapping[str, Any]) -> None:
    """Keep an event of a visit that has no customer yet. Never an error."""
    told = json.dumps({"event": name, "cid": cid, "data": data, "at": time.time()}, separators=(",", ":"))
    try:
        pipe = memory.line().pipeline(transaction=False)
        pipe.rpush(key(channel, visit), told)
        pipe.ltrim(key(channel, visit), -MOST, -1)
        pipe.expire(key(channel, visit), LIVES)
        pipe.execute()
    except (RedisError, OSError) as error:
        logger.warning("what happened in a visit is not kept: %r", error)


def of(channel: int, visit: str) -> list[dict[str, Any]]:
    """The steps of a visit, the oldest first; none while Redis is away."""
    try:
        found: Any = memory.line().lrange(key(channel, visit), 0, -1)
    except (RedisError, OSError) as error:
        logger.warning("what happened in a visit cannot be read: %r", error)
        return []
    steps = []
    for text in found:
        try:
            told = json.loads(text)
        except ValueError:
            continue
        if isinstance(told, dict) and isinstance(told.get("at"), int | float):
            steps.append(told)
    return steps


def forget(channel: int, visit: str) -> None:
    """What lay here is part of a customer's journey now."""
    try:
        memory.line().delete(key(channel, visit))
    except (RedisError, OSError):
        logger.info("Redis is away; a visit's steps run out by themselves")


def note_invitation(channel: int, visit: str, agent: int, text: str) -> None:
    """Keep what an agent wrote to somebody on the site, until they answer. Never an error."""
    try:
        memory.line().set(f"{key(channel, visit)}:{agent}", text, ex=LIVES)
    except (RedisError, OSError) as error:
        logger.warning("what an agent wrote to a visit is not kept: %r", error)


def invitation(channel: int, visit: str, agent: int) -> str:
    """What this agent wrote to this visit; empty once it is forgotten."""
    try:
        found: Any = memory.line().get(f"{key(channel, visit)}:{agent}")
    except (RedisError, OSError):
        return ""
    return found.decode() if found else ""
