"""What the pages of calibration show: the turn to label, the figures, and the choice in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.access import Member
from apps.accounts.models import PrivacyMode, Project, User
from apps.accounts.projects import request_recompute
from apps.conversations.calibration import (
    activate,
    active_calibration,
    figure,
    model_of,
    outdated_calibration,
)
from apps.conversations.labels import labelled_pairs, labelled_turns, next_turn, progress
from apps.conversations.load import events_of_sessions
from apps.conversations.models import Calibration, SampledTurn
from apps.conversations.rows import QUERY, RESPONSE
from apps.conversations.sample import refresh
from apps.conversations.timeline import texts_of
from apps.dashboards.display import amount
from apps.dashboards.qa import Agreement, kappa
from apps.dashboards.sessions_address import session_path
from apps.reading.calibration import Fit, LabelledTurn, decide, fit, held_out, why_not_fit
from apps.reading.estimates import Estimate, Figures, measure
from apps.reading.frustration import FRUSTRATION_VERSION, Model, default_model

BEFORE: Final = 6
LISTED: Final = 20
SHOWN_CHARACTERS: Final = 4_000
ROWS: Final = (
    ("precision", "Precision", "of the turns that are flagged, people call frustrated"),
    ("recall", "Recall", "of the turns that people call frustrated, are flagged"),
    ("f1", "F1", "harmonic mean of the two"),
    ("detected_rate", "Flagged", "of all turns that detection decides"),
    ("human_rate", "Frustrated to people", "of the same turns"),
    ("bias", "Bias", "flagged ÷ frustrated to people"),
)
CHOICES: Final = frozenset({"fit", "default"})
FACTORS: Final = frozenset({"bias", "f1"})


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the conversation; without `text` it is not stored."""

    who: str
    text: str


def label_context(member: Member) -> dict[str, Any]:
    """The next turn with what was said before it, and how far this person is."""
    labeller_id = member.membership.user_id
    turn = next_turn(labeller_id)
    return {
        "turn": turn,
        "progress": progress(labeller_id),
        "outdated": outdated_calibration(),
        "without_text": list(
            Project.objects.filter(privacy_mode=PrivacyMode.DROP).values_list("name", flat=True)
        ),
        **(_conversation(turn) if turn else {}),
    }


def _conversation(turn: SampledTurn) -> dict[str, Any]:
    """The turn's message as `said`, and up to six messages `before` it; empty where it was withdrawn."""
    key = (turn.project_id, turn.session_id)
    events = [one for one in events_of_sessions([key]).get(key, []) if one.name in (QUERY, RESPONSE)]
    place = next((n for n, one in enumerate(events) if one.event_key == turn.event_key.hex), None)
    if place is None:
        return {"said": Line("User", ""), "before": []}
    shown = events[max(0, place - BEFORE) : place + 1]
    texts = texts_of([one.event_key for one in shown])
    lines = [
        Line("User" if one.name == QUERY else "Assistant", _text(texts.get(one.event_key, {})))
        for one in shown
    ]
    project = Project.objects.get(pk=turn.project_id)
    path = session_path(project.public_id, turn.session_id)
    return {"said": lines[-1], "before": lines[:-1], "path": path}


