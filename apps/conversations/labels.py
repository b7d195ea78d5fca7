"""What people say of the sampled turns: the next one to label, their labels, and the turns as labelled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from django.db.models import Exists, OuterRef, QuerySet

from apps.conversations.models import SampledTurn, TurnLabel
from apps.conversations.sample import latest_draw
from apps.reading.calibration import LabelledTurn


def _labels(**fields: object) -> QuerySet[TurnLabel]:
    """The labels of a sampled turn, from within a query of sampled turns."""
    labels: QuerySet[TurnLabel] = TurnLabel.objects.filter(
        project_id=OuterRef("project_id"), event_key=OuterRef("event_key"), **fields
    )
    return labels


def next_turn(labeller_id: int) -> SampledTurn | None:
    """The first turn of the present sample that this person has neither labelled nor skipped.

    Everybody gets the same turns in the same order, so that a second person's labels meet the first's.
    """
    turns = SampledTurn.objects.filter(~Exists(_labels(labeller_id=labeller_id)), draw=latest_draw())
    found: SampledTurn | None = turns.order_by("place").first()
    return found


def save_label(turn: SampledTurn, labeller_id: int, is_frustrated: bool | None, now: datetime) -> None:
    """Keep what a person says of a turn; None skips it. Saying it again replaces the label."""
    TurnLabel.objects.update_or_create(
        organization_id=turn.organization_id,
        project_id=turn.project_id,
        event_key=turn.event_key,
        labeller_id=labeller_id,
        defaults={"is_frustrated": is_frustrated, "score": turn.score, "at": now},
    )


def undo(labeller_id: int) -> bool:
    """Take this person's last label of the present sample back; False where there is none."""
    sampled = SampledTurn.objects.filter(
        draw=latest_draw(), project_id=OuterRef("project_id"), event_key=OuterRef("event_key")
    )
    last = TurnLabel.objects.filter(Exists(sampled), labeller_id=labeller_id).order_by("-at").first()
    if last is None:
        return False
    last.delete()
    return True


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the present sample is: its turns, this person's, and those that anybody labelled."""

    turns: int
    mine: int
    skipped: int
    labelled: int


def progress(labeller_id: int) -> Progress:
    turns = SampledTurn.objects.filter(draw=latest_draw())
    said = _labels(labeller_id=labeller_id)
    return Progress(
        turns.count(),
        turns.filter(Exists(said.filter(is_frustrated__isnull=False))).count(),
        turns.filter(Exists(said.filter(is_frustrated=None))).count(),
        turns.filter(Exists(_labels(is_frustrated__isnull=False))).count(),
    )


def _said() -> dict[tuple[int, str], list[bool]]:
    """Labels without skips, by (project, event key), in the order of the labellers."""
    found: dict[tuple[int, str], list[bool]] = defaultdict(list)
    rows = TurnLabel.objects.filter(is_frustrated__isnull=False).order_by("labeller_id")
    for project_id, event_key, label in rows.values_list("project_id", "event_key", "is_frustrated"):
        found[(project_id, event_key.hex)].append(label)
    return found


def labelled_turns() -> list[LabelledTurn]:
    """The labelled turns of the present sample, in its order; of several labels the mean."""
    said = _said()
    return [
        LabelledTurn(
            found={name: (value, evidence) for name, (value, evidence) in turn.found.items()},
            is_first=turn.is_first,
            frustrated=sum(labels) / len(labels),
            stratum=turn.stratum,
            stratum_turns=turn.stratum_turns,
            session=f"{turn.project_id}\0{turn.session_id}",
        )
        for turn in SampledTurn.objects.filter(draw=latest_draw()).order_by("place")
        if (labels := said.get((turn.project_id, turn.event_key.hex)))
    ]


def labelled_pairs() -> list[tuple[float, float]]:
    """What two people said of the same turn, over all turns that two have labelled."""
    return [
        (float(one), float(other)) for labels in _said().values() for one, other in combinations(labels, 2)
    ]
