"""What people do under an Instagram account's posts, and what the account is told of it. Chats: see `messenger`.

A post's `payload["live"]` makes it a live broadcast, whose comments take no public answers.
"""

from __future__ import annotations

from typing import Any

from sandbox.phones import chats, faces, files
from sandbox.phones import messenger_events as events
from sandbox.phones.models import Account, Line, Person


def post(account: Account, caption: str, *, live: bool = False) -> Line:
    """A post of the account, with a picture unless it is live; nobody is told."""
    picture = None if live else files.keep(account, faces.draw(caption), "image/png", "post.png", days=10_000)
    return Line.objects.create(
        account=account,
        ours=True,
        public=True,
        kind="post",
        external_id=chats.digits(17),
        text=caption,
        payload={"live": True} if picture is None else {"picture": picture.external_id},
    )


def username(line: Line) -> str:
    return (
        str(line.account.settings.get("username") or line.account.name) if line.person is None else line.person.handle
    )


def comment(account: Account, person: Person, under: Line, text: str) -> Line:
    """Comment on a post, or answer a comment."""
    return add(account, person, under, text)


def add(account: Account, person: Person | None, under: Line, text: str) -> Line:
    """Somebody's comment, or (None) our own. An answer to an answer lands under their common first comment."""
    post = under if under.kind == "post" else Line.objects.get(account=account, external_id=under.thread)
    parent = "" if under.kind == "post" else under.reply_to or under.external_id
    line = Line.objects.create(
        account=account,
        person=person,
        ours=person is None,
        public=True,
        kind="comment",
        external_id=chats.digits(17),
        thread=post.external_id,
        reply_to=parent,
        text=text,
        payload={"live": True} if post.payload.get("live") else {},
    )
    known = account.external_id if person is None else person.external_id
    value: dict[str, Any] = {
        "id": line.external_id,
        "text": text,
        "from": {"id": known, "username": username(line)},
        "media": {"id": post.external_id, "media_product_type": "LIVE" if post.payload.get("live") else "FEED"},
    }
    if parent:
        value["parent_id"] = parent
    events.tell_change(account, "live_comments" if post.payload.get("live") else "comments", value)
    return line


def remove(account: Account, person: Person | None, line: Line) -> Line:
    """Take a comment away, with what answers it. Instagram tells nobody."""
    for answer in Line.objects.filter(account=account, reply_to=line.external_id, public=True, deleted_at=None):
        chats.delete(answer)
    chats.delete(line)
    return line


def end_live(account: Account, post: Line) -> None:
    """End a broadcast: its comments can no longer be answered in private."""
    for line in Line.objects.filter(account=account, thread=post.external_id):
        line.payload["live_over"] = True
        line.save(update_fields=["payload"])
