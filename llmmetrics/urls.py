"""All addresses of the site, an app each."""

from __future__ import annotations

from django.urls import include, path

from llmmetrics import health

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("apps.events.urls")),
    path("", include("apps.conversations.urls")),
    path("", include("apps.metrics.urls")),
    path("", include("apps.pricing.urls")),
]
