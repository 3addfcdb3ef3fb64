"""What WhatsApp checks of a message that a business sends, and the line that it becomes."""

from __future__ import annotations

from typing import Any

from sandbox.phones import files, whatsapp_templates
from sandbox.phones.graph import GraphError
from sandbox.phones.models import Account, Media

TEXT, CAPTION, BODY = 4096, 1024, 1024
MB = 1024 * 1024
MOST = {"image": 5 * MB, "audio": 16 * MB, "video": 16 * MB, "document": 100 * MB, "sticker": 500 * 1024}
TYPES = {
    "image": {"image/jpeg", "image/png"},
    "audio": {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"},
    "video": {"video/mp4", "video/3gpp"},
    "sticker": {"image/webp"},
}
KINDS = (*MOST, "text", "reaction", "location", "contacts", "interactive", "template")


class Later(Exception):
    """Accepted, and found to be undeliverable only afterwards: what the failed status says."""

    def __init__(self, code: int, title: str, details: str) -> None:
        super().__init__(title)
        self.code, self.title, self.details = code, title, details


def content(account: Account, kind: str, sent: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Text and payload of the line. `sent` is the object named like the kind. Raises GraphError, or Later."""
    if kind == "text":
        return _text(sent)
    if kind in MOST:
        return _file(account, kind, sent)
    if kind == "location":
        for name in ("latitude", "longitude"):
            if not isinstance(sent.get(name), int | float | str):
                raise _missing(f"location.{name}")
        return str(sent.get("name", "")), {"place": sent}
    if kind == "interactive":
        return _interactive(sent)
    return _template(account, sent)


def contacts(sent: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(sent, list) or not sent:
        raise _missing("contacts")
    names = [str((one.get("name") or {}).get("formatted_name") or "") for one in sent]
    if not all(names):
        raise _missing("contacts.name.formatted_name")
    phone = next((str(one.get("phone", "")) for one in sent[0].get("phones") or []), "")
    return ", ".join(names), {"contacts": sent, "contact": {"name": names[0], "phone": phone}}


def _text(sent: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    body = sent.get("body")
    if not isinstance(body, str) or not body:
        raise GraphError(100, "The parameter text['body'] is required.")
    if len(body) > TEXT:
        raise GraphError(100, f"Param text['body'] must be at most {TEXT} characters long.")
    return body, {}


def _file(account: Account, kind: str, sent: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    caption = sent.get("caption") or ""
    if caption and kind in {"audio", "sticker"}:
        raise GraphError(100, f'Unexpected key "caption" on param "{kind}".')
    if len(caption) > CAPTION:
        raise GraphError(100, f"Param {kind}['caption'] must be at most {CAPTION} characters long.")
    if sent.get("id"):
        media = Media.objects.filter(account=account, external_id=str(sent["id"])).first()
        if media is None:
            raise GraphError(131009, "Parameter value is not valid", details=f"Media ID {sent['id']} not found")
    elif sent.get("link"):
        try:
            media = files.fetch(account, str(sent["link"]), MOST[kind])
        except files.NotFetched as error:
            raise Later(131053, "Media upload error", f"Downloading media from weblink failed with {error}") from error
    else:
        raise GraphError(100, f"One of {kind}['id'] and {kind}['link'] is required.")
    if kind in TYPES and media.content_type.split(";")[0] not in TYPES[kind]:
        raise Later(131053, "Media upload error", f"Unsupported {kind} mime type {media.content_type}")
    if media.size > MOST[kind]:
        raise Later(131053, "Media upload error", f"{kind} file is over {MOST[kind]} bytes")
    name = sent.get("filename") or (media.name if kind == "document" else "")
    return caption, {"media": [media.external_id], "filename": name}


def _interactive(sent: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind, action = sent.get("type"), sent.get("action") or {}
    body = (sent.get("body") or {}).get("text") or ""
    if not body:
        raise _missing("interactive.body.text")
    if len(body) > BODY or len((sent.get("footer") or {}).get("text") or "") > 60:
        raise _invalid("Body or footer text length invalid")
    if kind == "button":
        replies = [one.get("reply") or {} for one in action.get("buttons") or []]
        _check_titles("Button", replies, 3, 20)
        shown = [{"id": one["id"], "title": one["title"]} for one in replies]
    elif kind == "list":
        shown = [row for section in action.get("sections") or [] for row in section.get("rows") or []]
        if not action.get("button"):
            raise _missing("interactive.action.button")
        _check_titles("Row", shown, 10, 24)
    elif kind in {"cta_url", "location_request_message"}:
        shown = []
    else:
        raise _invalid(f"interactive.type {kind} is not known here")
    payload: dict[str, Any] = {"interactive": sent, "buttons": [[one["title"], one["id"]] for one in shown]}
    if kind == "list":
        payload["list"] = {one["id"]: one.get("description", "") for one in shown}
    return body, payload


def _check_titles(what: str, shown: list[dict[str, Any]], most: int, length: int) -> None:
    if not 1 <= len(shown) <= most:
        raise _invalid(f"{what} count invalid. Min: 1, Max: {most}")
    if any(not one.get("id") or not 1 <= len(one.get("title") or "") <= length for one in shown):
        raise _invalid(f"{what} title length invalid. Min length: 1, Max length: {length}")
    if len({one["id"] for one in shown}) < len(shown):
        raise _invalid(f"Duplicated {what.lower()} id")


def _template(account: Account, sent: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    text, template = whatsapp_templates.filled(account, sent)
    buttons = [
        [button["text"], button["text"]]
        for component in template["components"]
        for button in component.get("buttons", [])
        if button.get("type") == "QUICK_REPLY"
    ]
    for one in sent.get("components") or []:
        if one.get("type") == "button" and one.get("sub_type") == "quick_reply" and one.get("parameters"):
            number = int(one.get("index") or 0)
            if number < len(buttons):
                buttons[number][1] = one["parameters"][0].get("payload") or buttons[number][0]
    category = str(template.get("category", "utility")).lower()
    return text, {"template": sent, "category": category, "buttons": buttons}


def _missing(name: str) -> GraphError:
    return GraphError(131008, "Required parameter is missing", details=f"{name} is required")


def _invalid(details: str) -> GraphError:
    return GraphError(131009, "Parameter value is not valid", details=details)
