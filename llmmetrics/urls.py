"""All addresses of the site, an app each."""

from __future__ import annotations

from csp.decorators import csp
from django.urls import include, path
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from llmmetrics import health
from llmmetrics.admin_sites import operator_site, organization_site

# The documentation's viewer sets styles of its own; no other page may.
DOCS_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
}

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("prometheus", health.prometheus, name="prometheus"),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs",
        # Its OPTIONS would render a page without a template.
        require_safe(csp(DOCS_POLICY)(SpectacularSwaggerSplitView.as_view(url_name="schema"))),
        name="docs",
    ),
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
