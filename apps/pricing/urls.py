from __future__ import annotations

from django.urls import path

from apps.pricing import api

urlpatterns = [path("api/v1/cost-settings", api.CostSettings.as_view(), name="api-cost-settings")]
