"""The registry of API routes. An app calls `register` when it is ready; `api.urls` builds the addresses from it.

    from api.routing import register
    register("surveys/answers", AnswerViewSet)      # /api/v1/surveys/answers/

A viewset builds on `api.views.base.View`; it then has scopes, problem answers, idempotent POSTs and strict fields.
"""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import Route, SimpleRouter
from rest_framework.viewsets import ViewSetMixin

_routes: dict[str, type[ViewSetMixin]] = {}


def register(prefix: str, viewset: type[ViewSetMixin]) -> None:
    """Serve `viewset` under /api/v1/`prefix`/. Raises ValueError when the prefix is taken."""
    if _routes.setdefault(prefix, viewset) is not viewset:
        raise ValueError(f"/api/v1/{prefix}/ is taken by {_routes[prefix].__name__}")


class Router(SimpleRouter):
    """Also PUT on a list, `upsert`: create or update what a filter names."""

    routes = [
        route._replace(mapping={**route.mapping, "put": "upsert"}) if place == 0 and isinstance(route, Route) else route
        for place, route in enumerate(SimpleRouter.routes)
    ]


def urls() -> list[URLPattern | URLResolver]:
    """The patterns of everything registered, relative to /api/v1/."""
    router = Router(use_regex_path=False)
    for prefix, viewset in _routes.items():
        router.register(prefix, viewset, basename=f"api-{prefix.replace('/', '-')}")
    return list(router.urls)
