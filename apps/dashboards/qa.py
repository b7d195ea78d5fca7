"""The review queue: drawing sessions, the next one to read, what reviewers say, progress and agreement."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import MD5, Coalesce

from apps.conversations.filters import hold
from apps.conversations.models import Session
from apps.core.tenancy import required_organization_id
from apps.dashboards.models import QaItem, QaReview, Reason
from apps.dashboards.sessions_filter import TEST
from apps.events.receive import ingest

DAYS: Final = 30
DRAWN: Final = 10
READERS: Final = 2
CONDITION: Final = {Reason.LOW_GROUNDING: "low_grounding", Reason.FRUSTRATED: "spiked"}
SOURCE: Final = "review"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question of the rubric; its answers become evaluations of this name."""

    name: str
    question: str


RUBRIC: Final = (
    Criterion("accuracy", "Is what the assistant says right?"),
    Criterion("faithfulness", "Does it follow from the sources and tools it used?"),
    Criterion("completeness", "Does it answer everything that was asked?"),
)
ANSWERS: Final = (("1", "Yes"), ("0.5", "Partly"), ("0", "No"), ("", "Cannot say"))
VALUES: Final = {"1": 1.0, "0.5": 0.5, "0": 0.0}


def draw(now: datetime) -> int:
    """Put up to ten closed sessions of the last 30 days into the queue for each reason; returns how many.

    The newest for the two findings; for the sample those whose hashed id comes first, which is
    random and yet the same for everybody.
    """
    drawn = 0
    for reason in Reason:
        rows = _fresh(now)
        if reason in CONDITION:
            rows = hold(rows, [CONDITION[reason]], now).order_by("-started_at")
        else:
            rows = rows.annotate(lot=MD5(F("session_id"))).order_by("lot")
        items = [
            QaItem(project_id=project_id, session_id=session_id, reason=reason, drawn_at=now)
            for project_id, session_id in rows.values_list("project_id", "session_id")[:DRAWN]
        ]
        QaItem.objects.bulk_create(items, ignore_conflicts=True)
        drawn += len(items)
    return drawn


def _fresh(now: datetime) -> QuerySet[Session]:
    """Closed sessions with an answer that are not in the queue yet."""
    queued = QaItem.objects.filter(project_id=OuterRef("project_id"), session_id=OuterRef("session_id"))
    rows: QuerySet[Session] = Session.objects.filter(
        ~Exists(queued), started_at__gte=now - timedelta(days=DAYS), closed_at__lte=now, responses__gt=0
    )
    return rows.exclude(environment=TEST)


def next_item(reviewer_id: int, skipped: int = 0) -> QaItem | None:
    """What this person should read next: what nobody has read, then what one other has, oldest first.

    A second reading is what agreement is measured on; a third adds nothing.
    """
    same = {"project_id": OuterRef("project_id"), "session_id": OuterRef("session_id")}
    reviews = QaReview.objects.filter(**same).order_by()
    read = reviews.values("session_id").annotate(n=Count("*")).values("n")
    rows = (
        QaItem.objects.annotate(read=Coalesce(Subquery(read), 0))
        .filter(
            ~Exists(reviews.filter(reviewer_id=reviewer_id)),
            Exists(Session.objects.filter(**same)),
            read__lt=READERS,
        )
        .order_by("read", "drawn_at", "session_id")
    )
    return next(iter(rows[skipped : skipped + 1]), None)


def save_review(
    item: QaItem, reviewer_id: int, scores: dict[str, float], comment: str, response_id: str, now: datetime
) -> bool:
    """Keep a review and send its scores through the door; False where this person had reviewed it before."""
    _, is_new = QaReview.objects.get_or_create(
        project_id=item.project_id,
        session_id=item.session_id,
        reviewer_id=reviewer_id,
        defaults={"scores": scores, "at": now, "organization_id": required_organization_id()},
    )
    if not is_new:
        return False
    about = hashlib.sha256(f"{item.session_id}\0{reviewer_id}".encode()).hexdigest()[:32]
    events = [
        {
            "event": "evaluation",
            "id": f"review-{about}-{name}",
            "timestamp": now.isoformat(),
            "session_id": item.session_id,
            "name": name,
            "value": value,
            "source": "human",
            **({"response_id": response_id} if response_id else {}),
            **({"comment": comment} if comment and number == 0 else {}),
            "properties": {"reason": item.reason},
        }
        for number, (name, value) in enumerate(scores.items())
    ]
    ingest(
        organization_id=required_organization_id(),
        project_id=item.project_id,
        body_events=[json.dumps(event).encode() for event in events],
        historical=False,
        is_test=False,
        source=SOURCE,
        key_id=None,
    )
    return True


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the queue has been read, for one reason."""

    title: str
    drawn: int
    read: int


def progress() -> list[Progress]:
    """Drawn and read by reason."""
    drawn = Counter(QaItem.objects.values_list("reason", flat=True))
    reviews = QaReview.objects.filter(project_id=OuterRef("project_id"), session_id=OuterRef("session_id"))
    read = Counter(QaItem.objects.filter(Exists(reviews)).values_list("reason", flat=True))
    return [Progress(str(reason.label), drawn[reason.value], read[reason.value]) for reason in Reason]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two people answered: `kappa` is Cohen's, agreement beyond chance; None where undefined."""

    answers: int
    same: int
    kappa: float | None

    @property
    def words(self) -> str:
        if not self.answers:
            return "Nobody has read a session that another one read; agreement needs a second reader."
        beyond = "" if self.kappa is None else f" Cohen's kappa {self.kappa:.2f} (1 is perfect, 0 is chance)."
        return f"{self.same} of {self.answers} answers were the same between two readers.{beyond}"


def agreement() -> Agreement:
    """Over the first two reviews of every session that has two, answer by answer."""
    by_session: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for project_id, session_id, scores in QaReview.objects.order_by("at", "reviewer_id").values_list(
        "project_id", "session_id", "scores"
    ):
        by_session[(project_id, session_id)].append(scores)
    pairs = [
        (float(first[name]), float(second[name]))
        for first, second, *_ in (held for held in by_session.values() if len(held) > 1)
        for name in first
        if name in second
    ]
    return Agreement(len(pairs), sum(one == other for one, other in pairs), kappa(pairs))


def kappa(pairs: list[tuple[float, float]]) -> float | None:
    """Cohen's kappa (1960), unweighted; None without answers, and where chance alone would always agree."""
    if not pairs:
        return None
    total = len(pairs)
    observed = sum(one == other for one, other in pairs) / total
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    expected = sum(first[value] * second[value] for value in first) / total**2
    return None if expected == 1 else (observed - expected) / (1 - expected)
