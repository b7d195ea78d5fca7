"""The badge that says how fresh the numbers are, and when pages should ask for them again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import Organization
from apps.events.models import Batch, BatchState
from apps.metrics.freshness import freshness, rebuilding


@dataclass(frozen=True, slots=True)
class Badge:
    """`seen` changes when numbers may have; `failed` are batches that could not be digested yet; `rebuilding` is
    (days done, days in all) while history is computed anew."""

    as_of: datetime
    pending: int
    failed: int
    seen: str
    rebuilding: tuple[int, int] | None = None

    @property
    def state(self) -> str:
        return "failed" if self.failed else "pending" if self.pending or self.rebuilding else "fresh"

    @property
    def text(self) -> str:
        """The badge in words."""
        if self.failed:
            return f"{_batches(self.failed)} could not be digested yet; trying again"
        if self.rebuilding:
            done, whole = self.rebuilding
            return f"History is computed anew: {done} of {whole} days done"
        clock = f"{self.as_of:%H:%M:%S}"
        return f"As of {clock}, {_batches(self.pending)} pending" if self.pending else f"As of {clock}"


def badge(organization: Organization) -> Badge:
    """Freshness of the active organisation, in its zone."""
    fresh = freshness()
    newest = Batch.objects.order_by("-received_at").values_list("id", "state", "digested_at").first()
    failed = len(failed_batches()) if fresh.pending_batches else 0
    version = "-".join(str(part) for part in newest or ()).replace(" ", "T")
    anew = rebuilding()
    seen = f"{version}_{'-'.join(map(str, anew or ()))}_{fresh.pending_batches}_{failed}"
    return Badge(fresh.fresh_at.astimezone(organization.zone), fresh.pending_batches, failed, seen, anew)


def failed_batches() -> list[Batch]:
    """Batches whose digestion failed and will be tried again, the oldest first."""
    waiting = Batch.objects.filter(state__in=[BatchState.PENDING, BatchState.WITHDRAWING])
    return list(waiting.filter(attempts__gt=0).exclude(error="").order_by("id")[:20])


def triggers(seen_before: str, now: Badge) -> str:
    """The HX-Trigger header: panels load again after any change; only a change of state is read aloud."""
    if not seen_before or seen_before == now.seen:
        return ""
    found: dict[str, object] = {"data-changed": {}}
    was_pending = not seen_before.endswith(("_0_0",))
    if was_pending != bool(now.pending):
        found["announce"] = now.text if now.pending else "All numbers are up to date."
    return json.dumps(found)


def _batches(count: int) -> str:
    return f"{count:,} batch" if count == 1 else f"{count:,} batches"
