"""The Graph API's part for an Instagram account: itself, the people who wrote to it, its posts and their comments."""

from __future__ import annotations

import re
from typing import Any

from sandbox.phones import faces, files, graph, instagram
from sandbox.phones.facebook_api import iso
from sandbox.phones.graph import SUCCESS, Asked, GraphError, route
from sandbox.phones.models import Line, Person

MOST, MOST_URLS, MOST_TAGS = 300, 1, 4
MANAGE = "instagram_business_manage_comments"


@route("instagram", "account", "GET")
def account(asked: Asked) -> dict[str, Any]:
    row = asked.account
    known = {
        "id": f"28{row.external_id}",  # for the app alone: in no webhook
        "user_id": row.external_id,
        "username": row.settings.get("username") or row.name,
        "name": row.name,
        "account_type": "BUSINESS",
        "profile_picture_url": f"{files.base(row)}/picture.png",
        "followers_count": 100,
    }
    return graph.pick(asked, known, "id")


@route("instagram", "person", "GET")
def profile(asked: Asked) -> dict[str, Any]:
    """Name and picture of who wrote to the account: only that is their consent."""
    person: Person = asked.row
    if not person.lines.filter(ours=False, public=False).exists():
        raise GraphError(230, "User consent is required to access user profile", status=403)
    if person.attributes.get("hides_profile"):
        return {}
    known = {
        "id": person.external_id,
        "name": person.name,
        "username": person.handle,
        "profile_pic": faces.url_of(person),
        "follower_count": 10,
        "is_user_follow_business": True,
        "is_business_follow_user": False,
        "is_verified_user": False,
    }
    return graph.pick(asked, known, "name,username")


def _posted(line: Line) -> dict[str, Any]:
    """Of IG Media those fields that a business reads; `thumbnail_url` is a film's alone, and none are made here."""
    picture = line.account.media.filter(external_id=line.payload.get("picture", "")).first()
    return {
        "id": line.external_id,
        "caption": line.text,
        "timestamp": iso(line.at),
        "media_type": "IMAGE",
        "media_url": files.url_of(picture) if picture is not None else None,
        "thumbnail_url": None,
        "media_product_type": "LIVE" if line.payload.get("live") else "FEED",
        "permalink": f"https://www.instagram.com/p/{line.external_id}/",
        "username": instagram.username(line),
    }


@route("instagram", "account", "GET", "media")
def posts(asked: Asked) -> dict[str, Any]:
    lines = asked.account.lines.filter(kind="post", deleted_at=None).order_by("-pk")
    return graph.paged(asked, [graph.pick(asked, _posted(line), "id") for line in lines])


@route("instagram", "post", "GET")
def post(asked: Asked) -> dict[str, Any]:
    return graph.pick(asked, _posted(asked.row), "id")


def _commented(line: Line) -> dict[str, Any]:
    known = line.account.external_id if line.person is None else line.person.external_id
    return {
        "id": line.external_id,
        "text": line.text,
        "timestamp": iso(line.at),
        "username": instagram.username(line),
        "from": {"id": known, "username": instagram.username(line)},
        "hidden": line.hidden,
        "like_count": len(line.reactions),
        "parent_id": line.reply_to or None,
        "media": {"id": line.thread},
    }


@route("instagram", "post", "GET", "comments")
@route("instagram", "comment", "GET", "replies")
def comments(asked: Asked) -> dict[str, Any]:
    """The first comments of a post, or the answers to one; the newest first."""
    graph.need(asked.account, MANAGE)
    row: Line = asked.row
    lines = row.account.lines.filter(kind="comment", deleted_at=None).select_related("account", "person")
    under = {"thread": row.external_id, "reply_to": ""} if row.kind == "post" else {"reply_to": row.external_id}
    rows = [graph.pick(asked, _commented(line), "id,text,timestamp") for line in lines.filter(**under).order_by("-pk")]
    return graph.paged(asked, rows)


@route("instagram", "post", "POST", "comments")
@route("instagram", "comment", "POST", "replies")
def answer(asked: Asked) -> dict[str, Any]:
    """Comment as the account."""
    graph.need(asked.account, MANAGE)
    message, row = asked.text("message"), asked.row
    if not message:
        raise GraphError(100, "The parameter message is required.")
    if len(message) > MOST:
        raise GraphError(100, f"Length of param message must be less than or equal to {MOST}")
    if len(re.findall(r"https?://", message)) > MOST_URLS or len(re.findall(r"#\w", message)) > MOST_TAGS:
        raise GraphError(100, f"Invalid parameter: at most {MOST_URLS} url and {MOST_TAGS} hashtags")
    if row.hidden or row.payload.get("live"):
        raise GraphError(100, "Invalid parameter: this comment cannot be replied to")
    return {"id": instagram.add(asked.account, None, row, message).external_id}


@route("instagram", "comment", "GET")
def comment(asked: Asked) -> dict[str, Any]:
    return graph.pick(asked, _commented(asked.row), "id,text,timestamp")


@route("instagram", "comment", "POST")
def hide(asked: Asked) -> dict[str, Any]:
    """Hide a comment of somebody, or show it again."""
    graph.need(asked.account, MANAGE)
    line: Line = asked.row
    hidden = asked.truth("hide")
    if hidden is None:
        raise GraphError(100, "The parameter hide is required.")
    if line.ours:
        raise GraphError(100, "Invalid parameter: own comments cannot be hidden")
    line.hidden = hidden
    line.save(update_fields=["hidden"])
    return SUCCESS


@route("instagram", "comment", "DELETE")
def remove(asked: Asked) -> dict[str, Any]:
    graph.need(asked.account, MANAGE)
    instagram.remove(asked.account, None, asked.row)
    return SUCCESS
