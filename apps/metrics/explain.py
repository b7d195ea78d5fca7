"""What stands behind a metric: its declaration, its target's source, and the settings in force."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import Organization, Project
from apps.metrics.catalogue import Metric
from apps.pricing.models import DEFAULT_BASELINE_SHARE, DEFAULT_COST_PER_ESCALATION, CostSetting


def explain(metric: Metric) -> dict[str, Any]:
    """Declaration and settings of a metric, for the active organisation."""
    organization = Organization.objects.get()
    return {
        "key": metric.key,
        "title": metric.title,
        "about": metric.about,
        "formula": metric.formula.words(),
        "interval": metric.formula.interval() or None,
        "weights": metric.formula.weights(),
        "unit": metric.unit,
        "direction": metric.direction,
        "definition_version": metric.definition_version,
        "target": metric.target,
        "target_source": metric.target_source,
        "needs": metric.needs,
        "settings": {
            "timezone": organization.timezone,
            "return_window_hours": organization.return_window_hours,
            "idle_gap_minutes": {row.name: row.idle_gap_minutes for row in Project.objects.all()},
            "cost_settings": [
                {
                    "effective_from": row.effective_from.isoformat(),
                    "cost_per_escalation": str(row.cost_per_escalation),
                    "baseline_share": str(row.baseline_share),
                }
                for row in CostSetting.objects.all()
            ],
            "default_cost_per_escalation": str(DEFAULT_COST_PER_ESCALATION),
            "default_baseline_share": str(DEFAULT_BASELINE_SHARE),
        },
    }
