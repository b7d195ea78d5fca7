"""After the fact: withdrawal, replay, poison batches, and what a dead broker costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.conversations import settling
from apps.core.tenancy import tenant
from apps.events import ledger, nudge
from apps.events.models import Batch, RejectedEvent
from tests.conftest import Sender, query, response


def client(made: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {made.keys['admin_key']}"})


def test_a_withdrawn_batch_takes_its_numbers_back(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "kept", id="a"))
    verdict = sender.send(query(now, "wrong", id="b"), response(now, "wrong", id="c", input_tokens=5))
    sender.digest()
    assert sender.value("sessions").value == 2
    answer = client(sender.provisioned).delete(f"/api/v1/batches/{verdict.batch_id}")
    assert answer.status_code == 202
    freshness = client(sender.provisioned).get("/api/v1/freshness").json()
    assert freshness["pending_batches"] == 1
    sender.digest()
    assert sender.value("sessions").value == 1
    assert sender.value("tokens_total").value == 0
    assert sender.send(query(now, "wrong", id="b")).accepted == 1


def test_refused_events_are_listed_and_replayed(sender: Sender, now: datetime) -> None:
    old = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    sender.send({"event": "x", "timestamp": old}, {"event": "x"}, received_at=datetime.now(UTC))
    made = sender.provisioned
    rows = client(made).get("/api/v1/rejected-events").json()["rejected_events"]
    assert {row["code"] for row in rows} == {"timestamp_too_old", "missing_field"}
    with tenant(made.organization.id):
        RejectedEvent.objects.filter(code="timestamp_too_old").update(historical=True)
    answer = client(made).post("/api/v1/rejected-events/replay", {}, content_type="application/json").json()
    assert (answer["replayed"], answer["accepted"], answer["rejected"]) == (2, 1, 1)
    with tenant(made.organization.id):
        assert RejectedEvent.objects.count() == 2
        assert RejectedEvent.objects.filter(replayed_at=None).count() == 1


def test_a_batch_that_fails_is_put_off_and_blocks_no_other(
    sender: Sender, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = sender.send(query(now, "poison"))
    sender.send(query(now, "good"))
    settle = settling.settle

    def fails(one: Any, *rest: Any) -> Any:
        if one.session_id == "poison":
            raise ValueError("no such luck")
        return settle(one, *rest)

    monkeypatch.setattr(settling, "settle", fails)
    sender.digest()
    assert sender.value("sessions").value == 1
    with tenant(sender.provisioned.organization.id):
        batch = Batch.objects.get(pk=poison.batch_id)
        assert (batch.state, batch.attempts) == ("pending", 1)
        assert "no such luck" in batch.error
        assert batch.next_attempt_at is not None
        Batch.objects.update(next_attempt_at=None)
    monkeypatch.undo()
    sender.digest()
    assert sender.value("sessions").value == 2


def test_ingestion_goes_on_without_redis(
    organization: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.events import limits

    limits.client.cache_clear()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(limits, "_state", {"retry_at": 0.0})
    monkeypatch.setattr(nudge, "_state", {"retry_at": 0.0})
    monkeypatch.setattr(nudge, "TASK", "nothing.listens")
    try:
        answer = Client(headers={"Authorization": f"Bearer {organization.keys['ingest_key']}"}).post(
            "/api/v1/events", [query(datetime.now(UTC))], content_type="application/json"
        )
        assert answer.json()["accepted"] == 1
    finally:
        limits.client.cache_clear()


@pytest.mark.parametrize(("mode", "kept"), [("keep", True), ("redact", True), ("drop", False)])
def test_stores_text_as_the_privacy_mode_says(sender: Sender, now: datetime, mode: str, kept: bool) -> None:
    made = sender.provisioned
    with tenant(made.organization.id):
        made.project.privacy_mode = mode
        made.project.save()
    text = "Write to ann@example.com or +44 20 7946 0958, card 4111 1111 1111 1111"
    sender.send(query(now, "s", query_text=text, mine=text), {"event": "x", "timestamp": "bad", "note": text})
    with tenant(made.organization.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT string_agg(body::text, '') FROM events_text), (SELECT string_agg(data::text, '') FROM events_event), "
            "(SELECT string_agg(body, '') FROM events_rejectedevent)"
        )
        texts, data, refused = cursor.fetchone() or ("", "", "")
    assert (texts is not None) is kept
    said = f"{texts}{data}{refused}"
    assert ("ann@example.com" in said) is (mode == "keep")
    assert ("4111" in said) is (mode == "keep")
    assert '"pii": {"card": 1, "email": 1, "phone": 1}' in str(data)
    assert '"query_length": 70' in str(data)


def test_the_rate_limit_says_when_to_come_back(organization: Any, settings: Any) -> None:
    settings.EVENTS_PER_SECOND = 5
    sending = Client(headers={"Authorization": f"Bearer {organization.keys['ingest_key']}"})
    statuses = []
    for _ in range(4):
        answer = sending.post(
            "/api/v1/events", [query(datetime.now(UTC))] * 5, content_type="application/json"
        )
        statuses.append(answer.status_code)
    assert statuses[0] == 200
    assert 429 in statuses
    assert int(answer["Retry-After"]) >= 1


def test_no_more_requests_at_once_than_allowed(organization: Any, settings: Any) -> None:
    from apps.events.limits import request_slot
    from apps.events.problems import Problem

    settings.CONCURRENT_REQUESTS = 2
    number = organization.organization.id
    with request_slot(number), request_slot(number), pytest.raises(Problem) as refused, request_slot(number):
        pass
    assert refused.value.status == 429
    with request_slot(number):
        assert ledger.REPLAY_AT_ONCE
