"""A detector held against people's labels: how well it agrees, and the offset and threshold that suit them.

Pure arithmetic over labelled turns. They come from a sample stratified over the score, so every turn stands
for as many turns as its stratum has for each labelled one (the Horvitz-Thompson weight).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from apps.reading.context import Found
from apps.reading.frustration import Model, default_model, is_capped, judge, sigmoid

FOLDS = 10
LEAST_LABELS = 50
LEAST_OF_EACH = 5
# A rate is passed on as a number: one that is off by more than a fifth is not worth a better F1.
BIAS_FROM, BIAS_TO = 0.8, 1.25
OFFSET_REACH = 10.0
HALVINGS = 40
LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.01, 0.99


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """A turn that people judged; `frustrated` is the share of them, 0..1, who called it frustrated.

    `stratum_turns` is how many turns its stratum has; `session` keeps turns of one session together.
    """

    found: Found
    is_first: bool
    frustrated: float
    stratum: str
    stratum_turns: int
    session: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """What suits the labels: an offset of the log-odds and a threshold of the score that it leads to."""

    offset: float
    threshold: float

    def model(self) -> Model:
        return default_model().calibrated(threshold=self.threshold, offset=self.offset)


def weights(turns: Sequence[LabelledTurn]) -> list[float]:
    """How many turns each labelled one stands for; a stratum without labels is not represented."""
    labelled = Counter(turn.stratum for turn in turns)
    return [turn.stratum_turns / labelled[turn.stratum] for turn in turns]


def decide(turns: Sequence[LabelledTurn], model: Model) -> list[bool]:
    """What the detector says of each turn under this model."""
    return [judge(turn.found, model, is_first=turn.is_first).is_frustrated for turn in turns]


def why_not_fit(turns: Sequence[LabelledTurn]) -> str:
    """Why there are too few labels to fit anything to, as a sentence; empty where there are enough."""
    said = sum(turn.frustrated >= 0.5 for turn in turns)
    if len(turns) < LEAST_LABELS:
        return f"A calibration needs {LEAST_LABELS} labelled turns; there are {len(turns)}."
    if min(said, len(turns) - said) < LEAST_OF_EACH:
        return (
            f"A calibration needs {LEAST_OF_EACH} turns of each kind; "
            f"{said} of {len(turns)} were called frustrated."
        )
    return ""


def fit(turns: Sequence[LabelledTurn]) -> Fit:
    """Offset and threshold for these labels.

    The offset is calibration in the large: the mean score, before the cap on first messages, becomes
    the rate that people see. The threshold is the one of highest F1 among those whose detected rate
    is 0.8 to 1.25 of theirs; where no threshold reaches that, the one that comes nearest.
    """
    weight = weights(turns)
    log_odds = [_log_odds(turn) for turn in turns]
    offset = _fit_offset(turns, weight, log_odds)
    return Fit(round(offset, 6), _fit_threshold(turns, weight, [one + round(offset, 6) for one in log_odds]))


def held_out(
    turns: Sequence[LabelledTurn], fitted: Callable[[Sequence[LabelledTurn]], Fit] = fit
) -> list[bool]:
    """What a fit says of turns that it has not seen: each tenth is decided by the fit to the other nine.

    Figures of these decisions are honest about a fit; figures of the fit on its own labels flatter it.
    Turns of one session stay in one tenth.
    """
    fold_of = [_fold(turn) for turn in turns]
    decisions: dict[int, bool] = {}
    for fold in sorted(set(fold_of)):
        seen = [turn for turn, its in zip(turns, fold_of, strict=True) if its != fold]
        unseen = [number for number, its in enumerate(fold_of) if its == fold]
        model = fitted(seen).model() if seen else default_model()
        said = decide([turns[number] for number in unseen], model)
        decisions.update(zip(unseen, said, strict=True))
    return [decisions[number] for number in range(len(turns))]


def _fold(turn: LabelledTurn) -> int:
    return int.from_bytes(hashlib.sha256(turn.session.encode()).digest()[:4]) % FOLDS


def _log_odds(turn: LabelledTurn) -> float:
    model = default_model()
    return model.bias + sum(model.weights.get(name, 0.0) * value for name, (value, _) in turn.found.items())


def _fit_offset(turns: Sequence[LabelledTurn], weight: list[float], log_odds: list[float]) -> float:
    """The offset at which Σ weight × score = Σ weight × label, by halving; the mean rises with it."""
    wanted = sum(w * turn.frustrated for w, turn in zip(weight, turns, strict=True))
    low, high = -OFFSET_REACH, OFFSET_REACH
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        mean = sum(w * sigmoid(one + middle) for w, one in zip(weight, log_odds, strict=True))
        low, high = (middle, high) if mean < wanted else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True, slots=True)
class _Cut:
    """A possible threshold with what it would detect, in weighted turns."""

    threshold: float
    detected: float
    right: float
    human: float

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.detected + self.human)

    @property
    def away(self) -> float:
        """How far the detected rate is from the human one, as a factor of at least 1."""
        if not self.detected:
            return float("inf")
        return max(self.detected / self.human, self.human / self.detected)

    @property
    def rank(self) -> tuple[bool, float, float]:
        is_sound = BIAS_FROM <= self.detected / self.human <= BIAS_TO
        return is_sound, self.f1 if is_sound else 0.0, -self.away


def _fit_threshold(turns: Sequence[LabelledTurn], weight: list[float], log_odds: list[float]) -> float:
    """The best cut. A request for a human is above every cut, a capped first message below every one."""
    human = sum(w * turn.frustrated for w, turn in zip(weight, turns, strict=True))
    if not human:
        return HIGHEST_THRESHOLD
    detected = right = 0.0
    movable: list[tuple[float, float, float]] = []
    for turn, w, one in zip(turns, weight, log_odds, strict=True):
        if "human_request" in turn.found:
            detected, right = detected + w, right + w * turn.frustrated
        elif not is_capped(turn.found, is_first=turn.is_first):
            movable.append((one, w, w * turn.frustrated))
    movable.sort(reverse=True)
    levels = [(one, list(same)) for one, same in groupby(movable, key=lambda row: row[0])]
    cuts = [_Cut(HIGHEST_THRESHOLD, detected, right, human)]
    for place, (level, same) in enumerate(levels):
        detected += sum(row[1] for row in same)
        right += sum(row[2] for row in same)
        below = levels[place + 1][0] if place + 1 < len(levels) else level - 1.0
        cuts.append(_Cut(sigmoid((level + below) / 2), detected, right, human))
    usable = [cut for cut in cuts if LOWEST_THRESHOLD <= cut.threshold <= HIGHEST_THRESHOLD]
    return round(max(usable, key=lambda cut: cut.rank).threshold, 6)
