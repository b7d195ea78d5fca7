"""All addresses of the site, an app each."""

from __future__ import annotations

from django.urls import include, path

from llmmetrics import health
from llmmetrics.admin_sites import operator_site, organization_site

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("prometheus", health.prometheus, name="prometheus"),
    path("admin/", organization_site.urls),
    path("operator/", operator_site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.events.urls")),
    path("", include("apps.conversations.urls")),
    path("", include("apps.metrics.urls")),
    path("", include("apps.pricing.urls")),
    path("", include("apps.dashboards.urls")),
]
