"""How frustrated each user turn of a conversation sounds: a logistic model over named signals.

It works from stored facts alone, never from text, so that a project that stores no text gets the same
scores. Weights and thresholds stand in `data/frustration.json`; docs/reading.md says where they are from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from math import exp, log, log2
from typing import NamedTuple

from apps.reading.fingerprints import hashes_of, similarity
from apps.reading.lexicons import DATA, is_supported
from apps.reading.messages import USER, MessageFacts

FRUSTRATION_VERSION = 1
# Signals by which a message says by itself that something is wrong.
EXPLICIT = frozenset(
    [
        "failure",
        "correction",
        "rejection",
        "confusion",
        "doubt",
        "impatience",
        "annoyance",
        "outrage",
        "insult",
        "profanity",
        "giving_up",
        "human_request",
        "shouting",
        "emoji",
        "sentiment_negative",
    ]
)
# Of these, the ones that are said in words.
COMPLAINTS = EXPLICIT - {"sentiment_negative", "shouting", "emoji", "human_request"}
OBJECTIONS = frozenset({"correction", "rejection", "confusion", "doubt"})
REPEATS_FROM = 0.6
ANSWER_REPEATS_FROM = 0.8
RAPID_MESSAGES = 3
RAPID_SECONDS = 90.0
UPSET_SENTIMENT = -0.35


# Signal → (how strongly, 0..1; evidence).
Found = dict[str, tuple[float, str]]


class ReadTurn(NamedTuple):
    """One message in order: who wrote it, its facts, and when where that is known."""

    role: str
    facts: MessageFacts
    at: datetime | None = None


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


def find_signals(turns: Sequence[ReadTurn]) -> list[Found | None]:
    """What is found in every user message and in what came before it; None for the assistant's."""
    context = _Context()
    found: list[Found | None] = []
    for turn in turns:
        if turn.role == USER:
            found.append(context.features(turn))
        else:
            context.answered(turn.facts)
            found.append(None)
    return found


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


def resolve_languages(turns: Sequence[ReadTurn]) -> list[str | None]:
    """The language of every message: its own, else the nearest earlier one of the same writer, else the
    writer's next one, else the first of anyone."""
    own = [turn.facts.language for turn in turns]
    anyone = next((language for language in own if language), None)
    first = {
        role: next((t.facts.language for t in turns if t.role == role and t.facts.language), anyone)
        for role in {turn.role for turn in turns}
    }
    resolved: list[str | None] = []
    for turn in turns:
        if turn.facts.language:
            first[turn.role] = turn.facts.language
        resolved.append(first[turn.role])
    return resolved


class _Context:
    """What the conversation was up to one message."""

    def __init__(self) -> None:
        self.messages = 0
        self.said: list[frozenset[bytes]] = []
        self.answers: list[frozenset[bytes]] = []
        self.answer: MessageFacts | None = None
        self.answer_repeats = False
        self.unanswered: list[datetime | None] = []
        self.was_upset = False
        self.objected = False

    def answered(self, facts: MessageFacts) -> None:
        print_ = hashes_of(facts.fingerprint)
        self.answer = facts
        self.answer_repeats = any(similarity(print_, one) >= ANSWER_REPEATS_FROM for one in self.answers[-6:])
        self.answers.append(print_)
        self.unanswered.clear()

    def features(self, turn: ReadTurn) -> Found:
        """Signal → (value, evidence) of the next user message; moves the context on."""
        facts = turn.facts
        found = text_features(facts)
        self.messages += 1
        self._add_answer(found)
        self._add_history(found, turn)
        self.was_upset = facts.sentiment <= UPSET_SENTIMENT or bool(EXPLICIT & facts.signals.keys())
        self.objected = bool(OBJECTIONS & facts.signals.keys())
        self.answer = None
        return found

    def _add_answer(self, found: Found) -> None:
        if self.answer is None:
            return
        for name in ("apology", "unable", "not_understood", "refusal", "human_offer", "clarifying"):
            if name in self.answer.signals:
                found["answer_" + name] = (1.0, self.answer.signals[name])
        if self.answer_repeats:
            found["answer_repeated"] = (1.0, "the answer before said so already")
        found["answer_long"] = (
            min(log2(1 + self.answer.words) / 7, 1.0),
            f"{self.answer.words} words before",
        )

    def _add_history(self, found: Found, turn: ReadTurn) -> None:
        print_ = hashes_of(turn.facts.fingerprint)
        if len(print_) >= 2:
            for back, earlier in enumerate(reversed(self.said), 1):
                alike = similarity(print_, earlier)
                if alike >= REPEATS_FROM:
                    found["repetition"] = (alike, f"repeats message {self.messages - back}")
                    break
        self.said.append(print_)
        if self.messages == 1 and COMPLAINTS & found.keys():
            # Nothing before it can speak for it, so its words count for more.
            found["opening_complaint"] = (1.0, "in the first message")
        if self.messages > 1:
            found["position"] = (min(log2(self.messages) / 4, 1.0), f"message {self.messages}")
            if self.was_upset:
                found["upset_before"] = (1.0, f"message {self.messages - 1}")
            if self.objected and OBJECTIONS & found.keys():
                found["repeated_correction"] = (1.0, f"message {self.messages - 1} too")
        self.unanswered.append(turn.at)
        if self._is_rapid():
            found["rapid_fire"] = (1.0, f"{len(self.unanswered)} messages without an answer")

    def _is_rapid(self) -> bool:
        """Three messages within 90 s that were sent before an answer came."""
        if len(self.unanswered) < RAPID_MESSAGES:
            return False
        first, last = self.unanswered[-RAPID_MESSAGES], self.unanswered[-1]
        return first is not None and last is not None and (last - first).total_seconds() <= RAPID_SECONDS


def text_features(facts: MessageFacts) -> Found:
    """What the message says by itself, as signal → (value, evidence)."""
    found = {name: (1.0, evidence) for name, evidence in facts.signals.items()}
    if facts.sentiment < 0:
        found["sentiment_negative"] = (-facts.sentiment, f"{facts.sentiment:.2f}")
    elif facts.sentiment > 0:
        found["sentiment_positive"] = (facts.sentiment, f"{facts.sentiment:.2f}")
    if facts.negations:
        found["negations"] = (min(facts.negations, 3) / 3, str(facts.negations))
    if facts.contrasts:
        found["contrasts"] = (min(facts.contrasts, 2) / 2, str(facts.contrasts))
    found["length"] = (min(log2(1 + facts.words), 5.0) / 5, f"{facts.words} words")
    return found
