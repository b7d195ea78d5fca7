from __future__ import annotations

from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "apps.pricing"
    verbose_name = "Costs"
    default_auto_field = "django.db.models.BigAutoField"
