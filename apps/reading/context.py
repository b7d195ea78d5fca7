"""What is found in each user message and in the conversation before it, from stored facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import log2
from typing import NamedTuple

from apps.reading.fingerprints import hashes_of, similarity
from apps.reading.messages import USER, MessageFacts

# Signals by which a message says by itself that something is wrong.
EXPLICIT = frozenset(
    [
        "failure",
        "correction",
        "comparison",
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
OBJECTIONS = frozenset({"correction", "comparison", "rejection", "confusion", "doubt"})
# Said as readily of a film as of the assistant: what an answer to a question of opinion explains.
# A "no" at the beginning is not among them: it always answers the assistant.
OF_ANYTHING = (
    "comparison",
    "confusion",
    "doubt",
    "impatience",
    "annoyance",
    "outrage",
    "profanity",
    "emoji",
    "sentiment_negative",
    "negations",
    "contrasts",
    "length",
)
# What makes a message about the assistant or the service, whatever was asked before.
AT_ASSISTANT = frozenset(
    [
        "addressed",
        "accusation",
        "failure",
        "correction",
        "insult",
        "giving_up",
        "human_request",
        "repetition",
    ]
)
# How much is left of a signal that a question of opinion explains: little, but people do complain there too.
EXPLAINED_SHARE = 0.25
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
        self.opinion = ""

    def answered(self, facts: MessageFacts) -> None:
        print_ = hashes_of(facts.fingerprint)
        self._ask(facts.signals)
        self.answer = facts
        self.answer_repeats = any(similarity(print_, one) >= ANSWER_REPEATS_FROM for one in self.answers[-6:])
        self.answers.append(print_)
        self.unanswered.clear()

    def features(self, turn: ReadTurn) -> Found:
        """Signal → (value, evidence) of the next user message; moves the context on."""
        facts = turn.facts
        found = text_features(facts)
        own = set(facts.signals)
        if not self.answers:
            # "I can't log in" as a first message: nothing has been said that it could reject.
            found.pop("rejection", None)
            own.discard("rejection")
        self.messages += 1
        self._add_answer(found)
        self._add_repetition(found, turn)
        is_opinion = self._explain(found)
        self._add_history(found, turn, is_opinion=is_opinion)
        left = own.difference(OF_ANYTHING) if is_opinion else own
        is_negative = facts.sentiment <= UPSET_SENTIMENT and not is_opinion
        self.was_upset = is_negative or bool(EXPLICIT & left)
        self.objected = bool(OBJECTIONS & left)
        self.answer = None
        return found

    def _ask(self, signals: dict[str, str]) -> None:
        """Remember whether an opinion is asked for. It stays so while the assistant asks on ("Why?"); several
        messages of the assistant in a row are taken as one."""
        if "opinion_question" in signals:
            self.opinion = signals["opinion_question"]
        elif self.answer is None and "asks_on" not in signals:
            self.opinion = ""

    def _explain(self, found: Found) -> bool:
        """Take back what a question of opinion explains; False where none was asked, or where the message
        is about the assistant all the same."""
        if not self.opinion or AT_ASSISTANT & found.keys():
            return False
        found["opinion_asked"] = (1.0, self.opinion)
        for name in OF_ANYTHING:
            if name in found:
                value, evidence = found[name]
                found[name] = (value * EXPLAINED_SHARE, f"{evidence} (as an opinion)")
        return True

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

    def _add_repetition(self, found: Found, turn: ReadTurn) -> None:
        print_ = hashes_of(turn.facts.fingerprint)
        if len(print_) >= 2:
            for back, earlier in enumerate(reversed(self.said), 1):
                alike = similarity(print_, earlier)
                if alike >= REPEATS_FROM:
                    found["repetition"] = (alike, f"repeats message {self.messages - back}")
                    break
        self.said.append(print_)

    def _add_history(self, found: Found, turn: ReadTurn, *, is_opinion: bool) -> None:
        if self.messages == 1 and not is_opinion and COMPLAINTS & found.keys():
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
