"""What all API views share."""

from datetime import UTC
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from api import idempotency
from api.models import ApiToken
from api.pagination import CursorPagination
from api.permissions import HasScope
from api.problems import TooLarge
from api.schema import ApiSchema
from api.serializers.common import address
from api.strict import Filters
from api.throttling import PerToken
from inbox import log, rights
from inbox.models import Agent
from inbox.rights import Right

Input = TypeVar("Input", bound=BaseSerializer[Any])


class AlwaysJson(BaseContentNegotiation):
    """One shape for everybody: an Accept header that asks for another gets this one all the same (RFC 9110, 12.5.1)."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class View(GenericViewSet[Any]):
    """The base of every viewset of the API.

    `queries` names the filters of an action (by its name; none means that it takes no query parameters), `scopes` the
    scope where it is not read for GET and write for the rest, `secret_answers` the actions whose answer is told once.
    """

    schema = ApiSchema()
    permission_classes = [HasScope]
    throttle_classes = [PerToken]
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    content_negotiation_class = AlwaysJson
    pagination_class = CursorPagination
    lookup_value_converter = "int"
    queries: ClassVar[dict[str, type[Filters]]] = {}
    scopes: ClassVar[dict[str, str]] = {}
    secret_answers: ClassVar[frozenset[str]] = frozenset()
    filters: dict[str, Any]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with (
            log.how(api=True),
            timezone.override(UTC),
        ):  # the zone of all times in and out, whatever the installation's own
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        self.filters = self.queries.get(self.action, Filters).read(request)
        if request.method == "POST" and idempotency.HEADER in request.headers:
            # `dispatch` looks the handler up after this.
            self.post = partial(idempotency.once, view=self, handler=self.post)  # type: ignore[has-type]

    def sees(self, name: Any) -> None:
        """Raises Http404 where the agent does not see what this name (a number, an id, a slug) stands for.

        Asked before an answer is given again; whoever may POST to the rest of the API sees all of it.
        """

    def tells_secret(self, answer: Any) -> bool:
        """Whether the data of this answer holds a secret, so that it is given this once."""
        return self.action in self.secret_answers

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if (found := getattr(request, "rate_limit", None)) is not None:
            for name, value in found.headers.items():
                answer[name] = value
        return answer

    @property
    def agent(self) -> Agent:
        """Whoever the token acts for."""
        agent = self.request.user
        assert isinstance(agent, Agent)
        return agent

    def require(self, right: Right) -> None:
        """Raises PermissionDenied where the agent's role does not reach that far."""
        rights.require(self.agent, right)

    def require_scope(self, scope: str) -> None:
        """Raises ScopeDenied where the token does not reach that far."""
        token = self.request.auth
        if not isinstance(token, ApiToken) or not token.allows(scope):
            raise exceptions.PermissionDenied(HasScope.message)

    def made(self, data: Any, path: str) -> Response:
        """201 with the new thing and where it is."""
        return Response(data, status=201, headers={"Location": address(f"/api/v1/{path}")})

    def taken(self, serializer: type[Input], **context: Any) -> dict[str, Any]:
        """The validated body. Raises ValidationError naming each field at fault."""
        body = serializer(
            data=self.request.data,
            partial=self.request.method == "PATCH",
            context={**self.get_serializer_context(), **context},
        )
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def page(self, queryset: Any, serializer: type[BaseSerializer[Any]]) -> Response:
        """One page of an ordered queryset."""
        rows = self.paginate_queryset(queryset)
        return self.get_paginated_response(serializer(rows, many=True, context=self.get_serializer_context()).data)


class NotFound(APIView):
    """Whatever under /api/ is no resource: a problem answer as well, to everybody."""

    permission_classes = []
    authentication_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.path.endswith("/"):
            raise Http404
        raise exceptions.NotFound(_("There is nothing at this address. The API's addresses end with a slash."))
