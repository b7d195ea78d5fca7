"""Admin of what things cost: hand-overs to a human and model calls by contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest

from apps.accounts.tenant_admin import TenantModelAdmin
from apps.pricing.contracts import withdraw
from apps.pricing.models import Budget, ContractPrice, CostSetting


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


class ContractPriceAdmin(TenantModelAdmin):
    """Rows are entered and withdrawn, never changed; past days change by an applied re-pricing only."""

    may_change = False
    list_display = ("model", "provider", "effective_from", "input", "output", "counts_from", "withdrawn_at")
    search_fields = ("model", "provider", "note")
    fields = (
        "effective_from",
        "provider",
        "model",
        "input_usd_per_million",
        "cache_read_usd_per_million",
        "cache_write_usd_per_million",
        "output_usd_per_million",
        "note",
    )

    @admin.display(description="Input, USD per million", ordering="input_usd_per_million")
    def input(self, price: ContractPrice) -> object:
        return price.input_usd_per_million

    @admin.display(description="Output, USD per million", ordering="output_usd_per_million")
    def output(self, price: ContractPrice) -> object:
        return price.output_usd_per_million

    @admin.display(description="Counts for calls from (UTC)")
    def counts_from(self, price: ContractPrice) -> datetime:
        """Earlier calls, back to the day from which on it is in force, follow by a re-pricing."""
        return price.counts_from

    def save_model(self, request: HttpRequest, obj: ContractPrice, form: Any, change: bool) -> None:
        if request.user.is_authenticated:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
        messages.info(
            request,
            f"The price counts for calls from {obj.counts_from:%Y-%m-%d %H:%M} UTC on. "
            "Earlier calls keep their costs until a re-pricing is applied.",
        )

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Withdraws: the row stays, for the calls that it priced."""
        withdraw(ContractPrice.objects.get(pk=obj.pk), request=request)


class BudgetAdmin(TenantModelAdmin):
    """What a calendar month may cost; the page of costs and the API tell its use and projection."""

    list_display = ("scope", "value", "monthly_usd", "note", "created_by")
    list_filter = ("scope",)
    list_select_related = ("created_by",)
    fields = ("scope", "value", "monthly_usd", "note")

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:
        if not change and request.user.is_authenticated:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
