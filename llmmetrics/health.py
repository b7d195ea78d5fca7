"""Liveness (the process answers) and readiness (it can do its work)."""

from __future__ import annotations

from django.core.cache import cache
from django.db import Error, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

_state: dict[str, bool] = {"is_migrated": False}


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database is writable and migrated; Redis away is told but costs no readiness."""
    checks = {"database": _database(), "redis": _redis()}
    is_ready = checks["database"] == "ok"
    return JsonResponse(
        {"status": "ok" if is_ready else "unavailable", "checks": checks}, status=200 if is_ready else 503
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            (is_read_only,) = cursor.fetchone() or (True,)
        if is_read_only:
            return "read-only"
        return "ok" if _is_migrated() else "migrations pending"
    except Error as error:
        return type(error).__name__


def _is_migrated() -> bool:
    """Whether all migrations are applied; asked until the answer is yes."""
    if not _state["is_migrated"]:
        executor = MigrationExecutor(connections["default"])
        _state["is_migrated"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _state["is_migrated"]


def _redis() -> str:
    try:
        cache.get("readyz")
    except Exception as error:  # Whatever the client raises: ingestion goes on without Redis.
        return type(error).__name__
    return "ok"
