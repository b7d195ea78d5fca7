"""The metrics API: catalogue, one metric, several at once, explanation, freshness."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.events.problems import Problem
from apps.events.rest import KeyView
from apps.metrics.answers import freshness_json, metric_json, series_json
from apps.metrics.behind import MAX_ROWS, SIDES, rows_behind, whole_of
from apps.metrics.catalogue import METRICS, Metric
from apps.metrics.explain import explain
from apps.metrics.filled import filled
from apps.metrics.freshness import freshness
from apps.metrics.parameters import query_from
from apps.metrics.query import BadQuery, Query
from apps.metrics.series import run

PARAMETERS = [
    OpenApiParameter("from", str, description="First local day, e.g. 2026-11-01."),
    OpenApiParameter("to", str, description="Local day after the last one."),
    OpenApiParameter("interval", str, enum=["total", "hour", "day", "week", "month"]),
    OpenApiParameter("group_by", str, description="Dimensions, separated by commas."),
    OpenApiParameter("rolling_days", int),
    OpenApiParameter("compare", str, enum=["previous"]),
    OpenApiParameter("limit", int, description="Groups at most; the rest becomes (other)."),
]


class PlainRenderer(JSONRenderer):
    """JSON of plain values, some ten times as fast: an answer may have thousands of points."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return msgspec.json.encode(data)


class MetricsView(KeyView):
    """Turns the engine's refusals into problems."""

    renderer_classes = (PlainRenderer,)

    def answer(self, request: Request, metrics: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        now = timezone.now()
        fresh = freshness()
        try:
            query = query_from(request.query_params, self.organization, now, metrics)
            series = run(self.organization, query, now)
        except BadQuery as error:
            raise Problem(error.status, error.code, str(error)) from error
        return {key: series_json(one, fresh, compare=query.compare) for key, one in series.items()}


class Catalogue(KeyView):
    """Every metric with its meaning, dimensions and target."""

    @extend_schema(operation_id="v1_metrics_list", responses={200: dict})
    def get(self, request: Request) -> Response:
        return Response({"metrics": [metric_json(metric) for metric in METRICS.values()]})


class OneMetric(MetricsView):
    """One metric over a range."""

    @extend_schema(parameters=PARAMETERS, responses={200: dict})
    def get(self, request: Request, key: str) -> Response:
        return Response(self.answer(request, (key,))[key])


class SeveralMetrics(MetricsView):
    """Several metrics over the same range, one pass over the facts."""

    @extend_schema(
        parameters=[OpenApiParameter("metrics", str, required=True), *PARAMETERS], responses={200: dict}
    )
    def get(self, request: Request) -> Response:
        keys = tuple(key for key in request.query_params.get("metrics", "").split(",") if key)
        if not keys:
            raise Problem(400, "missing_metrics", "metrics: name at least one metric.")
        return Response({"metrics": self.answer(request, keys)})


class Explanation(MetricsView):
    """What a number is made of: formula with its parts, settings in force, and the rows that it counts."""

    @extend_schema(
        parameters=[
            *PARAMETERS,
            OpenApiParameter(
                "rows", int, description=f"Rows listed a side, at most {MAX_ROWS}; 20 unless told."
            ),
            OpenApiParameter(
                "side",
                str,
                description="List one side only: numerator, denominator, or the `side` of a part.",
            ),
            OpenApiParameter("cursor", str, description="The `next` of an earlier answer, for that side."),
        ],
        responses={200: dict},
    )
    def get(self, request: Request, key: str) -> Response:
        metric = METRICS.get(key)
        if metric is None:
            raise Problem(404, "unknown_metric", f"metrics: {key!r} is not in the catalogue.")
        asked = request.query_params.copy()
        wanted = {name: asked.pop(name, [""])[-1] for name in ("rows", "side", "cursor")}
        now, fresh = timezone.now(), freshness()
        try:
            query = query_from(asked, self.organization, now, (key,))
            series = run(self.organization, query, now)[key]
            behind = self.behind(metric, query, now, wanted)
        except BadQuery as error:
            raise Problem(error.status, error.code, str(error)) from error
        answer = series_json(series, fresh, compare=query.compare)
        return Response({**explain(metric), **behind, "series": answer})

    def behind(self, metric: Metric, query: Query, now: datetime, wanted: dict[str, str]) -> dict[str, Any]:
        """Numbers behind the answer, and rows by side; raises `BadQuery`."""
        text, side = wanted["rows"] or "20", wanted["side"]
        if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_ROWS):
            raise BadQuery(422, "bad_rows", f"rows: must be 1 to {MAX_ROWS}.")
        if wanted["cursor"] and not side:
            raise BadQuery(400, "missing_side", "side: is needed with a cursor.")
        whole = whole_of(self.organization, metric, query, now)
        rows = {
            one: rows_behind(metric, whole, one, int(text), wanted["cursor"])
            for one in ((side,) if side else SIDES)
        }
        return {**filled(self.organization, metric, query, now), "rows": rows}


class FreshnessView(KeyView):
    """How much of what was acknowledged the numbers already show."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        return Response(freshness_json(freshness()))
