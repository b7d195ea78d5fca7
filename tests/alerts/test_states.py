"""States of thresholds: a breach shows at once, thin data is said to be thin, nothing is made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import Organization, Project
from apps.alerts.evaluate import ThresholdState, states
from apps.alerts.models import Threshold
from apps.core.tenancy import tenant
from tests.conftest import Sender, response


def calls(at: datetime, failed: int, fine: int) -> list[dict[str, Any]]:
    """Responses of which `failed` are errors."""
    return [
        response(at + timedelta(seconds=number), f"s{number}", status="error" if number < failed else "ok")
        for number in range(failed + fine)
    ]


def state_of(sender: Sender, key: str, at: datetime) -> ThresholdState:
    with tenant(sender.provisioned.organization.id):
        found = [one for one in states(Organization.objects.get(), at) if one.metric.key == key]
    assert len(found) == 1
    return found[0]


def threshold(sender: Sender, **fields: Any) -> None:
    with tenant(sender.provisioned.organization.id):
        Threshold.new(**{"metric": "error_rate", "window_days": 7, **fields}).save()


@pytest.fixture
def later(now: datetime) -> datetime:
    """A noon at which `now` lies in the complete day before."""
    return now + timedelta(days=1)


@pytest.mark.parametrize(
    ("failed", "state"), [(0, "ok"), (4, "ok"), (5, "warning"), (10, "warning"), (11, "critical")]
)
def test_only_a_value_worse_than_the_threshold_breaches_it(
    sender: Sender, now: datetime, later: datetime, failed: int, state: str
) -> None:
    threshold(sender, warning=Decimal("0.04"), critical=Decimal("0.10"))
    sender.send(*calls(now, failed, 100 - failed))
    sender.digest()
    found = state_of(sender, "error_rate", later)
    assert (found.state, found.value, found.n) == (state, Decimal(failed) / 100, 100)
    assert found.is_breached == (state != "ok")


def test_says_what_is_wrong_in_a_sentence(sender: Sender, now: datetime, later: datetime) -> None:
    threshold(sender, warning=Decimal("0.04"), critical=Decimal("0.10"))
    sender.send(*calls(now, 25, 75))
    sender.digest()
    assert state_of(sender, "error_rate", later).sentence == (
        "Error rate is 25 % over the last 7 complete days (n = 100), above the critical threshold of 10 %."
    )


def test_no_data_is_no_data_and_not_zero(sender: Sender, later: datetime) -> None:
    found = state_of(sender, "error_rate", later)
    assert (found.state, found.value, found.n) == ("no_data", None, 0)
    assert found.sentence == "Error rate has no data over yesterday."


def test_a_small_sample_is_shown_and_not_judged(sender: Sender, now: datetime, later: datetime) -> None:
    threshold(sender, warning=Decimal("0.04"))
    sender.send(*calls(now, 29, 0))
    sender.digest()
    found = state_of(sender, "error_rate", later)
    assert (found.state, found.n) == ("small_sample", 29)
    assert "fewer than the minimum of 30" in found.sentence


def test_a_threshold_may_lower_its_own_minimum(sender: Sender, now: datetime, later: datetime) -> None:
    threshold(sender, warning=Decimal("0.04"), minimum_sample=1)
    sender.send(*calls(now, 1, 0))
    sender.digest()
    assert state_of(sender, "error_rate", later).state == "warning"


def test_a_breach_of_today_shows_today_when_the_complete_days_are_thin(sender: Sender, now: datetime) -> None:
    sender.send(*calls(now, 40, 60))
    sender.digest()
    found = state_of(sender, "error_rate", now + timedelta(hours=1))
    assert (found.state, found.is_provisional) == ("critical", True)
    assert "over today so far" in found.sentence


def test_complete_days_decide_when_they_have_enough(sender: Sender, now: datetime, later: datetime) -> None:
    sender.send(
        *calls(now, 0, 50),
        *[{**one, "session_id": "x"} for one in calls(later, 50, 0)],
        received_at=later + timedelta(days=1),
    )
    sender.digest()
    found = state_of(sender, "error_rate", later + timedelta(hours=1))
    assert (found.state, found.is_provisional, found.n) == ("ok", False, 50)


def test_days_are_the_days_of_the_organization(make_organization: Any) -> None:
    provisioned = make_organization(timezone="Pacific/Auckland")
    at = datetime(2026, 7, 1, 13, tzinfo=UTC)
    sender = Sender(provisioned, at)
    sender.send(*calls(at, 40, 0), historical=True)
    sender.digest()
    assert state_of(sender, "error_rate", datetime(2026, 7, 2, 11, 59, tzinfo=UTC)).is_provisional
    assert not state_of(sender, "error_rate", datetime(2026, 7, 2, 12, 1, tzinfo=UTC)).is_provisional


def test_a_threshold_of_a_project_is_held_against_its_own_events(
    sender: Sender, now: datetime, later: datetime
) -> None:
    with tenant(sender.provisioned.organization.id):
        quiet = Project(name="Quiet")
        quiet.save()
    threshold(sender, warning=Decimal("0.04"), project=sender.provisioned.project)
    threshold(sender, warning=Decimal("0.04"), project=quiet)
    sender.send(*calls(now, 40, 0))
    sender.digest()
    with tenant(sender.provisioned.organization.id):
        found = states(Organization.objects.get(), later)
    by_project = {str(one.project): one.state for one in found if one.metric.key == "error_rate"}
    assert by_project == {"None": "critical", "Assistant": "warning", "Quiet": "no_data"}
    assert found[0].state == "critical", "the worst come first"


def test_a_threshold_that_is_switched_off_is_not_judged(
    sender: Sender, now: datetime, later: datetime
) -> None:
    threshold(sender, warning=Decimal("0.04"), is_enabled=False)
    sender.send(*calls(now, 40, 0))
    sender.digest()
    with tenant(sender.provisioned.organization.id):
        assert "error_rate" not in {one.metric.key for one in states(Organization.objects.get(), later)}
