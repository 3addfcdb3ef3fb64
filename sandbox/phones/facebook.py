"""What people do under a Facebook page's posts, and what the page is told of it. Chats: see `messenger`.

A post and a comment are lines: a comment's `thread` is its post, `reply_to` the comment that it answers, if any.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from sandbox.phones import chats
from sandbox.phones import messenger_events as events
from sandbox.phones.models import Account, Line, Person, Told


def post(account: Account, message: str) -> Line:
    """A post on the page."""
    external_id = f"{account.external_id}_{chats.digits(9)}"
    line = Line(account=account, ours=True, public=True, kind="post", external_id=external_id, text=message)
    line.save()
    value = {"item": "status", "verb": "add", "post_id": external_id, "published": 1, "message": message}
    events.tell_change(account, "feed", {**value, "from": author(line), "created_time": seconds(line)})
    return line


def seconds(line: Line) -> int:
    return int(line.at.timestamp())


def commenter_id(person: Person) -> str:
    """Who comments is known by another id than who writes to the page."""
    if "user_id" not in person.attributes:
        chats.remember(person, user_id=chats.digits(17))
    return str(person.attributes["user_id"])


def author(line: Line) -> dict[str, str]:
    """Who wrote a post or a comment."""
    if line.ours or line.person is None:
        return {"id": line.account.external_id, "name": line.account.name}
    return {"id": commenter_id(line.person), "name": line.person.name}


def comment(account: Account, person: Person, under: Line, message: str) -> Line:
    """Comment on a post, or answer a comment."""
    return add(account, person, under, message)


def add(account: Account, person: Person | None, under: Line, message: str, payload: Any = None) -> Line:
    """Somebody's comment, or (None) the page's own."""
    parent = under.external_id if under.kind != "post" else ""
    thread = under.thread or under.external_id
    line = Line.objects.create(
        account=account,
        person=person,
        ours=person is None,
        public=True,
        kind="comment",
        external_id=f"{thread.rsplit('_', 1)[-1]}_{chats.digits(9)}",
        thread=thread,
        reply_to=parent,
        text=message,
        payload=payload or {},
    )
    tell(line, "add")
    return line


def tell(line: Line, verb: str) -> Told | None:
    """Queue what became of a comment: add, edited, remove, hide, unhide."""
    value: dict[str, Any] = {
        "item": "comment",
        "verb": verb,
        "post_id": line.thread,
        "comment_id": line.external_id,
        "parent_id": line.reply_to or line.thread,
        "from": author(line),
        "created_time": seconds(line) if verb == "add" else int(timezone.now().timestamp()),
    }
    if verb in {"add", "edited"}:
        value["message"] = line.text
    return events.tell_change(line.account, "feed", value)


def edit(account: Account, person: Person, line: Line, message: str) -> Line:
    """Change an own comment."""
    chats.edit(line, message)
    tell(line, "edited")
    return line


def remove(account: Account, person: Person | None, line: Line) -> Line:
    """Take a comment away, with what answers it."""
    for answer in Line.objects.filter(account=account, reply_to=line.external_id, public=True, deleted_at=None):
        chats.delete(answer)
    chats.delete(line)
    tell(line, "remove")
    return line


def like(account: Account, person: Person, line: Line, liked: bool = True) -> Told | None:
    """Like a post or a comment, or no longer."""
    chats.react(line, person.external_id, "LIKE" if liked else "")
    value: dict[str, Any] = {
        "item": "reaction",
        "verb": "add" if liked else "remove",
        "reaction_type": "like",
        "post_id": line.thread or line.external_id,
        "parent_id": line.thread or line.external_id.split("_")[0],
        "from": {"id": commenter_id(person), "name": person.name},
        "created_time": int(timezone.now().timestamp()),
    }
    if line.kind == "comment":
        value["comment_id"] = line.external_id
    return events.tell_change(account, "feed", value)
