"""The Graph API's part for a Facebook page: itself, the people who wrote to it, its posts and their comments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.phones import chats, facebook, faces, files, graph
from sandbox.phones.graph import SUCCESS, Asked, GraphError, route
from sandbox.phones.models import Line, Person

MOST = 8000
COMMENT_BYTES = 10 * 1024 * 1024


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


@route("facebook", "account", "GET")
def page(asked: Asked) -> dict[str, Any]:
    account = asked.account
    known = {
        "id": account.external_id,
        "name": account.name,
        "username": account.settings.get("username", ""),
        "category": "Shopping & retail",
        "link": f"https://www.facebook.com/{account.external_id}",
        "access_token": account.secrets.get("token"),
        "picture": {"data": {"url": f"{files.base(account)}/picture.png", "is_silhouette": True}},
        "instagram_business_account": account.settings.get("instagram_business_account"),
    }
    return graph.pick(asked, known, "name,id")


@route("facebook", "person", "GET")
def profile(asked: Asked) -> dict[str, Any]:
    """Names and picture of who wrote to the page; empty, or an error, of who hides them."""
    person: Person = asked.row
    hidden = person.attributes.get("hides_profile")
    if hidden == "error":
        raise GraphError(100, "The profile is not available.", subcode=2018218)
    if hidden:
        return {}
    first, _, last = person.name.partition(" ")
    known = {
        "id": person.external_id,
        "name": person.name,
        "first_name": first,
        "last_name": last or None,
        "profile_pic": faces.url_of(person),
    }
    return graph.pick(asked, known, "first_name,last_name,profile_pic")


def _posted(line: Line) -> dict[str, Any]:
    return {
        "id": line.external_id,
        "message": line.text,
        "created_time": iso(line.at),
        "from": facebook.author(line),
        "permalink_url": f"https://www.facebook.com/{line.external_id}",
        "full_picture": line.payload.get("picture"),
    }


@route("facebook", "account", "GET", "feed")
@route("facebook", "account", "GET", "posts")
def posts(asked: Asked) -> dict[str, Any]:
    graph.need(asked.account, "pages_read_engagement", 10)
    lines = asked.account.lines.filter(kind="post", deleted_at=None).order_by("-pk")
    return graph.paged(asked, [graph.pick(asked, _posted(line), "id,message,created_time") for line in lines])


@route("facebook", "account", "POST", "feed")
def write_post(asked: Asked) -> dict[str, Any]:
    graph.need(asked.account, "pages_manage_posts", 200)
    if not asked.text("message"):
        raise GraphError(100, "The parameter message is required.")
    return {"id": facebook.post(asked.account, asked.text("message")).external_id}


@route("facebook", "post", "GET")
def post(asked: Asked) -> dict[str, Any]:
    return graph.pick(asked, _posted(asked.row), "id,message,created_time")


def _commented(line: Line) -> dict[str, Any]:
    reactions = Line.objects.filter(pk=line.pk).values_list("reactions", flat=True).get()
    return {
        "id": line.external_id,
        "message": line.text,
        "from": facebook.author(line),
        "created_time": iso(line.at),
        "parent": {"id": line.reply_to} if line.reply_to else None,
        "is_hidden": line.hidden,
        "can_hide": not line.ours,
        "can_reply_privately": not line.ours and not line.payload.get("private_reply"),
        "like_count": len(reactions),
        "user_likes": "us" in reactions,
        "comment_count": line.account.lines.filter(reply_to=line.external_id, public=True, deleted_at=None).count(),
        "permalink_url": f"https://www.facebook.com/{line.thread}?comment_id={line.external_id.rsplit('_', 1)[-1]}",
    }


@route("facebook", "post", "GET", "comments")
@route("facebook", "comment", "GET", "comments")
def comments(asked: Asked) -> dict[str, Any]:
    """Those under a post (`filter` stream: with the answers to them), or the answers to a comment."""
    graph.need(asked.account, "pages_read_user_content", 10)
    row: Line = asked.row
    lines = row.account.lines.filter(kind="comment", deleted_at=None).select_related("account", "person")
    if row.kind == "post":
        lines = lines.filter(thread=row.external_id)
        if asked.text("filter") != "stream":
            lines = lines.filter(reply_to="")
    else:
        lines = lines.filter(reply_to=row.external_id)
    lines = lines.order_by("-pk" if asked.text("order") == "reverse_chronological" else "pk")
    default = "created_time,from,message,id"
    return graph.paged(asked, [graph.pick(asked, _commented(line), default) for line in lines])


@route("facebook", "post", "POST", "comments")
@route("facebook", "comment", "POST", "comments")
def answer(asked: Asked) -> dict[str, Any]:
    """Comment as the page."""
    graph.need(asked.account, "pages_manage_engagement", 200)
    message, url = asked.text("message"), asked.text("attachment_url")
    if not message and not url:
        raise GraphError(100, "The parameter message is required.")
    _check_length(message)
    payload: dict[str, Any] = {}
    if url:
        try:
            payload = {"media": [files.fetch(asked.account, url, COMMENT_BYTES).external_id], "kinds": ["image"]}
        except files.NotFetched as error:
            raise GraphError(100, f"Invalid parameter: attachment_url ({error})") from error
    return {"id": facebook.add(asked.account, None, asked.row, message, payload).external_id}


def _check_length(message: str) -> None:
    if len(message) > MOST:
        raise GraphError(100, f"Length of param message must be less than or equal to {MOST}")


@route("facebook", "comment", "GET")
def comment(asked: Asked) -> dict[str, Any]:
    return graph.pick(asked, _commented(asked.row), "created_time,from,message,id")


@route("facebook", "comment", "POST")
def change(asked: Asked) -> dict[str, Any]:
    """Hide a comment or show it again; change an own one."""
    graph.need(asked.account, "pages_manage_engagement", 200)
    line: Line = asked.row
    hidden, message = asked.truth("is_hidden"), asked.text("message")
    if hidden is None and not message:
        raise GraphError(100, "Invalid parameter")
    if hidden is not None:
        if line.ours:
            raise GraphError(100, "The page cannot hide its own comment.")
        line.hidden = hidden
        line.save(update_fields=["hidden"])
        facebook.tell(line, "hide" if hidden else "unhide")
    if message:
        if not line.ours:
            raise GraphError(200, "Permissions error", status=403)
        _check_length(message)
        chats.edit(line, message)
        facebook.tell(line, "edited")
    return SUCCESS


@route("facebook", "comment", "DELETE")
def remove(asked: Asked) -> dict[str, Any]:
    graph.need(asked.account, "pages_manage_engagement", 200)
    facebook.remove(asked.account, None, asked.row)
    return SUCCESS


@route("facebook", "comment", "POST", "likes")
@route("facebook", "post", "POST", "likes")
def like(asked: Asked) -> dict[str, Any]:
    graph.need(asked.account, "pages_manage_engagement", 200)
    chats.react(asked.row, "us", "LIKE")
    return SUCCESS


@route("facebook", "comment", "DELETE", "likes")
@route("facebook", "post", "DELETE", "likes")
def unlike(asked: Asked) -> dict[str, Any]:
    graph.need(asked.account, "pages_manage_engagement", 200)
    chats.react(asked.row, "us", "")
    return SUCCESS
