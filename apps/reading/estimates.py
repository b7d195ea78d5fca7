"""How well decisions agree with people's labels, with 95 % intervals, from a stratified sample."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from apps.core.intervals import wilson
from apps.reading.calibration import LabelledTurn, weights

REPLICATES = 1_000
SEED = 20_240


class Estimate(NamedTuple):
    """A value with its 95 % interval; None where the labels do not say."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on `turns` labelled turns.

    `bias` is the detected rate ÷ the rate that people see: above 1 the detector flags too much.
    """

    turns: int
    detected_rate: Estimate
    human_rate: Estimate
    precision: Estimate
    recall: Estimate
    f1: Estimate
    bias: Estimate


class Counts(NamedTuple):
    """Weighted turns: all, detected, frustrated to people, and both."""

    whole: float
    detected: float
    human: float
    both: float


def _ratios(counts: Counts) -> dict[str, tuple[float, float]]:
    """Name of a figure → its numerator and denominator."""
    return {
        "detected_rate": (counts.detected, counts.whole),
        "human_rate": (counts.human, counts.whole),
        "precision": (counts.both, counts.detected),
        "recall": (counts.both, counts.human),
        "f1": (2 * counts.both, counts.detected + counts.human),
        "bias": (counts.detected, counts.human),
    }


def measure(turns: Sequence[LabelledTurn], decisions: Sequence[bool]) -> Figures:
    """Figures of these decisions.

    Intervals are percentiles of a bootstrap within the strata (Efron 1979, `REPLICATES` draws, fixed seed,
    so that the same labels always show the same interval). Where every draw is alike, as for a precision
    of 1, a share takes the Wilson interval at Kish's effective size of its denominator instead.
    """
    weight = weights(turns)
    found = _ratios(_count([(w, d, t.frustrated) for w, d, t in zip(weight, decisions, turns, strict=True)]))
    drawn: dict[str, list[float]] = defaultdict(list)
    for counts in _replicates(turns, weight, decisions):
        for name, (part, whole) in _ratios(counts).items():
            if whole:
                drawn[name].append(part / whole)
    bases = {
        "detected_rate": weight,
        "human_rate": weight,
        "precision": [w for w, said in zip(weight, decisions, strict=True) if said],
        "recall": [w * t.frustrated for w, t in zip(weight, turns, strict=True) if t.frustrated],
    }
    return Figures(
        turns=len(turns),
        **{
            name: _estimate(part, whole, drawn[name], bases.get(name))
            for name, (part, whole) in found.items()
        },
    )


def _count(rows: list[tuple[float, bool, float]]) -> Counts:
    """Sums over (weight, detected, share of people who see frustration)."""
    return Counts(
        sum(weight for weight, _, _ in rows),
        sum(weight for weight, detected, _ in rows if detected),
        sum(weight * human for weight, _, human in rows),
        sum(weight * human for weight, detected, human in rows if detected),
    )


def _replicates(
    turns: Sequence[LabelledTurn], weight: list[float], decisions: Sequence[bool]
) -> list[Counts]:
    """Weighted counts of samples drawn anew, with replacement, within each stratum."""
    strata: dict[str, list[Counts]] = defaultdict(list)
    for turn, w, said in zip(turns, weight, decisions, strict=True):
        human = w * turn.frustrated
        strata[turn.stratum].append(Counts(w, w * said, human, human * said))
    if not strata:
        return []
    random = Random(SEED)  # noqa: S311 - a fixed draw, nothing secret
    found = []
    for _ in range(REPLICATES):
        rows = [row for held in strata.values() for row in random.choices(held, k=len(held))]
        found.append(Counts(*map(sum, zip(*rows, strict=True))))
    return found


def _estimate(part: float, whole: float, drawn: list[float], base: list[float] | None) -> Estimate:
    if not whole or not drawn:
        return Estimate(None)
    value = part / whole
    drawn = sorted(drawn)
    low, high = drawn[int(0.025 * len(drawn))], drawn[int(0.975 * len(drawn))]
    if base and high - low < 1e-9:
        size = sum(base) ** 2 / sum(one * one for one in base)
        low, high = wilson(min(value, 1.0) * size, size)
    return Estimate(value, low, high)
