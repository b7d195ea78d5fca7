"""The list of sessions: a page of it, how many there are, its filters, and why it may be empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, QuerySet, Sum

from apps.accounts.access import Member
from apps.accounts.models import Organization, Project
from apps.conversations.filters import CONDITIONS, ORDERS, Place
from apps.conversations.models import Generation, Session
from apps.dashboards.display import amount
from apps.dashboards.filters import Option, Select
from apps.dashboards.selection import PERIODS
from apps.dashboards.sessions_address import session_path, sessions_path
from apps.dashboards.sessions_filter import DIMENSIONS, LEVELS, OUTCOMES, SessionFilter, place_text

PAGE: Final = 50
COUNTED: Final = 10_000
# Choices are read off the newest sessions, so that they cost the same however many there are.
SAMPLED: Final = 2_000
CHOICES: Final = 200
# Offered as chips; others appear when a number's link set them.
CHIPS: Final = (
    "spiked",
    "recovered",
    "not_recovered",
    "frustration_exit",
    "low_grounding",
    "human_handoff",
    "agent_handoff",
    "errors",
    "deflected",
)
LEADING: Final = ("project", "environment", "model", "outcome")
LATER: Final = ("level", *(name for name in DIMENSIONS if name not in LEADING))
EVERYTHING: Final = {"environment": "All but test"}
TITLES: Final = {"outcome": "Outcome", "level": "Level of resolution"}


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session of the list, in words."""

    session: Session
    path: str
    project: str
    started_at: datetime
    outcome: str
    duration: str
    tokens: str
    cost: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition that can be ticked, or a filter that can be taken away."""

    name: str
    value: str
    label: str
    is_chosen: bool = False
    path: str = ""


def list_context(member: Member, chosen: SessionFilter, after: Place | None, now: datetime) -> dict[str, Any]:
    """Everything that the page of the list shows."""
    rows = chosen.rows(member.organization, now)
    order = chosen.order
    found = list((order.sort(rows) if after is None else order.beyond(rows, after))[: PAGE + 1])
    following = place_text(order.place_of(found[PAGE - 1])) if len(found) > PAGE else ""
    projects = {row.pk: row for row in Project.objects.order_by("name")}
    query = chosen.parameters()
    return {
        "chosen": chosen,
        "rows": session_rows(member.organization, found[:PAGE], projects, query, now),
        "last": chosen.end - timedelta(days=1),
        "count": count_words(rows),
        "has_projects": len(projects) > 1,
        "older": f"/sessions/?{chosen.parameters(after=following)}" if following else "",
        "newer": f"/sessions/?{query}" if after else "",
        "form": filter_form(member.organization, chosen, projects, now),
        "nothing": "" if found or after else why_nothing(member.organization, chosen, now),
    }


def count_words(rows: QuerySet[Session]) -> str:
    """How many there are; counted no further than people read."""
    counted = rows[: COUNTED + 1].count()
    if counted > COUNTED:
        return f"More than {COUNTED:,} sessions"
    return f"{counted:,} session{'' if counted == 1 else 's'}"


def session_rows(
    organization: Organization,
    found: list[Session],
    projects: dict[int, Project],
    query: str,
    now: datetime,
) -> list[SessionRow]:
    """Rows with the tokens of each, summed in one query."""
    ids = [row.session_id for row in found]
    sums = (
        Generation.objects.filter(session_id__in=ids, has_usage=True)
        .values_list("project_id", "session_id")
        .annotate(tokens=Sum("tokens_total"))
    )
    tokens = {(project_id, session_id): total for project_id, session_id, total in sums}
    return [
        SessionRow(
            session=row,
            path=session_path(projects[row.project_id].public_id, row.session_id, query),
            project=projects[row.project_id].name,
            started_at=row.started_at.astimezone(organization.zone),
            outcome=row.outcome if row.closed_at <= now else "open",
            duration=span_words(row.last_event_at - row.started_at),
            tokens=_or_dash(tokens.get((row.project_id, row.session_id)), "tokens"),
            cost=money_words(row.cost_nano),
        )
        for row in found
    ]


def money_words(nano: int | None) -> str:
    """Nano-dollars in words; what has no price is not free."""
    return "–" if nano is None else amount(nano / 1_000_000_000, "usd")


def _or_dash(value: int | None, unit: str) -> str:
    return "–" if value is None else amount(value, unit)


def span_words(span: timedelta) -> str:
    """A length of time as people say it: 4.2 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    for size, unit, part, smaller in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def filter_form(
    organization: Organization, chosen: SessionFilter, projects: dict[int, Project], now: datetime
) -> dict[str, Any]:
    """The boxes and chips of the filter bar, with what the address chose."""
    known = _choices(organization, chosen, now)
    known |= {"project": [row.name for row in projects.values()]}
    known |= {"outcome": list(OUTCOMES), "level": list(LEVELS)}
    later = [_select(name, known, chosen) for name in LATER if known.get(name) or chosen.values.get(name)]
    conditions = dict.fromkeys((*CHIPS, *chosen.conditions))
    return {
        "periods": [
            *(Option(one, f"{one} days", chosen.selection.period == one) for one in PERIODS),
            Option("custom", "Custom", not chosen.selection.is_preset),
        ],
        "selects": [_select(name, known, chosen) for name in LEADING],
        "later": later,
        "is_later_open": any(name in chosen.values for name in (*LATER, "user_id", "session_id")),
        "order": Select(
            "order", "Order", [Option(k, one.title, k == chosen.order_name) for k, one in ORDERS.items()]
        ),
        "chips": [Chip("with", one, CONDITIONS[one].title, one in chosen.conditions) for one in conditions],
        "user_id": " ".join(chosen.values.get("user_id", ())),
        "session_id": " ".join(chosen.values.get("session_id", ())),
        "several": [
            Chip(name, value, f"{name.replace('_', ' ')}: {value}")
            for name, values in chosen.values.items()
            for value in values[1:]
        ],
    }


