from __future__ import annotations

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "apps.alerts"
    verbose_name = "Monitoring"
    default_auto_field = "django.db.models.BigAutoField"
