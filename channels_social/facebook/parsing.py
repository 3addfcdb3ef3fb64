"""What a page is told of comments under its posts (the field `feed`), as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from channels_social import reading
from channels_social.meta_events import REACTIONS, Account, Table, comment_id
from inbox.adapters import Edit, Hiding, Ignore, Inbound, Parsed, Reaction, RemoteMedia, Withdrawal
from lib import language

HIDING = {"hide", "unhide", "hidden", "unhidden"}


def comment(change: Table, account: Account, at: datetime) -> Sequence[Parsed]:
    """One change of the page. Raises Ignore for what is no comment, and ValueError for a comment of nobody."""
    value = reading.table(change.get("value"))
    item, verb = reading.text(value.get("item"), 40), reading.text(value.get("verb"), 20)
    identifier = comment_id(value)
    if change.get("field") != "feed" or not identifier or item not in {"comment", "reaction", "like"}:
        what = item or reading.text(change.get("field"), 40)
        raise Ignore(_("Facebook tells of %(what)s, which is no comment.") % {"what": what or "?"})
    when = reading.seconds(value.get("created_time")) or at
    author = reading.table(value.get("from"))
    ours = reading.text(author.get("id"), 100) == account.own
    who = account.person(author.get("id"), reading.name_of(author.get("name")), comments=True)
    if item in {"reaction", "like"}:
        if who is None:
            raise ValueError("a reaction of nobody")
        kind = reading.text(value.get("reaction_type"), 20) or "like"
        emoji = "" if verb == "remove" else REACTIONS.get(kind, REACTIONS["love" if kind == "care" else "like"])
        return [Reaction(identifier, None if ours else who, emoji, when)]
    if verb in {"edited", "edit"}:
        return [Edit(identifier, reading.text(value.get("message")), max(when, at))]
    if verb in {"remove", "delete"}:
        return [Withdrawal(identifier, at)]
    if verb in HIDING:
        return [Hiding(identifier, verb in {"hide", "hidden"}, at)]
    if verb != "add":
        raise Ignore(_("Facebook tells of %(what)s, which is no comment.") % {"what": f"{item}, {verb}"})
    if who is None:
        raise ValueError(_("Facebook does not say who commented: the token needs the permission to read comments."))
    root = root_of(value, account)
    thread = f"comment:{root}"
    to = account.talks_to(thread) if ours else None
    text = reading.text(value.get("message"))
    media = _media(value)
    return [
        Inbound(
            key=identifier,
            scope=account.keys,
            sender=None if ours else who,
            to=(to,) if to is not None else (),
            text=text,
            visible_text=text,
            external_id=identifier,
            language=language.detect(text),
            at=when,
            in_reply_to=parent_of(value, account),
            thread_key=thread,
            content_kind="image" if media and not text else "text",
            payload={"public": True, "post": _post(value), "comment_id": identifier, "thread": root},
            remote=media,
            echo=ours,
        )
    ]


def parent_of(value: Table, account: Account) -> str:
    """The comment that it answers; empty for one right below the post, whose parent is the post or its picture."""
    parent, post = reading.text(value.get("parent_id"), 200), reading.text(value.get("post_id"), 200)
    if parent in {post, post.rpartition("_")[2], comment_id(value)} or parent.startswith(f"{account.own}_"):
        return ""
    return parent


def root_of(value: Table, account: Account) -> str:
    """The first comment of its thread: answers to answers hang below it, too."""
    parent = parent_of(value, account)
    return (account.root_of(parent) or parent) if parent else comment_id(value)


def _post(value: Table) -> dict[str, Any]:
    post = reading.table(value.get("post"))
    found = {
        "id": reading.text(value.get("post_id"), 200),
        "url": reading.text(post.get("permalink_url"), 1000),
        "text": reading.text(post.get("message"), 500),
    }
    return {name: one for name, one in found.items() if one}


def _media(value: Table) -> tuple[RemoteMedia, ...]:
    told = {"image/*": reading.text(value.get("photo"), 2000), "video/*": reading.text(value.get("video"), 2000)}
    return tuple(RemoteMedia({"url": url}, content_type=kind) for kind, url in told.items() if url)
