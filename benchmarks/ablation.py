"""What each frustration signal adds: AUC without it, on every labelled set.

    DATA=<folder of the labelled sets>
    .venv/bin/python -m benchmarks.ablation --data $DATA

Only dbdc3 may be used to change anything; the USS sets are measured on and never fitted to.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from apps.reading.frustration import default_model
from benchmarks.labelled import MEASURING_ONLY, auc, dbdc3, f1, read, scored, uss

GROUPS = {
    "every answer_ signal": ("answer_",),
    "history": ("repetition", "repeated_correction", "upset_before", "position", "rapid_fire"),
    "sentiment": ("sentiment_",),
    "calm words": ("gratitude", "acceptance", "closing", "greeting", "request", "question"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    model = default_model()
    sets = {"dbdc3-dev": list(dbdc3(data))}
    sets |= {name: list(uss(data / path)) for name, path in MEASURING_ONLY.items()}
    read_sets = {name: [(dialogue, read(dialogue)) for dialogue in found] for name, found in sets.items()}

    def aucs(weights: dict[str, float]) -> dict[str, float]:
        changed = replace(model, weights=weights)
        return {
            name: auc([(score, label) for score, _, label in scored(pairs, changed)])
            for name, pairs in read_sets.items()
        }

    whole = aucs(model.weights)
    for name, pairs in read_sets.items():
        rows = scored(pairs, model)
        precision, recall, score = f1([(flag, label) for _, flag, label in rows])
        bias = sum(flag for _, flag, _ in rows) / sum(label for *_, label in rows)
        print(
            f"{name}: AUC {whole[name]:.3f} precision {precision:.3f} recall {recall:.3f} F1 {score:.3f} rate bias {bias:.2f}"
        )
    print("AUC lost without:  " + "  ".join(whole))
    parts = {name: (name,) for name in model.weights} | GROUPS
    for title, prefixes in parts.items():
        left = {name: weight for name, weight in model.weights.items() if not name.startswith(prefixes)}
        without = aucs(left)
        print(f"{title:24}" + "  ".join(f"{whole[name] - without[name]:+.4f}" for name in whole))


if __name__ == "__main__":
    main()
