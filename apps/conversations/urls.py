from __future__ import annotations

from django.urls import path

from apps.conversations import api

urlpatterns = [
    path("api/v1/sessions", api.Sessions.as_view(), name="api-sessions"),
    path("api/v1/sessions/<path:session_id>", api.OneSession.as_view(), name="api-session"),
]
