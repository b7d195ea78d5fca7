"""How a conversation of the demo goes: which turns are written annoyed, what is said, and who stays."""

from __future__ import annotations

from random import Random
from typing import Final

from apps.dashboards.demo.voices import Pairs, Texts, Voice

QUESTION, FOLLOW_UP, THANKS = "question", "follow_up", "thanks"
OPENING, COMPLAINT, REPEAT, DEMAND = "opening", "complaint", "repeat", "demand"
ANNOYED: Final = frozenset({OPENING, COMPLAINT, REPEAT, DEMAND})
MOST_TURNS = 6
# A conversation counts as recovered with this many turns after the one that began the annoyance.
TURNS_AFTER = 4


def plan(random: Random, *, is_bad_prompt: bool) -> list[str]:
    """The kind of each turn. One that ends annoyed is left by its writer."""
    turns = min(MOST_TURNS, 1 + int(random.expovariate(0.9)))
    if random.random() >= (0.33 if is_bad_prompt else 0.085):
        return _calm(turns)
    annoyed_at = random.randint(1, 3 if turns > 2 else 2)
    first = OPENING if annoyed_at == 1 else random.choice((COMPLAINT, COMPLAINT, REPEAT))
    again = [random.choice((COMPLAINT, REPEAT))] if random.random() < 0.6 else []
    course = [*_calm(annoyed_at - 1), first, *again]
    if random.random() < (0.52 if is_bad_prompt else 0.70):
        return course + [FOLLOW_UP] * (TURNS_AFTER - len(again))
    return [*course, DEMAND] if random.random() < 0.5 else course


def _calm(turns: int) -> list[str]:
    return [QUESTION, *[FOLLOW_UP] * (turns - 1)] if turns else []


def messages(voice: Voice, intent: str, kind: str) -> Texts:
    """What a message of this kind may say."""
    annoyed = {
        OPENING: voice.openings,
        COMPLAINT: voice.complaints,
        REPEAT: voice.repeats,
        DEMAND: voice.demands,
    }
    return annoyed.get(kind) or tuple(_pairs(voice, intent, kind))


def answers(voice: Voice, intent: str, kind: str, message: str, following: str) -> Texts:
    """What may be answered to a message of this kind; who is annoyed in the next one was given a reason."""
    if kind == DEMAND:
        return voice.transfers
    if following in ANNOYED:
        return voice.misses
    return voice.amends if kind in ANNOYED else (_pairs(voice, intent, kind)[message],)


def _pairs(voice: Voice, intent: str, kind: str) -> Pairs:
    return {QUESTION: voice.questions[intent], FOLLOW_UP: voice.follow_ups, THANKS: voice.thanks}[kind]
