from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = "Organisation"
    default_auto_field = "django.db.models.BigAutoField"