def _choices(organization: Organization, chosen: SessionFilter, now: datetime) -> dict[str, list[str]]:
    """Values of every dimension among the newest sessions of the period."""
    newest = SessionFilter(chosen.selection).rows(organization, now).order_by("-started_at")
    columns = zip(*newest.values_list(*DIMENSIONS)[:SAMPLED], strict=True)
    seen = dict(zip(DIMENSIONS, map(set, columns), strict=False))
    values = {name: sorted(one for one in seen.get(name, ()) if one)[:CHOICES] for name in DIMENSIONS}
    return values | {"environment": [*values["environment"], "test"]}


def _select(name: str, known: dict[str, list[str]], chosen: SessionFilter) -> Select:
    values = chosen.values.get(name, ())
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    options = [Option("", EVERYTHING.get(name, "Any"), not values)]
    options += [
        Option(one, one.capitalize() if name in TITLES else one, one in values[:1])
        for one in dict.fromkeys([*known.get(name, []), *values])
    ]
    return Select(name, title, options)


def why_nothing(organization: Organization, chosen: SessionFilter, now: datetime) -> dict[str, str]:
    """Title, sentence and way out of an empty list."""
    last = Session.objects.aggregate(at=Max("started_at"))["at"]
    if last is None:
        return {
            "title": "No session yet",
            "text": "A session appears with its first llm_query_sent or llm_response_generated that has a "
            "session_id or a user_id.",
            "path": "/start/",
            "action": "How to send events",
        }
    wider = SessionFilter(chosen.selection)
    if chosen.is_narrowed and wider.rows(organization, now).exists():
        return {
            "title": "No session fits",
            "text": f"There are {count_words(wider.rows(organization, now)).lower()} in this period, but none of "
            "which all the filters hold.",
            "path": sessions_path(period=chosen.selection.period)
            if chosen.selection.is_preset
            else "/sessions/",
            "action": "Clear the filters",
        }
    day = last.astimezone(organization.zone).date()
    return {
        "title": "No session in this period",
        "text": f"The latest session began on {day.day} {day:%B %Y}.",
        "path": sessions_path(**{"from": day.isoformat(), "to": day.isoformat()}),
        "action": "Show that day",
    }
