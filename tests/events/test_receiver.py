"""The JSON door, through Django's client: verdicts, identity, time, limits."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zstandard
from django.test import Client

from apps.accounts.models import ApiKey
from apps.core.tenancy import tenant

NOW = datetime.now(UTC)


def post(organization: Any, body: Any, *, key: str = "ingest_key", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(
        "/api/v1/events",
        data=data,
        content_type=headers.pop("content_type", "application/json"),
        headers={"Authorization": f"Bearer {organization.keys[key]}", **headers},
    )


def event(**fields: Any) -> dict[str, Any]:
    return {"event": "llm_query_sent", "timestamp": datetime.now(UTC).isoformat(), **fields}


@pytest.mark.parametrize("shape", ["envelope", "array", "ndjson", "gzip", "zstd"])
def test_takes_every_shape_of_the_contract(organization: Any, shape: str) -> None:
    events = [event(id="a"), event(id="b")]
    document = json.dumps({"events": events}).encode()
    answers = {
        "envelope": lambda: post(organization, document),
        "array": lambda: post(organization, events),
        "ndjson": lambda: post(
            organization, "\n".join(map(json.dumps, events)).encode(), content_type="application/x-ndjson"
        ),
        "gzip": lambda: post(organization, gzip.compress(document), **{"Content-Encoding": "gzip"}),
        "zstd": lambda: post(organization, zstandard.compress(document), **{"Content-Encoding": "zstd"}),
    }
    answer = answers[shape]()
    assert answer.status_code == 200
    assert {**answer.json(), "batch_id": ""} == {
        "batch_id": "",
        "accepted": 2,
        "duplicate": 0,
        "rejected": 0,
        "errors": [],
        "warnings": [],
    }


def test_sending_an_id_again_never_counts_twice_whatever_its_time(organization: Any) -> None:
    assert post(organization, [event(id="x")]).json()["accepted"] == 1
    later = (datetime.now(UTC) - timedelta(days=20)).isoformat()
    answer = post(organization, [event(id="x", timestamp=later)]).json()
    assert (answer["accepted"], answer["duplicate"]) == (0, 1)
    assert answer["warnings"][0]["code"] == "conflict"


def test_a_retried_batch_without_ids_is_a_duplicate(organization: Any) -> None:
    batch = [event(timestamp=1.0 * round(NOW.timestamp()), a=1)] * 2
    assert post(organization, batch).json()["accepted"] == 2
    assert post(organization, batch).json()["duplicate"] == 2


def test_keeps_the_good_events_of_a_batch_with_bad_ones(organization: Any) -> None:
    answer = post(organization, [event(), event(timestamp="yesterday"), event(conversation_turn="1")]).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 2)
    assert [(error["index"], error["field"]) for error in answer["errors"]] == [
        (1, "timestamp"),
        (2, "conversation_turn"),
    ]


@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        (timedelta(minutes=4), None),
        (timedelta(hours=23), "timestamp_clamped"),
        (timedelta(hours=25), "timestamp_in_future"),
        (timedelta(days=-29), None),
        (timedelta(days=-31), "timestamp_too_old"),
    ],
)
def test_applies_the_time_rules(organization: Any, ahead: timedelta, code: str | None) -> None:
    answer = post(organization, [event(timestamp=(datetime.now(UTC) + ahead).isoformat())]).json()
    said = [*answer["errors"], *answer["warnings"]]
    assert [one["code"] for one in said] == ([code] if code else [])


def test_takes_old_events_that_say_they_are_historical(organization: Any) -> None:
    old = (datetime.now(UTC) - timedelta(days=200)).isoformat()
    assert post(organization, [event(timestamp=old, historical=True)]).json()["accepted"] == 1
    assert post(organization, [event(timestamp=old, a=1)], **{"X-Historical": "true"}).json()["accepted"] == 1
    ancient = (datetime.now(UTC) - timedelta(days=401)).isoformat()
    assert post(organization, [event(timestamp=ancient, historical=True)]).json()["rejected"] == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"null", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "text/csv", 415),
        (b"[]", "application/json; charset=latin-1", 415),
        (b"[" * 100_000, "application/json", 400),
        (b'{"events": 3}', "application/json", 400),
    ],
)
def test_refuses_a_body_that_is_unreadable_as_a_whole(
    organization: Any, body: bytes, content_type: str, status: int
) -> None:
    answer = post(organization, body, content_type=content_type)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"]


def test_caps_the_body_on_the_wire_and_inflated(organization: Any) -> None:
    assert post(organization, b" " * (5 * 2**20 + 1)).status_code == 413
    assert (
        post(organization, gzip.compress(b" " * (20 * 2**20 + 1)), **{"Content-Encoding": "gzip"}).status_code
        == 413
    )
    assert post(organization, [event()] * 2001).status_code == 413
    assert post(organization, [event(id=str(number)) for number in range(2000)]).status_code == 200


def test_a_key_without_the_scope_is_refused(organization: Any) -> None:
    assert post(organization, [event()], key="read_key").status_code == 403
    assert Client().post("/api/v1/events").status_code == 401
    assert Client().get("/api/v1/events").status_code == 405


def test_a_revoked_key_is_refused_on_the_next_request(organization: Any) -> None:
    assert post(organization, [event()]).status_code == 200
    with tenant(organization.organization.id):
        ApiKey.objects.filter(scopes=["ingest"]).update(revoked_at=datetime.now(UTC))
    assert post(organization, [event()]).status_code == 401
