from __future__ import annotations

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "apps.metrics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.conversations import follow
        from apps.metrics.rollups.keep import Keeper

        follow.FOLLOWERS.append(Keeper())
