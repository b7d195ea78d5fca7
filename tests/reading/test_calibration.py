"""Labels against the detector: weights, intervals, the fit, and what it says of turns it has not seen."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from apps.reading.calibration import (
    BIAS_FROM,
    BIAS_TO,
    LabelledTurn,
    decide,
    fit,
    held_out,
    weights,
    why_not_fit,
)
from apps.reading.context import Found
from apps.reading.estimates import measure
from apps.reading.frustration import TurnScore, default_model, judge, logit, sigmoid
from apps.reading.sampling import QUOTAS, allocate, interleave, stratum_of


def turn(
    found: Found | None = None,
    frustrated: float = 0.0,
    stratum: str = "all",
    size: int = 100,
    session: str = "",
) -> LabelledTurn:
    return LabelledTurn(found or {}, False, frustrated, stratum, size, session)


def signals(log_odds: float) -> Found:
    """Something found that brings a turn to these log-odds under the default model."""
    model = default_model()
    return {"failure": ((log_odds - model.bias) / model.weights["failure"], "broken")}


def sample(size: int, shift: float, seed: int = 7) -> list[LabelledTurn]:
    """Turns whose true chance of frustration is the score of a detector with this offset."""
    random = Random(seed)
    turns = []
    for number in range(size):
        level = random.gauss(-2.0, 1.8)
        is_frustrated = random.random() < sigmoid(level + shift)
        turns.append(turn(signals(level), float(is_frustrated), size=size, session=f"s{number // 2}"))
    return turns


def test_a_turn_stands_for_its_share_of_the_stratum() -> None:
    turns = [turn(stratum="rare", size=30), turn(stratum="common", size=900), turn(stratum="rare", size=30)]
    assert weights(turns) == [15, 900, 15]


def test_rates_are_those_of_all_turns_although_the_sample_favours_some() -> None:
    flagged, calm = signals(2.0), signals(-4.0)
    turns = [turn(flagged, 1.0, "above", 50)] * 30 + [turn(flagged, 0.0, "above", 50)] * 10
    turns += [turn(calm, 1.0, "below", 950)] * 2 + [turn(calm, 0.0, "below", 950)] * 38
    found = measure(turns, decide(turns, default_model()))
    assert found.detected_rate.value == pytest.approx(50 / 1000)
    assert found.human_rate.value == pytest.approx((37.5 + 47.5) / 1000)
    assert found.precision.value == pytest.approx(0.75)
    assert found.recall.value == pytest.approx(37.5 / 85)
    assert found.bias.value == pytest.approx(50 / 85)
    assert found.f1.value == pytest.approx(2 * 37.5 / (50 + 85))


def test_intervals_are_the_same_every_time_and_shrink_with_more_labels() -> None:
    few, many = sample(60, 0.0), sample(600, 0.0)
    first, again = (measure(few, decide(few, default_model())) for _ in range(2))
    large = measure(many, decide(many, default_model()))
    assert first == again
    for name in ("precision", "recall", "bias", "human_rate"):
        small, big = getattr(first, name), getattr(large, name)
        assert small.low < small.value < small.high
        assert big.high - big.low < small.high - small.low


def test_intervals_of_the_bias_hold_the_truth_nineteen_times_of_twenty() -> None:
    everything = sample(20_000, -0.5, seed=1)
    truth = measure(everything, decide(everything, default_model())).bias.value
    assert truth is not None
    held = 0
    for seed in range(60):
        turns = sample(200, -0.5, seed=seed + 100)
        bias = measure(turns, decide(turns, default_model())).bias
        held += bias.low <= truth <= bias.high  # type: ignore[operator]
    assert 52 <= held <= 60


def test_a_precision_of_one_has_an_interval_all_the_same() -> None:
    turns = [turn(signals(2.0), 1.0, "above", 40)] * 12 + [turn(signals(-4.0), 0.0, "below", 400)] * 30
    precision = measure(turns, decide(turns, default_model())).precision
    assert (precision.value, precision.high) == (1.0, pytest.approx(1.0))
    assert precision.low == pytest.approx(0.757, abs=0.001)


def test_without_a_frustrated_turn_recall_and_bias_are_unknown() -> None:
    turns = [turn(signals(2.0), 0.0), turn(signals(-4.0), 0.0)]
    found = measure(turns, decide(turns, default_model()))
    assert (found.recall.value, found.bias.value) == (None, None)
    assert found.precision.value == 0
    assert measure([], []).human_rate.value is None


def test_labels_that_two_people_dispute_count_half() -> None:
    turns = [turn(signals(2.0), 0.5)] * 4
    assert measure(turns, [True] * 4).precision.value == 0.5


@pytest.mark.parametrize("shift", [-1.5, 0.0, 1.5])
def test_the_offset_makes_scores_mean_the_rate_that_people_see(shift: float) -> None:
    turns = sample(2_000, shift)
    fitted = fit(turns)
    assert fitted.offset == pytest.approx(shift, abs=0.25)
    scores = [judge(one.found, fitted.model(), is_first=False).frustration or 0.0 for one in turns]
    rate = sum(one.frustrated for one in turns) / len(turns)
    assert sum(scores) / len(scores) == pytest.approx(rate, abs=0.001)


@pytest.mark.parametrize("shift", [-1.5, 0.0, 1.5])
def test_the_threshold_leaves_the_rate_nearly_unbiased(shift: float) -> None:
    turns = sample(400, shift)
    found = measure(turns, decide(turns, fit(turns).model()))
    assert found.bias.value is not None
    assert BIAS_FROM <= found.bias.value <= BIAS_TO


def test_the_fit_knows_what_no_threshold_moves() -> None:
    calm, human = signals(-3.0), {"human_request": (1.0, "speak to")} | signals(-9.0)
    opening = {"length": (1.0, "40 words"), "answer_long": (9.0, "long")}
    turns = [turn(calm)] * 60 + [turn(human, 1.0)] * 6 + [turn(signals(1.0), 1.0)] * 6
    turns += [replace(turn(opening, 1.0), is_first=True)] * 6
    fitted = fit(turns)
    decided = decide(turns, fitted.model())
    assert decided == [False] * 60 + [True] * 12 + [False] * 6


def test_a_calibration_moves_both_thresholds_by_the_same_step() -> None:
    model = default_model()
    moved = model.calibrated(threshold=0.5, offset=-1.0)
    step = logit(0.5) - logit(model.threshold)
    assert logit(moved.strong_threshold) - logit(model.strong_threshold) == pytest.approx(step)
    assert moved.bias == model.bias - 1.0
    assert model.calibrated() == model


def test_figures_of_unseen_turns_come_from_fits_that_did_not_see_them() -> None:
    turns = sample(200, 1.0)
    seen: list[set[str]] = []

    def watched(part: object) -> object:
        seen.append({one.session for one in part})  # type: ignore[attr-defined]
        return fit(part)  # type: ignore[arg-type]

    decisions = held_out(turns, watched)  # type: ignore[arg-type]
    assert len(decisions) == 200
    assert len(seen) == 10
    everything = {one.session for one in turns}
    left_out = [everything - part for part in seen]
    assert sum(map(len, left_out)) == len(everything)


def test_a_refit_looks_better_on_its_own_labels_than_on_unseen_ones() -> None:
    own = unseen = 0.0
    for seed in range(12):
        turns = sample(120, 0.5, seed=seed)
        own += measure(turns, decide(turns, fit(turns).model())).f1.value or 0
        unseen += measure(turns, held_out(turns)).f1.value or 0
    assert unseen < own


def test_too_few_labels_are_refused_with_a_sentence() -> None:
    assert why_not_fit(sample(40, 0.0)) == "A calibration needs 50 labelled turns; there are 40."
    assert "0 of 60 were called frustrated" in why_not_fit([turn()] * 60)
    assert why_not_fit(sample(200, 0.0)) == ""


def test_strata_follow_what_was_decided_not_the_rounded_score() -> None:
    model = default_model()
    assert stratum_of(TurnScore(model.threshold), model) == "just below"
    assert stratum_of(TurnScore(model.threshold, is_frustrated=True), model) == "just above"
    assert stratum_of(TurnScore(0.1, is_frustrated=True, is_strong=True), model) == "above"
    assert stratum_of(TurnScore(0.01), model) == "far below"
    assert stratum_of(TurnScore(0.08), model) == "below"


def test_small_strata_are_taken_whole_and_the_rest_goes_to_the_others() -> None:
    full = allocate(dict.fromkeys(QUOTAS, 1_000))
    assert full == QUOTAS
    short = allocate({"far below": 3_000, "below": 500, "just below": 9, "just above": 30, "above": 0})
    assert (short["just below"], short["just above"], short["above"]) == (9, 30, 0)
    assert sum(short.values()) == sum(QUOTAS.values())
    assert allocate({"far below": 3, "above": 2}) == {
        "far below": 3,
        "below": 0,
        "just below": 0,
        "just above": 0,
        "above": 2,
    }


def test_whoever_stops_early_has_labelled_every_stratum_in_proportion() -> None:
    order = interleave(QUOTAS)
    assert len(order) == 200
    half = order[:100]
    for name, quota in QUOTAS.items():
        assert abs(half.count(name) - quota / 2) <= 1
    assert set(order[:5]) == set(QUOTAS)