def _text(body: dict[str, Any]) -> str:
    return str(body.get("query_text") or body.get("response_text") or "")[:SHOWN_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Column:
    """A detector and how it does on the labels."""

    title: str
    note: str
    model: Model
    figures: Figures


@dataclass(frozen=True, slots=True)
class Measured:
    """What the labels say: of the detector in force, of the default one, and of a refit where there may be one."""

    turns: list[LabelledTurn]
    fitted: Fit | None
    present: Column
    default: Column
    held_out: Column | None = None
    in_sample: Column | None = None

    @property
    def columns(self) -> list[Column]:
        found = [self.present]
        if self.present.model != self.default.model:
            found.append(self.default)
        return found + [one for one in (self.held_out, self.in_sample) if one]


def measured() -> Measured:
    """Every figure of the present labels; the refit on turns that it has not seen, and on its own."""
    turns, model = labelled_turns(), model_of(active_calibration())
    default = _column("The default", "", default_model(), turns)
    present = _column("In force", "on these labels", model, turns)
    if why_not_fit(turns):
        return Measured(turns, None, present, default)
    fitted = fit(turns)
    unseen = measure(turns, held_out(turns))
    return Measured(
        turns,
        fitted,
        present,
        default,
        Column("Refit", "on turns that it had not seen", fitted.model(), unseen),
        _column("Refit", "on the labels that it was fitted to", fitted.model(), turns),
    )


def _column(title: str, note: str, model: Model, turns: list[LabelledTurn]) -> Column:
    return Column(title, note, model, measure(turns, decide(turns, model)))


def choose(choice: str, user_id: int, request: HttpRequest) -> str:
    """Put `fit` or `default` in force and have history follow; returns why it can not be, empty if it was.

    A refit keeps the figures of turns that it had not seen: those that it was fitted to would flatter it.
    """
    refresh()
    found, before = measured(), active_calibration()
    if choice == "fit" and found.held_out is None:
        return why_not_fit(found.turns)
    column = found.held_out if choice == "fit" and found.held_out else found.default
    row = activate(found.fitted if choice == "fit" else None, column.figures, user_id, timezone.now())
    audit.record(
        "calibration.activated",
        audit.target_of(row),
        request=request,
        before=_as_audited(before),
        after=_as_audited(row),
    )
    request_recompute()
    return ""


def _as_audited(row: Calibration | None) -> dict[str, Any]:
    """What decides, without the figures."""
    if row is None:
        return {"threshold": None, "offset": 0.0, "turns": 0}
    return {"threshold": row.threshold, "offset": row.offset, "turns": row.turns}


def report_context(member: Member) -> dict[str, Any]:
    """Figures, what a refit would change, agreement between people, and the history of choices."""
    found = measured()
    pairs = labelled_pairs()
    return {
        "crumbs": [{"title": "Calibration", "path": "/calibration/"}, {"title": "Figures", "path": ""}],
        "labelled": len(found.turns),
        "columns": found.columns,
        "rows": [
            (title, about, [words(name, getattr(column.figures, name)) for column in found.columns])
            for name, title, about in ROWS
        ],
        "why_not": why_not_fit(found.turns),
        "changes": _changes(found),
        "agreement": Agreement(len(pairs), sum(one == other for one, other in pairs), kappa(pairs)),
        "is_default": found.present.model == found.default.model,
        "outdated": outdated_calibration(),
        "history": _history(),
        "may_configure": member.may_configure,
    }


def words(name: str, estimate: Estimate) -> str:
    """An estimate with its interval, as people read it."""
    if estimate.value is None:
        return "–"
    unit = "score" if name in FACTORS else "ratio"
    if estimate.low is None or estimate.high is None:
        return amount(estimate.value, unit)
    return f"{amount(estimate.value, unit)} ({amount(estimate.low, unit)} to {amount(estimate.high, unit)})"


def _changes(found: Measured) -> dict[str, int] | None:
    """How many of the labelled turns the refit would newly flag, and no longer flag, with how people see them."""
    if found.fitted is None:
        return None
    now, then = decide(found.turns, found.present.model), decide(found.turns, found.fitted.model())
    rows = list(zip(found.turns, now, then, strict=True))
    added = [turn.frustrated >= 0.5 for turn, before, after in rows if after and not before]
    dropped = [turn.frustrated >= 0.5 for turn, before, after in rows if before and not after]
    return {
        "added": len(added),
        "added_right": sum(added),
        "dropped": len(dropped),
        "dropped_right": len(dropped) - sum(dropped),
    }


def _history() -> list[dict[str, Any]]:
    """The latest choices, newest first."""
    rows: list[Calibration] = list(Calibration.objects.order_by("-created_at", "-id")[:LISTED])
    people = dict(User.objects.filter(pk__in=[row.created_by_id for row in rows]).values_list("pk", "email"))
    return [
        {
            "row": row,
            "is_in_force": row.is_active and row.version == FRUSTRATION_VERSION,
            "by": people.get(row.created_by_id, "a former user"),
            "figures": [words(name, figure(row.figures, name)) for name in ("precision", "recall", "bias")],
        }
        for row in rows
    ]
