"""The OpenAPI 3.1 description, made from the views: how tokens authenticate, and what every operation shares."""

from http import HTTPStatus
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from api import examples

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What went wrong and what to do, for a person."},
        "code": {"type": "string", "description": "What went wrong, for a program."},
        "errors": {
            "type": "object",
            "description": "Sentences for each field at fault; inner fields are dotted.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}

MEANINGS = {
    400: "The input does not validate: `errors` names each field or filter at fault.",
    401: "There is no token, or it is unknown or revoked.",
    403: "The token's scope or the agent's role does not reach that far.",
    404: "There is no such thing, or not for this agent.",
    409: "What is there now stands against it.",
    412: "If-Match names an older state.",
    413: "The request is larger than 30 MB.",
    415: "The body is of another kind than this takes.",
    422: "Understood, but it cannot be done so.",
    429: "Too many requests: go on after `Retry-After` seconds.",
    500: "Our fault; it is in the log.",
    503: "The database is out of reach: try again after `Retry-After` seconds.",
}
RETRY = {"Retry-After": {"schema": {"type": "integer"}, "required": True, "description": "Seconds to wait."}}

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of up to 255 characters. The same request under the same key within 24 hours changes nothing "
    "again and gets the first answer again.",
)


INTRODUCTION = """
Send a token with every request: `Authorization: Bearer TOKEN`. Times are ISO 8601 in UTC. Lists come in pages: follow
`next` until it is null. Fields and filters that do not exist are refused. Errors are RFC 9457 problem details; their
`code` says what is wrong:

| code | status | means |
| --- | --- | --- |
"""
CODES = {
    "trashed": (409, "The ticket lies in the trash; restore it first."),
    "takes_part": (422, "This address takes part in the ticket: write it a reply."),
    "no_mailbox": (422, "There is no mailbox that a side conversation could be held with."),
    "not_public": (422, "Only what was said between the customer and us can be forwarded."),
    "ended": (409, "The chat is over."),
    "public": (
        422,
        "Everybody could read the answer; its `options` have to say that it is for all. Never automatic.",
    ),
    "files": (422, "A file cannot go along on this channel, or with this kind of answer; `detail` says what would do."),
    "too_long": (422, "The text is longer than this kind of answer may be."),
    "options": (422, "The channel knows no such option, or not with these values; `detail` says which."),
    "side": (409, "What we wrote in a side conversation stays in it."),
    "invalid": (400, "The input does not validate; `errors` names the fields."),
    "parse_error": (400, "The body is no JSON."),
    "not_authenticated": (401, "There is no token."),
    "authentication_failed": (401, "The token is unknown or was revoked."),
    "permission_denied": (403, "The token's scope or the agent's role does not reach that far."),
    "not_found": (404, "There is no such thing, or not for this agent."),
    "method_not_allowed": (405, "This address does not take that method."),
    "too_large": (413, "The request is larger than 30 MB."),
    "unsupported_media_type": (415, "Send JSON; files as multipart/form-data."),
    "throttled": (429, "Too many requests; go on after `Retry-After`."),
    "fields_missing": (409, "Fields that a ticket needs to be solved say nothing yet; `errors` names them."),
    "deed": (422, "This is no comment, or its platform lets nobody do this."),
    "platform": (422, "The platform refused; `detail` says why."),
    "no_secret": (422, "A channel of this kind has no secret that both sides sign with."),
    "no_choices": (422, "A field of this kind needs choices."),
    "linked": (409, "The two tickets are linked the other way round."),
    "taken": (409, "Another one has this value, and there can be only one."),
    "still_running": (409, "The first request with this Idempotency-Key has not ended yet."),
    "answer_gone": (409, "It was done under this Idempotency-Key before; the answer is not told again."),
    "closed": (409, "The ticket is closed; open a follow-up."),
    "merged": (409, "The ticket was merged; go on with the one it went into."),
    "window_closed": (409, "The channel does not take a reply now."),
    "opted_out": (409, "The customer asked for nothing of this kind on this channel; `detail` says what may leave."),
    "attachment_gone": (409, "A file is used already, or not the agent's own."),
    "slug_taken": (409, "There is a channel or team of that slug."),
    "erased": (409, "Nothing is left of it: its customer was erased."),
    "gone": (409, "It was deleted in the meantime."),
    "no_admin": (409, "The agent is no administrator any more."),
    "webhook_off": (409, "The webhook is off; turn it on first."),
    "filter_gone": (409, "What the webhook was limited to is gone; choose others first, or none."),
    "already_left": (409, "The message has left, or is leaving."),
    "written_again": (409, "What had failed was written again; that is what to send."),
    "in_flight": (409, "One of the messages is being sent right now; try again."),
    "in_use": (409, "Something still needs it."),
    "last_admin": (409, "Somebody has to stay who can administer."),
    "team_exists": (409, "There is a team of that name."),
    "not_merged": (409, "There is no merge to undo."),
    "changed_meanwhile": (412, "If-Match names an older state."),
    "key_reused": (422, "The Idempotency-Key belongs to another request."),
    "no_address": (422, "The customer cannot be reached on this channel."),
    "own_address": (422, "The address is one of ours."),
    "past": (422, "The time is over."),
    "too_far": (422, "A reply waits for a year at most."),
    "scope_beyond_role": (422, "The scope is wider than the agent's role."),
    "same": (422, "Nothing can be merged into itself, or linked with itself."),
    "all_messages": (422, "At least one message has to stay."),
    "foreign": (422, "A message is not of this ticket."),
    "future": (422, "That has not happened yet."),
    "too_many_cards": (422, "A customer has 20 cards at most."),
    "empty": (422, "There is nothing to say."),
    "internal": (500, "Our fault; it is in the log."),
    "store_unavailable": (503, "The database is out of reach; try again after `Retry-After`."),
}


