"""What people do in a chat with a page or an Instagram account: the line is made, and what we are told is queued.

A person's `external_id` is the PSID or IGSID, `handle` the user name; `attributes`: hides_profile (True: an empty
profile, "error": none), thread_owner (another app answers now), user_id (who comments on Facebook is known by that).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sandbox.phones import chats, files
from sandbox.phones import messenger_events as events
from sandbox.phones.acts import Cannot
from sandbox.phones.models import Account, Line, Person, Told

EDITABLE, MOST_EDITS = timedelta(minutes=15), 5
REACTIONS = {"❤️": "love", "😆": "smile", "😮": "wow", "😢": "sad", "😠": "angry", "👍": "like", "👎": "dislike"}


def meet(account: Account, name: str, phone: str = "", *, handle: str = "") -> Person:
    """Somebody on Facebook or Instagram whom this page does not know yet."""
    handle = handle or (name.lower().replace(" ", ".") if account.platform == "instagram" else "")
    return Person.objects.create(account=account, external_id=chats.digits(16), name=name, handle=handle)


def text(account: Account, person: Person, body: str, *, reply_to: str = "") -> Line:
    line = _line(account, person, "text", text=body, reply_to=reply_to)
    events.tell_message(line)
    return line


def attach(
    account: Account, person: Person, sent: Sequence[tuple[str, bytes, str, str]], *, reply_to: str = ""
) -> Line:
    """Send files in one message, each (image|video|audio|file|sticker, content, content type, name)."""
    kept = [files.keep(account, content, content_type, name) for _kind, content, content_type, name in sent]
    kinds = [kind for kind, *_rest in sent]
    payload = {"media": [one.external_id for one in kept], "kinds": kinds}
    line = _line(account, person, kinds[0], payload=payload, reply_to=reply_to)
    events.tell_message(line)
    return line


def react(account: Account, person: Person, line: Line, emoji: str) -> Told | None:
    """Put a reaction at a line, or take it away with "". A reaction opens the window, too."""
    before = line.reactions.get(person.external_id, "")
    chats.react(line, person.external_id, emoji)
    chats.remember(person, reacted_at=timezone.now().isoformat())
    reaction = {"mid": line.external_id, "action": "react" if emoji else "unreact"}
    shown = emoji or (before if account.platform == "facebook" else "")
    if shown:
        reaction |= {"reaction": REACTIONS.get(shown, "other"), "emoji": shown}
    return events.tell(account, person, "reaction", {"reaction": reaction})


def edit(account: Account, person: Person, line: Line, body: str) -> Line:
    """Change an own text: five times at most, within 15 minutes."""
    edits = line.payload.get("edits", 0) + 1
    if edits > MOST_EDITS or line.at < timezone.now() - EDITABLE:
        raise Cannot(_("A message can be edited five times, within 15 minutes."))
    line.payload["edits"] = edits
    line.save(update_fields=["payload"])
    chats.edit(line, body)
    change = {"mid": line.external_id, "text": body, "num_edit": edits}
    events.tell(account, person, "edit", {"message_edit": change})
    return line


def unsend(account: Account, person: Person, line: Line) -> Line:
    """Take an own message back. Instagram tells of it; Messenger does not."""
    chats.delete(line)
    if account.platform == "instagram":
        gone = {"mid": line.external_id, "is_deleted": True}
        events.tell(account, person, "message", {"message": gone})
    return line


def read(account: Account, person: Person) -> Told | None:
    """Open the chat: all that we said is read."""
    lines = person.lines.filter(ours=True, public=False, state__in=["sent", "delivered"])
    last = lines.order_by("pk").last()
    if last is None:
        return None
    lines.update(state="read")
    facebook = account.platform == "facebook"
    shown = {"watermark": chats.millis(timezone.now())} if facebook else {"mid": last.external_id}
    return events.tell(account, person, "read", {"read": shown})


def press(account: Account, person: Person, line: Line, button: str) -> Line:
    """Press a button of a line (its payload): quick replies are messages, other buttons postbacks."""
    title = next((label for label, value in line.payload.get("buttons", []) if value == button), None)
    if title is None:
        raise Cannot(_("This message has no such button."))
    if not line.payload.get("quick"):
        return postback(account, person, title, button)
    said = _line(account, person, "text", text=title)
    events.tell_message(said, {"quick_reply": {"payload": button}})
    return said


def postback(account: Account, person: Person, title: str, payload: str, *, ref: str = "") -> Line:
    """Press "Get started", an item of the menu or a button; `ref` is of the link that led here."""
    line = _line(account, person, "postback", text=title, payload={"payload": payload})
    shown: dict[str, Any] = {"mid": line.external_id, "title": title, "payload": payload}
    if ref:
        shown["referral"] = {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}
    events.tell(account, person, "postback", {"postback": shown}, at=line.at)
    return line


def referral(account: Account, person: Person, ref: str) -> Told | None:
    """Come back to a chat by a link, which opens the window."""
    chats.remember(person, reacted_at=timezone.now().isoformat())
    shown = {**({"ref": ref} if ref else {}), "source": "SHORTLINK", "type": "OPEN_THREAD"}
    return events.tell(account, person, "referral", {"referral": shown})


def story_reply(account: Account, person: Person, body: str, story_url: str) -> Line:
    """Answer a story of ours (Instagram)."""
    story = {"id": chats.digits(17), "url": story_url}
    line = _line(account, person, "text", text=body, payload={"story": story})
    events.tell_message(line, {"reply_to": {"story": story}})
    return line


def story_mention(account: Account, person: Person, content: bytes, content_type: str) -> Line:
    """Mention us in an own story (Instagram)."""
    return attach(account, person, [("story_mention", content, content_type, "")])


def unsupported(account: Account, person: Person) -> Line:
    """Send what the API has no form for (Instagram)."""
    line = _line(account, person, "unsupported")
    events.tell_message(line, {"is_unsupported": True})
    return line


def answer_in_app(account: Account, person: Person, body: str) -> Line:
    """The page's owner answers in Meta's own inbox: told as an echo."""
    line = _line(account, person, "text", text=body, ours=True)
    events.tell_echo(line, events.PAGE_INBOX)
    events.tell_delivered(line)
    return line


def block(account: Account, person: Person, blocked: bool = True) -> None:
    """Block the page: what it sends is refused."""
    person.blocked = blocked
    person.save(update_fields=["blocked"])


def hand_over(account: Account, person: Person, to_us: bool = False) -> None:
    """Let another app answer the person, or us again: until then we are told in the standby."""
    chats.remember(person, thread_owner=None if to_us else str(events.PAGE_INBOX))


def _line(
    account: Account,
    person: Person,
    kind: str,
    *,
    text: str = "",
    payload: dict[str, Any] | None = None,
    reply_to: str = "",
    ours: bool = False,
) -> Line:
    return Line.objects.create(
        account=account,
        person=person,
        kind=kind,
        text=text,
        payload=payload or {},
        reply_to=reply_to,
        ours=ours,
        state="sent" if ours else "",
        external_id=events.new_mid(account),
    )
