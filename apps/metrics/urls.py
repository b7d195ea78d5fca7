from __future__ import annotations

from django.urls import path

from apps.metrics import api, budget_api

urlpatterns = [
    path("api/v1/metrics", api.Catalogue.as_view(), name="api-metrics"),
    path("api/v1/metrics/query", api.SeveralMetrics.as_view(), name="api-metrics-query"),
    path("api/v1/metrics/<str:key>", api.OneMetric.as_view(), name="api-metric"),
    path("api/v1/metrics/<str:key>/explain", api.Explanation.as_view(), name="api-metric-explain"),
    path("api/v1/budgets", budget_api.Budgets.as_view(), name="api-budgets"),
    path("api/v1/budgets/<int:budget_id>", budget_api.OneBudget.as_view(), name="api-budget"),
    path("api/v1/freshness", api.FreshnessView.as_view(), name="api-freshness"),
]
