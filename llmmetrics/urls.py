"""All addresses of the site, an app each."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("apps.events.urls")),
    path("", include("apps.conversations.urls")),
    path("", include("apps.metrics.urls")),
    path("", include("apps.pricing.urls")),
]
