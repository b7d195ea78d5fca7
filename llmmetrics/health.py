"""Liveness (the process answers), readiness (it can do its work), and Prometheus' figures."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.cache import cache
from django.db import Error, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from llmmetrics.boot import unsafe_database

# What was once found in order is not asked again: a restart comes with every migration.
_settled = {"is_safe": False, "is_migrated": False}


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database is writable, migrated and safe.

    `digest_lag_seconds` is the age of the oldest acknowledged batch that the numbers do not show yet.
    Redis away is told, and neither it nor a lag costs readiness: events are taken all the same.
    """
    database, lag = _database()
    body = {
        "status": "ok" if database == "ok" else "unavailable",
        "checks": {"database": database, "redis": _redis(), "digest_lag_seconds": lag},
    }
    return JsonResponse(body, status=200 if database == "ok" else 503)


def _database() -> tuple[str, float | None]:
    """What is wrong with the database, or "ok", and the lag of digestion."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean")
            (is_read_only,) = cursor.fetchone() or (True,)
        if is_read_only:
            return "read-only", None
        if not _is_migrated():
            return "migrations pending", None
        if not _is_safe():
            return "role passes by row-level security", None
        return "ok", _digest_lag_seconds()
    except Error as error:
        return type(error).__name__, None


def _is_migrated() -> bool:
    if not _settled["is_migrated"]:
        executor = MigrationExecutor(connections["default"])
        _settled["is_migrated"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _settled["is_migrated"]


def _is_safe() -> bool:
    if not _settled["is_safe"]:
        _settled["is_safe"] = not unsafe_database()
    return _settled["is_safe"]


def _digest_lag_seconds() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT llm_oldest_pending_batch()")
        (oldest,) = cursor.fetchone() or (None,)
    return 0.0 if oldest is None else round(max(0.0, (timezone.now() - oldest).total_seconds()), 3)


def _redis() -> str:
    try:
        cache.get("readyz")
    except Exception as error:  # Whatever the client raises: ingestion goes on without Redis.
        return type(error).__name__
    return "ok"


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Figures of all processes of the web server, for who has PROMETHEUS_TOKEN; 404 for everybody else."""
    expected = f"Bearer {settings.PROMETHEUS_TOKEN}".encode()
    given = request.headers.get("Authorization", "").encode()
    if not settings.PROMETHEUS_TOKEN or not secrets.compare_digest(given, expected):
        raise Http404
    figures: HttpResponse = ExportToDjangoView(request)
    return figures
