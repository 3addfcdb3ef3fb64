"""`/healthz`: this process answers. `/readyz`: everything it needs does too, each part by its name."""

from http import HTTPStatus

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from inbox import health


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers; asks nothing of anybody else."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, Redis, workers, beat and mail are all there, else 503 that names what is away."""
    parts = checks()
    ok = all(parts.values())
    return JsonResponse(
        {"status": "ready" if ok else "not ready", "checks": {name: {"ok": good} for name, good in parts.items()}},
        status=HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def checks() -> dict[str, bool]:
    """Each part and whether it is there. With the database away nobody can tell of the other processes."""
    alive_now: dict[str, bool] = {}
    database = health.database_answers()
    if database:
        try:
            alive_now = health.processes()
        except (DatabaseError, InterfaceError):
            database = False
    return {
        "database": database,
        "redis": health.redis_answers(),
        "workers": alive_now.get("worker", False),
        "beat": alive_now.get("beat", False),
        "mail": alive_now.get("mail", False),
    }
