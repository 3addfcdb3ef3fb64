"""The `webhooks` of the OpenAPI 3.1 description: every event, its body and its headers."""

from typing import Any

from api.webhooks.events import KINDS, PING

HEADERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "description": about,
        "schema": {"type": kind},
    }
    for name, kind, about in (
        ("webhook-id", "string", "The same for every attempt: what came twice has the same."),
        ("webhook-timestamp", "integer", "When this attempt was made, in seconds since 1970."),
        ("webhook-signature", "string", "Signatures parted by spaces, each `v1,` and base64(HMAC-SHA256(…))."),
    )
]
ACTOR = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["agent", "customer", "bot", "system"]},
        "id": {"type": ["integer", "null"]},
        "name": {"type": "string"},
    },
}
CHANGES = {
    "type": "object",
    "description": "What changed, by field: `from` and `to`; for tags `added` and `removed`.",
    "additionalProperties": {"type": "object"},
}


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _data(kind: str) -> dict[str, Any]:
    """The properties of `data` for one kind of event."""
    family = kind.partition(".")[0]
    if kind == PING:
        return {"webhook": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}}
    shown: dict[str, Any] = {"event": {"type": "integer", "description": "Its id in the log."}, "actor": ACTOR}
    match family:
        case "ticket":
            shown["ticket"] = _schema("Ticket")
        case "message" | "note":
            message = "As the API shows it, without `html` and with at most 10,000 characters of text (`truncated`)."
            shown |= {"ticket": _schema("Ticket"), "message": {"type": "object", "description": message}}
        case _:
            shown[family] = {"type": "object", "description": "As the API shows it."}
    return {**shown, "changes": CHANGES}


def _operation(kind: str, about: str) -> dict[str, Any]:
    data = _data(kind)
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": kind},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": {
                "type": "object",
                "required": [name for name in data if name != "changes"],
                "properties": data,
            },
        },
    }
    return {
        "post": {
            "operationId": f"webhook_{kind.replace('.', '_')}",
            "summary": about,
            "description": about,
            "tags": ["webhooks"],
            "parameters": HEADERS,
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {
                "2XX": {"description": "Taken. Anything else is tried again for three days."},
                "410": {"description": "Send nothing any more: the webhook is turned off."},
            },
        }
    }


def describe(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """drf-spectacular's hook."""
    result["webhooks"] = {kind: _operation(kind, str(about)) for kind, about in {PING: "A test.", **KINDS}.items()}
    return result