def introduce(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """drf-spectacular's hook: what to know before the first request, and the codes of problems."""
    rows = (f'| <a id="problem-{code}"></a>`{code}` | {status} | {means} |' for code, (status, means) in CODES.items())
    result["info"]["description"] = INTRODUCTION.strip() + "\n" + "\n".join(rows)
    _tidy(result)
    named = []
    for path in result["paths"].values():
        for operation in path.values():
            _exemplify(operation)
            named += operation["tags"]
    result["tags"] = [
        {"name": name, "description": examples.TAGS.get(name, "")} for name in sorted(dict.fromkeys(named), key=_place)
    ]
    return result


def _place(tag: str) -> int:
    known = list(examples.TAGS)
    return known.index(tag) if tag in known else len(known)


def _problem(status: int) -> dict[str, Any]:
    """A problem of this status, as the first of its codes would be told."""
    code, said = next((code, said) for code, (usual, said) in CODES.items() if usual == status)
    where = f"{examples.BASE}/api/docs/#problem-{code}"
    told = {"type": where, "title": HTTPStatus(status).phrase, "status": status, "detail": said, "code": code}
    return {**told, "errors": {"subject": ["Give a text."]}} if status == HTTPStatus.BAD_REQUEST else told


def _exemplify(operation: dict[str, Any]) -> None:
    """Give the bodies of an operation the example of their shape, where it has none of its own."""
    bodies = [("", operation.get("requestBody", {})), *operation["responses"].items()]
    for status, body in bodies:
        for kind, content in body.get("content", {}).items():
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            found = _problem(int(status)) if kind == "application/problem+json" else examples.of(name)
            if found is not None and "example" not in content and "examples" not in content:
                content["example"] = found


def _tidy(value: Any) -> None:
    """Take out what drf-spectacular notes for its own hook."""
    if isinstance(value, dict):
        value.pop("x-spec-enum-id", None)
        for inner in value.values():
            _tidy(inner)
    elif isinstance(value, list):
        for inner in value:
            _tidy(inner)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token of `manage.py createtoken` or /tokens/."}


class ApiSchema(AutoSchema):
    """Adds to each operation its filters, the Idempotency-Key of POSTs, and the shape of errors."""

    def get_override_parameters(self) -> list[Any]:
        filters = getattr(self.view, "queries", {}).get(getattr(self.view, "action", None))
        found: list[Any] = [filters] if filters else []
        if self.method == "POST":
            found.append(IDEMPOTENCY_KEY)
        return found

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """`Ticket`, not `TicketOut`: that ending is our own way to tell what is answered from what is taken."""
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Out")

    def get_summary(self) -> str | None:
        """The first sentence of the description: what a list of operations has room for."""
        said = str(self.get_description() or "").split("\n\n")[0]
        return " ".join(said.replace("`", "").split()).split(". ")[0].rstrip(".") or None  # it is shown as it is

    def get_tags(self) -> list[str]:
        """The resource: the part of the path after /api/v1/."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            "Problem", ResolvedComponent.SCHEMA, object="Problem", schema=PROBLEM
        )
        self.registry.register_on_missing(component)
        for status in self.problems():
            bodies[str(status)] = {
                "description": MEANINGS[status],
                "content": {"application/problem+json": {"schema": component.ref}},
            }
        for waiting in ("429", "503"):
            bodies[waiting]["headers"] = RETRY
        return dict(sorted(bodies.items()))

    def problems(self) -> list[int]:
        """The statuses that this operation can end with, apart from its own."""
        found = {400, 401, 403, 429, 500, 503}
        if "{" in self.path:
            found.add(404)
        if self.method in {"POST", "PUT", "PATCH", "DELETE"}:
            found |= {409, 413, 415, 422}
        if any(getattr(one, "name", "") == "If-Match" for one in self.get_override_parameters()):
            found.add(412)
        return sorted(found)
