"""The Send API of Messenger and Instagram, and what pages and accounts subscribe an app to."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from sandbox.phones import chats, files, graph
from sandbox.phones import messenger_events as events
from sandbox.phones.graph import SUCCESS, Asked, GraphError, route
from sandbox.phones.models import Account, Line, Media, Person

BOTH = "facebook instagram"
TEXT, TEXT_BYTES, METADATA = 2000, 1000, 1000
ACTIONS = {"typing_on", "typing_off", "mark_seen", "react", "unreact"}


@route(BOTH, "account", "POST", "subscribed_apps")
def subscribe(asked: Asked) -> dict[str, Any]:
    """Tell the app of these fields of the page."""
    graph.need(asked.account, "pages_manage_metadata", 200)
    given = asked.params.get("subscribed_fields")
    fields = given.split(",") if isinstance(given, str) else given
    if not fields:
        raise GraphError(100, "The parameter subscribed_fields is required.")
    rules = events.RULES[asked.account.platform]
    known = rules.all_fields | set(rules.fields.values())
    for number, name in enumerate(fields):
        if name not in known:
            raise GraphError(100, f"Param subscribed_fields[{number}] must be one of {{{', '.join(sorted(known))}}}")
    chats.arrange(asked.account, subscribed_fields=list(fields))
    return SUCCESS


@route(BOTH, "account", "GET", "subscribed_apps")
def subscriptions(asked: Asked) -> dict[str, Any]:
    fields = asked.account.settings.get("subscribed_fields")
    app = {"name": "Rabta", "id": asked.account.settings.get("app_id", ""), "subscribed_fields": fields}
    return {"data": [app] if fields else []}


@route(BOTH, "account", "DELETE", "subscribed_apps")
def unsubscribe(asked: Asked) -> dict[str, Any]:
    chats.arrange(asked.account, subscribed_fields=[])
    return SUCCESS


@route(BOTH, "account", "POST", "take_thread_control")
def take(asked: Asked) -> dict[str, Any]:
    """Answer a person whom another app answered until now."""
    chats.remember(_person(asked.account, asked.tree("recipient")), thread_owner=None)
    return SUCCESS


@route(BOTH, "account", "POST", "pass_thread_control")
def hand_over(asked: Asked) -> dict[str, Any]:
    person = _person(asked.account, asked.tree("recipient"))
    chats.remember(person, thread_owner=asked.text("target_app_id") or str(events.PAGE_INBOX))
    return SUCCESS


@route(BOTH, "account", "POST", "message_attachments")
def upload(asked: Asked) -> dict[str, Any]:
    """Keep a file, to be sent by its id."""
    return {"attachment_id": _attached(asked, asked.tree("message").get("attachment") or {})[0].external_id}


@route(BOTH, "account", "POST", "messages")
def messages(asked: Asked) -> dict[str, Any]:
    """Send a message, answer a comment in private, or show that we type, have seen, react."""
    account = asked.account
    graph.need(account, events.RULES[account.platform].permission)
    recipient = asked.tree("recipient")
    if not recipient:
        raise GraphError(100, "The parameter recipient is required.")
    comment = _comment(account, str(recipient["comment_id"])) if recipient.get("comment_id") else None
    person = comment.person if comment is not None else _person(account, recipient)
    assert person is not None
    if asked.text("sender_action"):
        return _act(asked, person)
    line = _line(asked, person)
    _check_reachable(person)
    if comment is None:
        _check_window(asked, person)
    line.save()
    if comment is not None:
        comment.payload["private_reply"] = line.external_id
        comment.save(update_fields=["payload"])
    events.tell_echo(line, account.settings.get("app_id", ""))
    events.tell_delivered(line)
    return {"recipient_id": person.external_id, "message_id": line.external_id}


def _person(account: Account, recipient: dict[str, Any]) -> Person:
    person = account.people.filter(external_id=str(recipient.get("id"))).first()
    if person is None:
        raise GraphError(100, "No matching user found", subcode=2018001)
    return person


def _comment(account: Account, comment_id: str) -> Line:
    """The comment to be answered in private: once, and within a week."""
    comment = chats.found(account, comment_id)
    if comment is None or not comment.public or comment.ours or comment.person is None:
        raise GraphError(100, f"Invalid parameter: there is no comment {comment_id}", subcode=33)
    if comment.payload.get("private_reply"):
        raise GraphError(10900, "Activity already replied to")
    if timezone.now() - comment.at > chats.WEEK:
        raise _outside(account)
    if comment.payload.get("live_over"):
        raise GraphError(100, "Invalid parameter: the broadcast is over")
    return comment


def _outside(account: Account) -> GraphError:
    subcode = events.RULES[account.platform].window_subcode
    return GraphError(10, "This message is sent outside of allowed window.", subcode=subcode)


def _check_reachable(person: Person) -> None:
    if person.blocked:
        raise GraphError(551, "This person isn't available right now.", subcode=1545041)
    if person.attributes.get("thread_owner"):
        message = "Message failed to send because another app is controlling this thread now."
        raise GraphError(10, message, subcode=2018300)


def _check_window(asked: Asked, person: Person) -> None:
    kind, tag = asked.text("messaging_type") or "RESPONSE", asked.text("tag")
    if kind not in {"RESPONSE", "UPDATE", "MESSAGE_TAG"}:
        raise GraphError(100, "Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG}")
    if kind == "MESSAGE_TAG" or tag:
        if tag != "HUMAN_AGENT" or kind != "MESSAGE_TAG":
            raise GraphError(100, f'Param tag must be one of {{HUMAN_AGENT}} - got "{tag}"')
        graph.need(asked.account, "human_agent")
        if not chats.window_open(person, chats.WEEK):
            raise _outside(asked.account)
    elif not chats.window_open(person):
        raise _outside(asked.account)


def _act(asked: Asked, person: Person) -> dict[str, Any]:
    action = asked.text("sender_action")
    if action not in ACTIONS:
        raise GraphError(100, f"Param sender_action must be one of {{{', '.join(sorted(ACTIONS))}}}")
    _check_reachable(person)
    if action in {"react", "unreact"}:
        payload = asked.tree("payload")
        line = chats.found(asked.account, str(payload.get("message_id")), person)
        if line is None or (action == "react" and not payload.get("reaction")):
            raise GraphError(100, "Invalid parameter: payload")
        chats.react(line, "us", str(payload["reaction"]) if action == "react" else "")
    elif action == "mark_seen":
        person.lines.filter(ours=False, public=False).update(state="read")
    else:
        chats.type_for(person, 20 if action == "typing_on" else 0)
    return {"recipient_id": person.external_id}


def _line(asked: Asked, person: Person) -> Line:
    """The line that is to be said, checked, and not yet kept."""
    account, message = asked.account, asked.tree("message")
    if not message:
        raise GraphError(100, "The parameter message is required.")
    text, attachment = message.get("text"), message.get("attachment") or {}
    if bool(text) == bool(attachment):
        raise GraphError(100, "Param message must have either text or attachment")
    metadata = message.get("metadata") or ""
    if len(metadata) > METADATA:
        raise GraphError(100, f"Length of param message[metadata] must be less than or equal to {METADATA}")
    mid = events.new_mid(account)
    line = Line(
        account=account, person=person, ours=True, external_id=mid, state="sent", payload={"metadata": metadata}
    )
    if text:
        _check_text(account, str(text))
        line.text = str(text)
        quick = message.get("quick_replies") or []
        line.payload |= {"buttons": _buttons(quick), "quick": True} if quick else {}
    elif attachment.get("type") == "template":
        shown = attachment.get("payload") or {}
        line.kind, line.text = "template", str(shown.get("text") or "")
        line.payload |= {"template": shown, "buttons": _buttons(shown.get("buttons") or [])}
    else:
        media, line.kind = _attached(asked, attachment)
        line.payload |= {"media": [media.external_id], "kinds": [line.kind]}
    answered = asked.tree("reply_to").get("mid")
    if answered:
        if chats.found(account, str(answered), person) is None:
            raise GraphError(100, "Invalid parameter: reply_to")
        line.reply_to = str(answered)
    return line


def _check_text(account: Account, text: str) -> None:
    if account.platform == "facebook" and len(text) >= TEXT:
        raise GraphError(100, f"Length of param message[text] must be less than {TEXT}")
    if account.platform == "instagram" and len(text.encode()) > TEXT_BYTES:
        raise GraphError(100, f"Length of param message[text] must be less than or equal to {TEXT_BYTES} bytes")


def _buttons(given: list[dict[str, Any]]) -> list[list[str]]:
    """Label and payload of each."""
    if len(given) > 13 or any(len(str(one.get("title") or "")) > 20 for one in given):
        raise GraphError(100, "Invalid parameter: too many buttons, or too long a title")
    return [[str(one.get("title")), str(one["payload"])] for one in given if one.get("payload")]


def _attached(asked: Asked, attachment: dict[str, Any]) -> tuple[Media, str]:
    """The file and its type: uploaded with the call, known by its id, or fetched from a url."""
    most, kind = events.RULES[asked.account.platform].most, str(attachment.get("type"))
    if kind not in most:
        raise GraphError(100, f"Attachment type {kind} is not supported", subcode=2018047)
    payload = attachment.get("payload") or {}
    payload = json.loads(payload) if isinstance(payload, str) else payload
    too_big = GraphError(100, "Attachment size exceeds allowable limit", subcode=2018109)
    if (file := asked.files.get("filedata")) is not None:
        if (file.size or 0) > most[kind]:
            raise too_big
        return files.keep(asked.account, file.read(), file.content_type or "", file.name or ""), kind
    if payload.get("attachment_id"):
        media = Media.objects.filter(account=asked.account, external_id=str(payload["attachment_id"])).first()
        if media is None:
            raise GraphError(100, "Invalid parameter: attachment_id", subcode=2018074)
        return media, kind
    try:
        media = files.fetch(asked.account, str(payload.get("url") or ""), most[kind])
    except files.TooBig as error:
        raise too_big from error
    except files.NotFetched as error:
        raise GraphError(100, f"Failed to fetch the file from the url ({error})", subcode=2018008) from error
    if kind != "file" and not media.content_type.startswith(f"{kind}/"):
        raise GraphError(100, "Attachment type does not match the file", subcode=2018047)
    return media, kind
