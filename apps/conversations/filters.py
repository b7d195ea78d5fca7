"""Which sessions: named conditions and orders, shared by the API and the pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import BooleanField, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import Coalesce

from apps.conversations.models import Generation, Session
from apps.events.problems import Problem

LOW_GROUNDING_NANO: Final = 500_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Failed tools and steps of the sessions that were sent with an id; the answers of every session.
FAILED_EVENT = RawSQL(
    "EXISTS (SELECT 1 FROM events_event e WHERE e.organization_id = conversations_session.organization_id "
    "AND e.session_id = conversations_session.session_id AND e.project_id = conversations_session.project_id "
    "AND e.failed)",
    [],
    output_field=BooleanField(),
)


@dataclass(frozen=True)
class Condition:
    """Something that is true of a session or not, at the time of reading."""

    title: str
    test: Callable[[datetime], Q]


def _always(**fields: Any) -> Callable[[datetime], Q]:
    return lambda now: Q(**fields)


def _answer(**fields: Any) -> Callable[[datetime], Q]:
    """Sessions with an answer or inner call of which this holds."""
    return lambda now: Q(
        Exists(
            Generation.objects.filter(
                session_id=OuterRef("session_id"), project_id=OuterRef("project_id"), **fields
            )
        )
    )


CONDITIONS: Final[dict[str, Condition]] = {
    "closed": Condition("Closed", lambda now: Q(closed_at__lte=now)),
    "open": Condition("Still open", lambda now: Q(closed_at__gt=now)),
    "spiked": Condition("Frustration spike", _always(is_spiked=True)),
    "has_spikes": Condition("At least one spike", _always(spikes__gt=0)),
    "recovered": Condition("Recovered spike", _always(recovered__gt=0)),
    "not_recovered": Condition("Spike not recovered", _always(recovered__lt=F("spikes"))),
    "recovered_confirmed": Condition("Recovery confirmed", _always(recovered_confirmed__gt=0)),
    "frustrated_turns": Condition("Frustrated turn", _always(frustrated_turns__gt=0)),
    "frustration_exit": Condition("Left frustrated", _always(is_frustration_exit=True)),
    "scored": Condition("Scored turns", _always(scored_turns__gt=0)),
    "sentiment": Condition("Sentiment known", _always(sentiments__gt=0)),
    "assisted": Condition("At least one response", _always(responses__gt=0)),
    "low_grounding": Condition(
        "Low grounding", _answer(is_response=True, grounding_nano__lt=LOW_GROUNDING_NANO)
    ),
    "grounding": Condition("Grounding scored", _answer(is_response=True, grounding_nano__isnull=False)),
    "grounding_expected": Condition(
        "Grounding expected", _answer(is_response=True, is_grounding_expected=True)
    ),
    "handoff": Condition("Any handoff", _always(handoffs__gt=0)),
    "human_handoff": Condition("Handed to a human", _always(human_handoffs__gt=0)),
    "agent_handoff": Condition("Handed to an agent", _always(handoffs__gt=F("human_handoffs"))),
    "errors": Condition("Errors", lambda now: _answer(failed=True)(now) | Q(FAILED_EVENT)),
    "cost": Condition("Cost known", _always(cost_nano__isnull=False)),
    "unpriced": Condition("Unpriced call", _answer(is_unpriced=True)),
    "suspect_usage": Condition("Suspect token counts", _answer(flags__isnull=False)),
    "deflected": Condition("Deflected", _always(is_deflected=True, is_taken_back=False, responses__gt=0)),
    "taken_back": Condition("Deflection taken back", _always(is_taken_back=True)),
}


def hold(rows: QuerySet[Session], names: list[str], now: datetime) -> QuerySet[Session]:
    """Sessions of which all named conditions hold; raises `Problem` for one that is not known."""
    for name in names:
        if name not in CONDITIONS:
            raise Problem(400, "unknown_condition", f"with: must be one of {', '.join(CONDITIONS)}.")
        rows = rows.filter(CONDITIONS[name].test(now))
    return rows


@dataclass(frozen=True)
class Order:
    """An order of sessions by one value, with project and id to tell equal ones apart.

    `number` and `value` turn the sorted value into the integer that a cursor carries, and back.
    """

    title: str
    expression: Combinable
    is_descending: bool
    number: Callable[[Any], int]
    value: Callable[[int], Any]

    def sort(self, rows: QuerySet[Session], *, is_reversed: bool = False) -> QuerySet[Session]:
        """In this order, each row with its `sort_value`."""
        down = self.is_descending != is_reversed
        ties = ("-project_id", "-session_id") if is_reversed else ("project_id", "session_id")
        return rows.annotate(sort_value=self.expression).order_by(
            F("sort_value").desc() if down else F("sort_value").asc(), *ties
        )

    def beyond(
        self, rows: QuerySet[Session], place: Place, *, is_reversed: bool = False
    ) -> QuerySet[Session]:
        """What comes after a place in the order; before it where `is_reversed`. Nearest first."""
        down = self.is_descending != is_reversed
        side, tie = ("lt" if down else "gt"), ("lt" if is_reversed else "gt")
        value = self.value(place.number)
        # The first condition follows from the second; it is what an index can be entered with.
        return self.sort(rows, is_reversed=is_reversed).filter(
            Q(**{f"sort_value__{side}e": value}),
            Q(**{f"sort_value__{side}": value})
            | Q(sort_value=value, **{f"project_id__{tie}": place.project_id})
            | Q(sort_value=value, project_id=place.project_id, **{f"session_id__{tie}": place.session_id}),
        )

    def place_of(self, row: Any) -> Place:
        """Where a row that `sort` gave stands."""
        return Place(self.number(row.sort_value), row.project_id, row.session_id)


@dataclass(frozen=True)
class Place:
    """A position in an order: the sorted value as an integer, and whose it is."""

    number: int
    project_id: int
    session_id: str


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def _instant(number: int) -> datetime:
    return EPOCH + timedelta(microseconds=number)


DURATION = ExpressionWrapper(F("last_event_at") - F("started_at"), output_field=DurationField())
ORDERS: Final[dict[str, Order]] = {
    "newest": Order("Newest first", F("started_at"), True, _micros, _instant),
    "oldest": Order("Oldest first", F("started_at"), False, _micros, _instant),
    "cost": Order("Highest cost", Coalesce(F("cost_nano"), -1), True, int, int),
    "duration": Order(
        "Longest",
        DURATION,
        True,
        lambda span: span // timedelta(microseconds=1),
        lambda number: timedelta(microseconds=number),
    ),
    "turns": Order("Most turns", F("turns"), True, int, int),
}
