"""The OpenAPI 3.1 description, made from the views: how tokens authenticate, and what every operation shares."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

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

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of up to 255 characters. The same request under the same key within 24 hours changes nothing "
    "again and gets the first answer again.",
)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token of `manage.py createtoken` or /tokens/."}


class ApiSchema(AutoSchema):
    """Adds to each operation its filters, the Idempotency-Key of POSTs, and the shape of errors."""

    def get_override_parameters(self) -> list[Any]:
        filters = self.view.queries.get(self.view.action)
        found: list[Any] = [filters] if filters else []
        if self.method == "POST":
            found.append(IDEMPOTENCY_KEY)
        return found

    def get_tags(self) -> list[str]:
        """The resource: the part of the path after /api/v1/."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        problem = ResolvedComponent("Problem", ResolvedComponent.SCHEMA, object="Problem", schema=PROBLEM)
        self.registry.register_on_missing(problem)
        bodies["default"] = {
            "description": "An error.",
            "content": {"application/problem+json": {"schema": problem.ref}},
        }
        return bodies
