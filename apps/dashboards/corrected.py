"""The rate of frustrated turns as an organisation's labels correct it, beside the raw one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.accounts.models import Organization
from apps.conversations.calibration import active_calibration, figure
from apps.dashboards.display import amount
from apps.dashboards.selection import Selection
from apps.metrics import adding
from apps.metrics.behind import whole_of
from apps.metrics.catalogue import METRICS, Metric
from apps.metrics.measures import sessions as s
from apps.reading.calibration import LEAST_LABELS
from apps.reading.estimates import Estimate

CORRECTED: Final = "frustrated_turn_rate"
SHOWN_ON: Final = frozenset({CORRECTED, "frustration_spike_rate"})


@dataclass(frozen=True, slots=True)
class Corrected:
    """The raw and the corrected rate of the period in words, and what the correction stands on."""

    raw: str
    value: str
    interval: str
    bias: str
    labels: int


def correct(given: int, detected: int, scored: int, bias: Estimate) -> Estimate:
    """(given + detected ÷ bias) ÷ scored, with the interval that the bias brings.

    `given` are turns that a flag or a rating calls frustrated: they are facts and have no bias.
    """
    if not scored or not bias.value:
        return Estimate(None)
    rates = [
        min(1.0, (given + detected / one) / scored) if one else 1.0
        for one in (bias.value, bias.high or 0.0, bias.low or 0.0)
    ]
    return Estimate(*rates)


def corrected(
    organization: Organization, metric: Metric, selection: Selection, now: datetime
) -> Corrected | None:
    """None where no calibration with enough labels is in force, and while history is judged anew."""
    calibration = active_calibration() if metric.key in SHOWN_ON else None
    if calibration is None or calibration.turns < LEAST_LABELS or organization.recompute_requested_at:
        return None
    piece = whole_of(organization, METRICS[CORRECTED], selection.over_time((CORRECTED,)), now).piece
    sums = adding.sums((s.frustrated_turns, s.detected_turns, s.scored_turns), piece).get((0, ()), {})
    frustrated, detected, scored = (
        int(sums.get(one, 0)) for one in (s.frustrated_turns, s.detected_turns, s.scored_turns)
    )
    bias = figure(calibration.figures, "bias")
    rate = correct(frustrated - detected, detected, scored, bias)
    if rate.value is None:
        return None
    return Corrected(
        amount(frustrated / scored, "ratio"),
        amount(rate.value, "ratio"),
        f"{amount(rate.low, 'ratio')} to {amount(rate.high, 'ratio')}",
        amount(bias.value, "score"),
        calibration.turns,
    )
