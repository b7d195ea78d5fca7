"""How frustrated each user turn of a conversation sounds: a logistic model over named signals.

It works from stored facts alone, never from text, so that a project that stores no text gets the same
scores. Weights and thresholds stand in `data/frustration.json`; docs/reading.md says where they are from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log
from typing import NamedTuple

from apps.reading.context import EXPLICIT, Found, ReadTurn, find_signals, resolve_languages
from apps.reading.lexicons import DATA, is_supported

FRUSTRATION_VERSION = 2


class Evidence(NamedTuple):
    """Why a turn scores as it does: what was found and how much it moves the log-odds."""

    name: str
    evidence: str
    weight: float


@dataclass(frozen=True, slots=True)
class TurnScore:
    """`frustration` is 0..1, None where the language is not supported; then nothing is frustrated."""

    frustration: float | None
    is_frustrated: bool = False
    is_strong: bool = False
    signals: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by signal, and the two thresholds; an organisation may calibrate offset and threshold."""

    version: int
    bias: float
    weights: dict[str, float]
    threshold: float
    strong_threshold: float

    def calibrated(self, *, threshold: float | None = None, offset: float = 0.0) -> Model:
        """The model with an organisation's own threshold and an offset added to the log-odds.

        The strong threshold moves with the threshold, at the same distance in log-odds: labels say whether
        a turn is frustrated, not how strongly, and a model that flags too much flags strongly too much.
        """
        if threshold is None:
            return replace(self, bias=self.bias + offset)
        moved = logit(self.strong_threshold) + logit(threshold) - logit(self.threshold)
        return replace(self, bias=self.bias + offset, threshold=threshold, strong_threshold=sigmoid(moved))


@cache
def default_model() -> Model:
    source = json.loads((DATA / "frustration.json").read_text(encoding="utf-8"))
    return Model(
        int(source["version"]),
        float(source["bias"]),
        {name: float(weight) for name, weight in source["weights"].items()},
        float(source["threshold"]),
        float(source["strong_threshold"]),
    )


def score_turns(turns: Sequence[ReadTurn], model: Model | None = None) -> list[TurnScore | None]:
    """A score for every user message in order; None for messages of the assistant."""
    model = model or default_model()
    scores: list[TurnScore | None] = []
    messages = 0
    for found, language in zip(find_signals(turns), resolve_languages(turns), strict=True):
        if found is None:
            scores.append(None)
            continue
        messages += 1
        supported = is_supported(language)
        scores.append(judge(found, model, is_first=messages == 1) if supported else TurnScore(None))
    return scores


def judge(found: Found, model: Model, *, is_first: bool) -> TurnScore:
    """Add up what was found. A first message is frustrated only through explicit words."""
    total = model.bias
    signals = []
    weights = model.weights
    for name, (value, evidence) in found.items():
        weight = weights.get(name, 0.0) * value
        total += weight
        if weight:
            signals.append(Evidence(name, evidence, round(weight, 3)))
    score = sigmoid(total)
    if is_capped(found, is_first=is_first):
        score = min(score, model.threshold * 0.99)
    wants_human = "human_request" in found
    is_frustrated = wants_human or score >= model.threshold
    signals.sort(key=lambda one: -abs(one.weight))
    return TurnScore(
        round(score, 4), is_frustrated, wants_human or score >= model.strong_threshold, tuple(signals)
    )


def is_capped(found: Found, *, is_first: bool) -> bool:
    """Whether the score stays below the threshold, whatever else was found."""
    return is_first and not EXPLICIT & found.keys()


def sigmoid(log_odds: float) -> float:
    return 1.0 / (1.0 + exp(-log_odds))


def logit(probability: float) -> float:
    """The log-odds of a probability strictly between 0 and 1."""
    return log(probability / (1.0 - probability))


def is_spiked(scores: Iterable[TurnScore | None]) -> bool:
    """Two frustrated turns or a strong one. The third rule (frustrated last turn of an unresolved session)
    needs the outcome and is the caller's."""
    judged = [score for score in scores if score]
    return sum(score.is_frustrated for score in judged) >= 2 or any(score.is_strong for score in judged)
