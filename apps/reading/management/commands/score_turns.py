"""`manage.py score_turns`: dialogues as JSON lines in, the same with frustration scores out.

What a customer uses to check the detector against their own labels. It needs no database, no Redis
and no secret key.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError

from apps.reading.context import ReadTurn
from apps.reading.frustration import TurnScore, is_spiked, score_turns
from apps.reading.messages import read_message

DECODE = msgspec.json.Decoder().decode
ENCODE = msgspec.json.Encoder().encode
KEY = b"score_turns"
LINES_A_WRITE = 200


class Command(BaseCommand):
    help = "Score dialogues from standard input (JSON lines) for frustration, to standard output."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        output = sys.stdout.buffer
        pending: list[bytes] = []
        for number, line in enumerate(sys.stdin.buffer, 1):
            if not line.strip():
                continue
            pending.append(ENCODE(score_dialogue(_dialogue(line, number))) + b"\n")
            if len(pending) >= LINES_A_WRITE:
                output.write(b"".join(pending))
                pending.clear()
        output.write(b"".join(pending))
        output.flush()


def score_dialogue(dialogue: dict[str, Any]) -> dict[str, Any]:
    """The dialogue with `frustration`, `frustrated` and `signals` on its user turns, and `spiked`."""
    turns = list(_read(dialogue))
    scores = score_turns(turns)
    for turn, score in zip(dialogue["turns"], scores, strict=True):
        if score is not None:
            turn.update(_as_json(score))
    dialogue["spiked"] = is_spiked(scores)
    return dialogue


def _read(dialogue: dict[str, Any]) -> Iterator[ReadTurn]:
    language = dialogue.get("language")
    for turn in dialogue["turns"]:
        role = turn["role"]
        facts = read_message(turn.get("text") or "", language, role=role, key=KEY)
        yield ReadTurn(role, facts, _instant(turn.get("timestamp")))


def _as_json(score: TurnScore) -> dict[str, Any]:
    return {
        "frustration": score.frustration,
        "frustrated": score.is_frustrated,
        "signals": [one._asdict() for one in score.signals],
    }


def _instant(value: Any) -> datetime | None:
    """An ISO 8601 text or epoch seconds as an instant; None where nothing is given."""
    if value in (None, ""):
        return None
    instant: datetime = msgspec.convert(value, datetime, strict=False)
    return instant


def _dialogue(line: bytes, number: int) -> dict[str, Any]:
    """One line of input; raises CommandError that names the line and the field."""
    try:
        dialogue = DECODE(line)
    except msgspec.DecodeError as error:
        raise CommandError(f"Line {number}: is not JSON: {error}.") from None
    turns = dialogue.get("turns") if isinstance(dialogue, dict) else None
    if not isinstance(turns, list):
        raise CommandError(f"Line {number}: turns: must be a list of turns.")
    for position, turn in enumerate(turns):
        if not isinstance(turn, dict) or turn.get("role") not in ("user", "assistant"):
            raise CommandError(f"Line {number}: turns[{position}].role: must be user or assistant.")
    checked: dict[str, Any] = dialogue
    return checked
