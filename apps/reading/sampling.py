"""Which turns to label: some of every score, more around the threshold, in an order that is fair to stop in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from apps.reading.frustration import Model, TurnScore

# Stratum → how many turns of it are labelled. Most turns are far below the threshold: the ones missed
# there decide the recall, the ones around the threshold decide where it should stand.
QUOTAS: Final = {
    "far below": 60,
    "below": 40,
    "just below": 40,
    "just above": 40,
    "above": 20,
}


def stratum_of(score: TurnScore, model: Model) -> str:
    """The stratum of a scored turn, by what was decided and not by comparing its rounded score."""
    frustration = score.frustration or 0.0
    if score.is_frustrated:
        return "just above" if frustration < 2 * model.threshold and not score.is_strong else "above"
    if frustration < model.threshold / 4:
        return "far below"
    return "below" if frustration < model.threshold / 2 else "just below"


def allocate(sizes: Mapping[str, int], quotas: Mapping[str, int] = QUOTAS) -> dict[str, int]:
    """How many turns to take of each stratum, given how many it has.

    What a small stratum can not fill goes to the others, in proportion to their quotas.
    """
    taken = {name: min(sizes.get(name, 0), quota) for name, quota in quotas.items()}
    wanted = min(sum(quotas.values()), sum(sizes.get(name, 0) for name in quotas))
    while (missing := wanted - sum(taken.values())) > 0:
        open_ = [name for name in quotas if taken[name] < sizes.get(name, 0)]
        whole = sum(quotas[name] for name in open_)
        for name in open_:
            share = max(1, missing * quotas[name] // whole)
            taken[name] += min(share, sizes[name] - taken[name], wanted - sum(taken.values()))
    return taken


def interleave(taken: Mapping[str, int]) -> list[str]:
    """Strata in the order of labelling: whoever stops early has labelled each in proportion."""
    places = [(number / count, name) for name, count in taken.items() for number in range(count)]
    return [name for _, name in sorted(places)]
