"""Which sessions the list shows: all of it is held in the address, like every selection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.accounts.models import Organization, Project
from apps.conversations.filters import CONDITIONS, ORDERS, Order, Place, hold
from apps.conversations.models import Session
from apps.conversations.settle import SESSION_DIMENSIONS
from apps.core.time_buckets import local_midnight
from apps.dashboards.selection import DEFAULT_PERIOD, Selection, default_selection, read_selection
from apps.dashboards.sessions_address import session_id_of, token_of
from apps.metrics.query import NONE, BadQuery

DIMENSIONS: Final = (*SESSION_DIMENSIONS, "model")
OUTCOMES: Final = ("resolved", "unresolved", "escalated", "abandoned", "open")
LEVELS: Final = ("verified", "contained")
DEFAULT_ORDER: Final = "newest"
TEST: Final = "test"
LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """The sessions that began in the period and of which everything named holds.

    A preset period ends with today here, since the newest sessions are looked for most. Values of one
    name are alternatives. A session named by its id is shown whatever its period and environment.
    """

    selection: Selection
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    order_name: str = DEFAULT_ORDER

    @property
    def order(self) -> Order:
        return ORDERS[self.order_name]

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.selection.end + timedelta(days=1) if self.selection.is_preset else self.selection.end

    @property
    def is_narrowed(self) -> bool:
        return bool(self.values or self.conditions)

    def rows(self, organization: Organization, now: datetime) -> QuerySet[Session]:
        """All sessions of the filter, in no order."""
        rows: QuerySet[Session] = hold(Session.objects.all(), list(self.conditions), now)
        for name, values in self.values.items():
            rows = rows.filter(_test(name, values, now))
        if "session_id" in self.values:
            return rows
        rows = rows.filter(
            started_at__gte=local_midnight(self.selection.start, organization.zone),
            started_at__lt=local_midnight(self.end, organization.zone),
        )
        return rows if "environment" in self.values else rows.exclude(environment=TEST)

    def parameters(self, **changes: str) -> str:
        """The address's query with `changes`; what is a default is left out."""
        mine: dict[str, str | tuple[str, ...]] = {"period": self.selection.period}
        if not self.selection.is_preset:
            mine |= {"from": self.selection.start.isoformat(), "to": self.selection.last.isoformat()}
        mine |= self.values | {"with": self.conditions, "order": self.order_name, **changes}
        defaults = {"period": DEFAULT_PERIOD, "order": DEFAULT_ORDER}
        kept = {name: value for name, value in mine.items() if value and value != defaults.get(name)}
        return urlencode(kept, doseq=True)


def default_filter(organization: Organization, now: datetime) -> SessionFilter:
    """Everything of the last 30 days and today."""
    return SessionFilter(default_selection(organization, now))


def read_filter(parameters: QueryDict, organization: Organization, now: datetime) -> SessionFilter:
    """Read the address; raises `BadQuery` with one sentence naming the parameter."""
    selection = read_selection(parameters, organization, now)
    values = {
        name: found
        for name in ("project", "outcome", "level", *DIMENSIONS, "user_id", "session_id")
        if (found := tuple(text for one in parameters.getlist(name) if (text := one.strip())))
    }
    for name, found in values.items():
        if any("\0" in one for one in found):
            raise BadQuery(400, f"bad_{name}", f"{name}: must not hold a NUL character.")
    _check("outcome", values.get("outcome", ()), OUTCOMES)
    _check("level", values.get("level", ()), LEVELS)
    conditions = tuple(dict.fromkeys(one for one in parameters.getlist("with") if one))
    _check("with", conditions, CONDITIONS)
    order = parameters.get("order") or DEFAULT_ORDER
    _check("order", (order,), ORDERS)
    return SessionFilter(selection, values, conditions, order)


def _check(name: str, given: Iterable[str], known: Iterable[str]) -> None:
    for one in given:
        if one not in known:
            raise BadQuery(400, f"bad_{name}", f"{name}: must be one of {', '.join(known)}.")


def _test(name: str, values: tuple[str, ...], now: datetime) -> Q:
    named = [one for one in values if one != NONE]
    if name == "project":
        return Q(project_id__in=list(Project.objects.filter(name__in=values).values_list("id", flat=True)))
    if name == "outcome":
        closed = Q(closed_at__lte=now, outcome__in=named)
        return closed | Q(closed_at__gt=now) if "open" in named else closed
    if name == "level":
        return Q(closed_at__lte=now, level__in=named)
    found = Q(**{f"{name}__in": named})
    return found if len(named) == len(values) else found | Q(**{f"{name}__isnull": True})


def read_place(parameters: QueryDict, order: Order) -> Place | None:
    """Where the page of the list begins: behind this place; None for the first page."""
    text = parameters.get("after", "")
    if not text:
        return None
    number, _, rest = text.partition(":")
    project, _, token = rest.partition(":")
    session_id = session_id_of(token)
    refused = BadQuery(400, "bad_after", "after: must come from the link to the next page.")
    if session_id is None or not _is_number(number.removeprefix("-")) or not _is_number(project):
        raise refused
    place = Place(int(number), int(project), session_id)
    try:
        order.value(place.number)
    except OverflowError:
        raise refused from None
    return place


def place_text(place: Place) -> str:
    """The place as `read_place` reads it."""
    return f"{place.number}:{place.project_id}:{token_of(place.session_id)}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < LARGEST
