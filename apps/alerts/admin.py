"""Admin of thresholds, with the three presets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from apps.accounts.tenant_admin import ModelForm, TenantModelAdmin
from apps.alerts.models import LEVELS, Preset, Threshold, plain
from apps.alerts.presets import FIELDS, Effective, apply_preset, effective_thresholds, preset_changes
from apps.alerts.wording import amount
from apps.metrics.catalogue import METRICS

LAST_COLUMNS = ("window_days", "minimum_sample", "is_enabled")


class ThresholdForm(ModelForm):
    """The stored figures without the zeros that fill their column."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for level in LEVELS:
            value = self.initial.get(level)
            if isinstance(value, Decimal):
                self.initial[level] = Decimal(plain(value))


class ThresholdAdmin(TenantModelAdmin):
    """Own thresholds; below them the shipped ones that are in force without a row."""

    form = ThresholdForm
    list_display = ("metric", "where", *(f"{level}_shown" for level in LEVELS), *LAST_COLUMNS)
    list_select_related = ("project",)
    list_filter = ("is_enabled",)
    search_fields = ("metric", "source")
    fieldsets = (
        (None, {"fields": ("metric", "project", "is_enabled")}),
        ("Values", {"fields": LEVELS}),
        ("Judged over", {"fields": ("window_days", "minimum_sample")}),
        ("Where it comes from", {"fields": ("source", "origin", "updated_by", "updated_at")}),
    )
    readonly_fields = ("origin", "updated_by", "updated_at")

    @admin.display(description="holds for")
    def where(self, row: Threshold) -> str:
        return str(row.project) if row.project else "the organisation"

    @admin.display(description="target")
    def target_shown(self, row: Threshold) -> str:
        return _figures(row, METRICS[row.metric].unit)["target"]

    @admin.display(description="warning")
    def warning_shown(self, row: Threshold) -> str:
        return _figures(row, METRICS[row.metric].unit)["warning"]

    @admin.display(description="critical")
    def critical_shown(self, row: Threshold) -> str:
        return _figures(row, METRICS[row.metric].unit)["critical"]

    @admin.display(description="preset")
    def origin(self, row: Threshold) -> str:
        return row.get_preset_display() if row.preset else "own values"

    def save_model(self, request: HttpRequest, obj: Threshold, form: Any, change: bool) -> None:
        """Own figures are no preset's any more, and nobody else's sentence stands behind them."""
        if set(form.changed_data) & {*LEVELS, "window_days", "minimum_sample"}:
            obj.preset = ""
            if change and "source" not in form.changed_data:
                obj.source = f"Set by {request.user}."
        obj.updated_by = request.user if request.user.is_authenticated else None
        super().save_model(request, obj, form, change)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shipped = [_row(one) for one in effective_thresholds() if one.threshold_id is None]
        extra = {"shipped": shipped, "presets": Preset.choices, **(extra_context or {})}
        answer: HttpResponse = super().changelist_view(request, extra)
        return answer

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.preset_view)
        return [path("presets/<slug:name>/", view, name="alerts_threshold_preset"), *super().get_urls()]

    def preset_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """GET shows what the preset would change; POST applies it."""
        if name not in Preset.values:
            raise Http404
        preset = Preset(name)
        if request.method != "POST":
            return self._show(request, preset)
        actor = request.user if request.user.is_authenticated else None
        changed = apply_preset(preset, actor=actor, request=request)
        messages.success(request, f"Preset {preset.label}: {len(changed)} thresholds written.")
        return redirect(reverse("admin:alerts_threshold_changelist", current_app=self.admin_site.name))

    def _show(self, request: HttpRequest, preset: Preset) -> HttpResponse:
        rows = [
            {
                "title": change.metric.title,
                "before": _figures(change.before, change.metric.unit) if change.before else None,
                "after": _figures(change.after, change.metric.unit),
                "source": change.after.source,
                "is_change": change.is_change,
                "is_new_row": change.is_new_row,
            }
            for change in preset_changes(preset)
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preset {preset.label}",
            "opts": self.opts,
            "preset": preset,
            "rows": rows,
            "presets": Preset.choices,
        }
        return TemplateResponse(request, "admin/alerts/threshold/preset.html", context)


def _figures(levels: Any, unit: str) -> dict[str, str]:
    """A threshold's figures as people read them."""
    values = {name: getattr(levels, name) for name in LEVELS}
    words = {name: "-" if value is None else amount(value, unit) for name, value in values.items()}
    return {**words, "window": f"{levels.window_days} d", "sample": str(levels.minimum_sample)}


def _row(one: Effective) -> dict[str, Any]:
    """A shipped threshold for the list, with the address of a form that is filled with it."""
    filled = {name: getattr(one, name) for name in FIELDS if getattr(one, name) is not None}
    filled = {name: plain(value) if name in LEVELS else value for name, value in filled.items()}
    filled["metric"] = one.metric.key
    if one.project:
        filled["project"] = one.project.pk
    return {
        "title": one.metric.title,
        "where": str(one.project) if one.project else "the organisation",
        **_figures(one, one.metric.unit),
        "source": one.source,
        "query": urlencode(filled),
    }
