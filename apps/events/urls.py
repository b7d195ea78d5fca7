from __future__ import annotations

from django.urls import path

from apps.events import api, views

urlpatterns = [
    path("api/v1/events", views.events, name="events"),
    path("api/v1/batches", api.Batches.as_view(), name="batches"),
    path("api/v1/batches/<int:batch_id>", api.OneBatch.as_view(), name="batch"),
    path("api/v1/rejected-events", api.RejectedEvents.as_view(), name="rejected-events"),
    path("api/v1/rejected-events/replay", api.Replay.as_view(), name="rejected-events-replay"),
]
