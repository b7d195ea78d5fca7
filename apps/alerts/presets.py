"""What is in force: an organisation's own thresholds over the shipped ones, and applying a preset."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from apps.accounts.audit import record, snapshot
from apps.accounts.models import Project, User
from apps.alerts.defaults import Default, shipped
from apps.alerts.models import Preset, Threshold
from apps.metrics.catalogue import METRICS, Metric

IN_FORCE_WITHOUT_ROWS = Preset.NORMAL
FIELDS = ("target", "warning", "critical", "window_days", "minimum_sample", "source")
REGULATED_METRIC = "grounding_score"


@dataclass(frozen=True, slots=True)
class Effective:
    """A threshold in force. `threshold_id` is None where it is a shipped one."""

    metric: Metric
    project: Project | None
    target: Decimal | None
    warning: Decimal | None
    critical: Decimal | None
    window_days: int
    minimum_sample: int
    source: str
    preset: str
    threshold_id: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a preset would do to one metric; `before` is what is in force now, None where nothing is."""

    metric: Metric
    before: Effective | None
    after: Default
    is_new_row: bool

    @property
    def is_change(self) -> bool:
        """Whether a figure changes, not only where it is kept."""
        return self.before is None or any(
            getattr(self.before, name) != getattr(self.after, name) for name in FIELDS
        )


def effective_thresholds() -> list[Effective]:
    """Everything in force in the active organisation, in the order of the catalogue.

    Own rows replace shipped ones; a row that is switched off removes its metric. A regulated
    project without a row of its own is held to the strict grounding figure.
    """
    rows = list(Threshold.objects.select_related("project"))
    found = [_of_row(row) for row in rows if row.is_enabled and row.metric in METRICS]
    whole = {row.metric for row in rows if row.project_id is None}
    for key, default in shipped(IN_FORCE_WITHOUT_ROWS).items():
        if key not in whole:
            found.append(_of_default(default, IN_FORCE_WITHOUT_ROWS, None))
    found += _regulated({row.project_id for row in rows if row.metric == REGULATED_METRIC})
    order = {key: number for number, key in enumerate(METRICS)}
    return sorted(found, key=lambda one: (order[one.metric.key], one.project.name if one.project else ""))


def preset_changes(preset: Preset) -> list[Change]:
    """What applying the preset would change, metric by metric; project rows stay as they are."""
    in_force = {one.metric.key: one for one in effective_thresholds() if one.project is None}
    rows = set(Threshold.objects.filter(project=None).values_list("metric", flat=True))
    return [
        Change(METRICS[key], in_force.get(key), default, key not in rows)
        for key, default in shipped(preset).items()
    ]


def apply_preset(
    preset: Preset, *, actor: User | None = None, request: HttpRequest | None = None
) -> list[Threshold]:
    """Write the preset's thresholds for the whole organisation, audited; returns the rows that changed.

    Thresholds of single projects, and of metrics that the preset does not name, stay as they are.
    """
    rows = {row.metric: row for row in Threshold.objects.select_for_update().filter(project=None)}
    changed: list[Threshold] = []
    for default in shipped(preset).values():
        row = rows.get(default.metric, Threshold(metric=default.metric))
        before = _values(row) if row.pk else None
        for name in FIELDS:
            setattr(row, name, getattr(default, name))
        row.preset, row.is_enabled, row.updated_by = preset, True, actor
        if before == _values(row):
            continue
        row.claim_for_active_organization()
        row.full_clean(validate_unique=False, validate_constraints=False)
        row.save()
        record(
            "threshold.preset_applied",
            label(row),
            actor=actor,
            before=before,
            after=_values(row),
            request=request,
        )
        changed.append(row)
    return changed


def label(row: Threshold) -> str:
    """How the audit trail names a threshold."""
    return f"threshold {row.pk}: {row}"


def _values(row: Threshold) -> dict[str, Any]:
    values = snapshot(row)
    for name in ("target", "warning", "critical"):
        value = getattr(row, name)
        # 0.1 and 0.100000 are one value; the trail shows it once.
        values[name] = None if value is None else format(value.normalize(), "f")
    return {**values, "preset": row.preset}


def _of_row(row: Threshold) -> Effective:
    figures = {name: getattr(row, name) for name in FIELDS}
    return Effective(
        metric=METRICS[row.metric], project=row.project, preset=row.preset, threshold_id=row.pk, **figures
    )


def _of_default(default: Default, preset: Preset, project: Project | None) -> Effective:
    figures = {name: getattr(default, name) for name in FIELDS}
    return Effective(
        metric=METRICS[default.metric], project=project, preset=preset, threshold_id=None, **figures
    )


def _regulated(with_rows: set[int | None]) -> list[Effective]:
    strict = shipped(Preset.STRICT)[REGULATED_METRIC]
    projects = Project.objects.filter(is_regulated=True).exclude(pk__in=with_rows - {None})
    return [_of_default(strict, Preset.STRICT, project) for project in projects]
