"""The detector that is in force in an organisation: the default one, or as its own labels calibrated it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from apps.conversations.calibration_models import Calibration
from apps.reading.calibration import Fit
from apps.reading.estimates import Estimate, Figures
from apps.reading.frustration import FRUSTRATION_VERSION, Model, default_model


def active_calibration() -> Calibration | None:
    """The choice in force; None where none was made, or where it was made for another detector."""
    found: Calibration | None = Calibration.objects.filter(
        is_active=True, version=FRUSTRATION_VERSION
    ).first()
    return found


def outdated_calibration() -> Calibration | None:
    """The choice that was in force until the detector changed: its threshold belongs to another score."""
    found: Calibration | None = (
        Calibration.objects.filter(is_active=True).exclude(version=FRUSTRATION_VERSION).first()
    )
    return found


def model_of(calibration: Calibration | None) -> Model:
    if calibration is None:
        return default_model()
    return default_model().calibrated(threshold=calibration.threshold, offset=calibration.offset)


def model_in_force() -> Model:
    """The detector of the active organisation: one query, to be asked once for many sessions."""
    return model_of(active_calibration())


def activate(chosen: Fit | None, figures: Figures, created_by_id: int, now: datetime) -> Calibration:
    """Put a fit, or with None the default, in force; earlier choices are kept as history."""
    Calibration.objects.filter(is_active=True).update(is_active=False)
    row = Calibration(
        created_at=now,
        created_by_id=created_by_id,
        version=FRUSTRATION_VERSION,
        threshold=chosen.threshold if chosen else None,
        offset=chosen.offset if chosen else 0.0,
        turns=figures.turns,
        figures=asdict(figures),
        is_active=True,
    )
    row.save()
    return row


def figure(figures: Mapping[str, Any], name: str) -> Estimate:
    """One estimate of a stored calibration."""
    return Estimate(*figures[name])
