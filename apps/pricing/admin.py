"""Admin of cost settings: what a hand-over to a human costs, from which day on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.accounts.tenant_admin import TenantModelAdmin
from apps.pricing.models import CostSetting


class CostSettingAdmin(TenantModelAdmin):
    """Effective-dated; a change alters history at once, since deflection value is computed on reading."""

    list_display = ("effective_from", "scope", "cost_per_escalation", "baseline_share", "created_by")
    list_select_related = ("project", "created_by")
    fields = ("effective_from", "project", "channel", "intent", "cost_per_escalation", "baseline_share")

    def scope(self, setting: CostSetting) -> str:
        """What the setting holds for; the most specific one wins."""
        parts = [
            str(setting.project) if setting.project else "",
            f"channel {setting.channel}" if setting.channel else "",
            f"intent {setting.intent}" if setting.intent else "",
        ]
        return ", ".join(part for part in parts if part) or "everything"

    def save_model(self, request: HttpRequest, obj: CostSetting, form: Any, change: bool) -> None:
        if not change and request.user.is_authenticated:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
