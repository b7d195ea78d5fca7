"""Ratings of responses: what is positive, what is negative, and which one counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from apps.conversations.rows import FEEDBACK, EventRow

NANO = 10**9
THUMBS = {"thumbs_up": 1, "thumbs_down": -1}
POSITIVE_FROM = {"stars": 4, "csat": 4, "nps": 9}
NEGATIVE_TO = {"stars": 2, "csat": 2, "nps": 6}


@dataclass(slots=True)
class Rating:
    """One rating that counts: the latest of its kind for its response."""

    kind: str
    score: Decimal
    at: datetime
    response: EventRow

    @property
    def sign(self) -> int:
        """1 positive, -1 negative, 0 neither."""
        if self.kind == "thumbs":
            return int(self.score)
        if self.score >= POSITIVE_FROM[self.kind]:
            return 1
        return -1 if self.score <= NEGATIVE_TO[self.kind] else 0


@dataclass(slots=True)
class Reactions:
    """What users did with one response."""

    ratings: dict[str, Rating] = field(default_factory=dict)
    copies: int = 0
    shares: int = 0

    @property
    def is_negative(self) -> bool:
        return any(rating.sign < 0 for rating in self.ratings.values())

    @property
    def is_positive(self) -> bool:
        return any(rating.sign > 0 for rating in self.ratings.values())

    def score_nano(self, kind: str) -> int | None:
        """The score in 1e-9; None without such a rating."""
        rating = self.ratings.get(kind)
        return None if rating is None else int((rating.score * NANO).to_integral_value(ROUND_HALF_EVEN))


def rating_of(event: EventRow, response: EventRow) -> Rating | None:
    """The rating that a feedback event carries; None for comments and scores that are missing."""
    feedback_type = event.data.get("feedback_type", "")
    if feedback_type in THUMBS:
        return Rating("thumbs", Decimal(THUMBS[feedback_type]), event.at, response)
    score = event.data.get("feedback_score")
    if feedback_type not in POSITIVE_FROM or score is None:
        return None
    return Rating(feedback_type, Decimal(repr(score)), event.at, response)


def attach(events: list[EventRow], responses: list[EventRow]) -> dict[str, Reactions]:
    """Reactions by the response's event key. `events` are in order; a reaction with a `response_id`
    goes to that response, one without to the latest earlier response of the session."""
    by_id: dict[str, EventRow] = {}
    for response in responses:
        if response.response_id:
            by_id.setdefault(response.response_id, response)
    reactions = {response.event_key: Reactions() for response in responses}
    for event in events:
        target = _target(event, by_id, responses)
        if target is None:
            continue
        held = reactions[target.event_key]
        if event.name == FEEDBACK:
            rating = rating_of(event, target)
            if rating is not None:
                held.ratings[rating.kind] = rating
        elif event.name == "response_copied":
            held.copies += 1
        elif event.name == "response_shared":
            held.shares += 1
    return reactions


def _target(event: EventRow, by_id: dict[str, EventRow], responses: list[EventRow]) -> EventRow | None:
    if event.name not in (FEEDBACK, "response_copied", "response_shared"):
        return None
    if event.response_id:
        return by_id.get(event.response_id)
    earlier = [response for response in responses if response.order < event.order]
    return earlier[-1] if earlier else None
