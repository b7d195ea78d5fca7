"""Thresholds: what is refused, what the presets hold, and what is in force."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection

from apps.accounts.models import AuditEntry, Project
from apps.alerts.defaults import shipped
from apps.alerts.models import Preset, Threshold, judged_metrics
from apps.alerts.presets import apply_preset, effective_thresholds, preset_changes
from apps.core.tenancy import tenant


def refused(organization: Any, **fields: Any) -> dict[str, list[str]]:
    with tenant(organization.organization.id), pytest.raises(ValidationError) as caught:
        Threshold.new(**fields)
    return dict(caught.value.message_dict)


def test_refuses_a_critical_value_that_is_better_than_the_warning(organization: Any) -> None:
    messages = refused(
        organization, metric="frustration_spike_rate", warning=Decimal("0.10"), critical=Decimal("0.05")
    )
    assert messages["critical"] == [
        (
            "critical: 0.05 is better than warning 0.1; frustration_spike_rate is better when lower, "
            "so critical must be at least warning."
        )
    ]


def test_refuses_the_wrong_side_where_higher_is_better(organization: Any) -> None:
    messages = refused(organization, metric="recovery_rate", target=Decimal("0.6"), warning=Decimal("0.7"))
    assert messages["warning"] == [
        (
            "warning: 0.7 is better than target 0.6; recovery_rate is better when higher, "
            "so warning must be at most target."
        )
    ]


def test_compares_target_and_critical_where_there_is_no_warning(organization: Any) -> None:
    assert "critical" in refused(
        organization, metric="latency_p95", target=Decimal(3000), critical=Decimal(2000)
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metric": "error_rate", "critical": Decimal(5)}, "critical"),
        ({"metric": "error_rate", "critical": Decimal("-0.1")}, "critical"),
        ({"metric": "sessions", "warning": Decimal(1)}, "metric"),
        ({"metric": "no_such_metric", "warning": Decimal(1)}, "metric"),
        ({"metric": "error_rate", "warning": Decimal("0.1"), "window_days": 0}, "window_days"),
        ({"metric": "error_rate", "warning": Decimal("0.1"), "window_days": 91}, "window_days"),
        ({"metric": "error_rate", "warning": Decimal("0.1"), "minimum_sample": 0}, "minimum_sample"),
        ({"metric": "error_rate", "warning": Decimal("NaN")}, "warning"),
        ({"metric": "error_rate"}, "__all__"),
    ],
)
def test_refuses_what_makes_no_sense_and_names_the_field(
    organization: Any, fields: dict[str, Any], field: str
) -> None:
    assert field in refused(organization, **fields)


def test_refuses_a_second_threshold_for_the_same_metric_and_project(organization: Any) -> None:
    with tenant(organization.organization.id):
        Threshold.new(metric="error_rate", warning=Decimal("0.1")).save()
    messages = refused(organization, metric="error_rate", warning=Decimal("0.2"))
    assert messages["__all__"] == ["metric: this metric has a threshold for this project already."]


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "error_rate", "warning": Decimal("0.1"), "window_days": 0},
        {"metric": "error_rate"},
        {
            "metric": "error_rate",
            "target": Decimal("0.1"),
            "warning": Decimal("0.05"),
            "critical": Decimal("0.2"),
        },
    ],
)
def test_the_database_refuses_them_too(organization: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), tenant(organization.organization.id):
        Threshold(**fields).save()


def test_a_threshold_can_not_name_a_project_of_another_organization(
    organization: Any, make_organization: Any
) -> None:
    other = make_organization()
    with pytest.raises(IntegrityError), tenant(organization.organization.id):
        Threshold(metric="error_rate", warning=Decimal("0.1"), project_id=other.project.id).save()


def test_the_table_shows_nothing_outside_its_organization(organization: Any, make_organization: Any) -> None:
    with tenant(organization.organization.id):
        Threshold.new(metric="error_rate", warning=Decimal("0.1")).save()
    with tenant(make_organization().organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM alerts_threshold")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("preset", Preset)
def test_every_shipped_threshold_would_be_accepted_and_names_its_source(
    organization: Any, preset: Preset
) -> None:
    with tenant(organization.organization.id):
        for default in shipped(preset).values():
            row = Threshold.new(
                metric=default.metric,
                target=default.target,
                warning=default.warning,
                critical=default.critical,
                window_days=default.window_days,
                minimum_sample=default.minimum_sample,
                source=default.source,
            )
            assert row.source
            assert default.metric in judged_metrics()


@pytest.mark.parametrize("level", ["warning", "critical"])
def test_strict_is_never_milder_than_normal_nor_normal_than_relaxed(level: str) -> None:
    for key, metric in judged_metrics().items():
        found = [getattr(shipped(preset)[key], level) for preset in Preset if key in shipped(preset)]
        figures = [figure for figure in found if figure is not None]
        assert figures == sorted(figures, reverse=metric.direction == "up"), key


def test_the_presets_hold_the_three_published_error_rates_and_latencies() -> None:
    presets = [shipped(preset) for preset in Preset]
    assert [one["error_rate"].warning for one in presets] == [
        Decimal("0.005"),
        Decimal("0.01"),
        Decimal("0.05"),
    ]
    assert [one["latency_p95"].warning for one in presets] == [Decimal(3000), Decimal(5000), Decimal(10000)]


def test_a_new_organization_has_the_normal_preset_in_force_without_rows(organization: Any) -> None:
    with tenant(organization.organization.id):
        assert not Threshold.objects.exists()
        found = {one.metric.key: one for one in effective_thresholds()}
    assert set(found) == set(shipped(Preset.NORMAL))
    assert found["frustration_spike_rate"].target == Decimal("0.10")
    assert found["frustration_spike_rate"].threshold_id is None


def test_an_own_row_replaces_the_shipped_one_and_switched_off_removes_it(organization: Any) -> None:
    with tenant(organization.organization.id):
        Threshold.new(metric="error_rate", warning=Decimal("0.2")).save()
        Threshold.new(metric="recovery_rate", warning=Decimal("0.2"), is_enabled=False).save()
        found = {one.metric.key: one for one in effective_thresholds()}
    assert found["error_rate"].warning == Decimal("0.2")
    assert "recovery_rate" not in found


def test_a_regulated_project_is_held_to_the_strict_grounding_figure(organization: Any) -> None:
    with tenant(organization.organization.id):
        Project(name="Claims", is_regulated=True).save()
        found = [one for one in effective_thresholds() if one.metric.key == "grounding_score"]
    assert [(str(one.project), one.target) for one in found] == [
        ("None", Decimal("0.7")),
        ("Claims", Decimal("0.9")),
    ]


def test_applying_a_preset_writes_what_it_showed_and_audits_before_and_after(organization: Any) -> None:
    with tenant(organization.organization.id):
        Threshold.new(metric="error_rate", warning=Decimal("0.2"), source="Ours").save()
        shown = {change.metric.key: change for change in preset_changes(Preset.STRICT)}
        changed = apply_preset(Preset.STRICT)
        rows = {row.metric: row for row in Threshold.objects.all()}
        entries = {entry.target.partition(": ")[2]: entry for entry in AuditEntry.objects.all()}
    assert {row.metric for row in changed} == set(shipped(Preset.STRICT)) == set(rows)
    assert all(rows[key].warning == change.after.warning for key, change in shown.items())
    assert shown["error_rate"].before is not None
    assert shown["error_rate"].before.warning == Decimal("0.2")
    assert entries["Error rate"].before["warning"] == "0.2"
    assert entries["Error rate"].after["warning"] == "0.005"
    assert entries["Recovery rate"].before is None


def test_applying_a_preset_again_changes_nothing(organization: Any) -> None:
    with tenant(organization.organization.id):
        apply_preset(Preset.STRICT)
        assert not [change for change in preset_changes(Preset.STRICT) if change.is_change]
        assert apply_preset(Preset.STRICT) == []


def test_a_preset_leaves_thresholds_of_projects_and_other_metrics_alone(organization: Any) -> None:
    with tenant(organization.organization.id):
        Threshold.new(metric="error_rate", warning=Decimal("0.3"), project=organization.project).save()
        Threshold.new(metric="ttft_p95", warning=Decimal(900)).save()
        apply_preset(Preset.RELAXED)
        assert Threshold.objects.get(metric="error_rate", project=organization.project).warning == Decimal(
            "0.3"
        )
        assert Threshold.objects.get(metric="ttft_p95").warning == Decimal(900)
