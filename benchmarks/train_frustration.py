"""Fit the frustration weights on DBDC3 (MIT), held near the hand-set ones.

    DATA=<folder of the labelled sets>
    .venv/bin/python -m benchmarks.train_frustration --data $DATA [--write]

Logistic regression by plain gradient descent with a Gaussian prior around the weights of
apps/reading/data/frustration.json: signals that the data do not speak about keep their reviewed weight.
Signals under `kept` and the bias are not fitted: small talk with a chat bot says nothing about the length,
the questions or the base rate of other conversations. Prints AUC by 5-fold cross-validation over dialogues.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from math import exp
from pathlib import Path

from apps.reading.context import Found
from apps.reading.lexicons import DATA
from benchmarks.labelled import auc, dbdc3, labelled_signals

WEIGHTS = DATA / "frustration.json"
STEPS = 300
RATE = 2.0
FOLDS = 5

Rows = list[tuple[dict[str, float], int]]


def logit(weights: dict[str, float], row: dict[str, float]) -> float:
    return sum(weights.get(name, 0.0) * value for name, value in row.items())


def fit(rows: Rows, prior: dict[str, float], kept: frozenset[str], strength: float) -> dict[str, float]:
    """Weights (with `bias` as one) that fit the rows, each pulled towards its prior.

    The bias is fitted so that the others are not bent by the set's base rate, and put back afterwards.
    """
    weights = dict(prior)
    size = len(rows)
    for _ in range(STEPS):
        slope = {name: strength * (weights[name] - prior[name]) / size for name in weights if name != "bias"}
        slope["bias"] = 0.0
        for row, label in rows:
            miss = (1 / (1 + exp(-logit(weights, row))) - label) / size
            for name, value in row.items():
                if name in slope:
                    slope[name] += miss * value
        for name, step in slope.items():
            if name not in kept:
                weights[name] -= RATE * step
    return weights


def as_rows(found: list[tuple[Found, int]]) -> Rows:
    return [({"bias": 1.0, **{name: value for name, (value, _) in f.items()}}, label) for f, label in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--strength", type=float, default=20.0, help="pull towards the hand-set weights")
    parser.add_argument("--write", action="store_true", help="write the weights into the data file")
    options = parser.parse_args()
    source = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    prior = {**source["weights"], "bias": source["bias"]}
    kept = frozenset(source["kept"])
    dialogues = list(dbdc3(options.data))
    folds = [as_rows(labelled_signals(iter(dialogues[k::FOLDS]))) for k in range(FOLDS)]
    by_hand, by_fit = [], []
    for k, fold in enumerate(folds):
        others = [row for j, rows in enumerate(folds) if j != k for row in rows]
        weights = fit(others, prior, kept, options.strength)
        by_hand += [(logit(prior, row), label) for row, label in fold]
        by_fit += [(logit(weights, row) - weights["bias"], label) for row, label in fold]
    print(f"AUC on unseen folds: hand-set {auc(by_hand):.3f}, fitted {auc(by_fit):.3f}")
    rows = [row for fold in folds for row in fold]
    weights = fit(rows, prior, kept, options.strength)
    present = Counter(name for row, _ in rows for name in row)
    hits = Counter(name for row, label in rows for name in row if label)
    base = sum(label for _, label in rows) / len(rows)
    for name, weight in weights.items():
        lift = hits[name] / present[name] / base if present[name] else 0.0
        print(f"{name:22} n={present[name]:5} lift={lift:4.2f} hand {prior[name]:5.2f} → {weight:5.2f}")
    if options.write:
        source["weights"] = {name: round(weight, 2) for name, weight in weights.items() if name != "bias"}
        WEIGHTS.write_text(json.dumps(source, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
