"""Bad input as named cases: never an answer of 5xx, and the good events of the same request are kept."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.events.test_receiver import event, post

GOOD = event(id="good")
DEEP_33 = "[" * 33 + "]" * 33


def raw(**fields: str) -> str:
    """An event whose fields are raw JSON text."""
    base = {"event": '"llm_response_generated"', "timestamp": json.dumps(datetime.now(UTC).isoformat())}
    return "{" + ",".join(f'"{name}":{text}' for name, text in {**base, **fields}.items()) + "}"


EVENTS: dict[str, tuple[str, str | None]] = {
    "1e999 as a number": (raw(cost_usd="1e999"), "reject"),
    "integer of 5000 digits": (raw(input_tokens="9" * 5000), "reject"),
    "integer past 64 bits": (raw(input_tokens=str(2**64)), "reject"),
    "integer past 64 bits in properties": (raw(mine=str(2**64)), "reject"),
    "number past its range": (raw(latency_ms="1e11"), "reject"),
    "negative tokens": (raw(input_tokens="-1"), "reject"),
    "too many tokens": (raw(input_tokens="1000000000001"), "reject"),
    "negative cost": (raw(cost_usd="-0.01"), "reject"),
    "string for an integer": (raw(input_tokens='"1"'), "reject"),
    "fraction for an integer": (raw(input_tokens="1.5"), "reject"),
    "true for an integer": (raw(input_tokens="true"), "reject"),
    "number for a string": (raw(model="4"), "reject"),
    "list for a string": (raw(model="[]"), "reject"),
    "unknown status": (raw(status='"maybe"'), "reject"),
    "duplicate keys": (raw(model='"a","model":"b"'), None),
    "unknown fields": (raw(whatever='{"a":[1,2,{"b":null}]}'), None),
    "unknown model": (raw(model='"no-such-model"', input_tokens="5"), None),
    "NUL in a string": (raw(model=r'"a\u0000b"', extra=r'{"k\u0000":"v\u0000"}'), None),
    "lone surrogate": (raw(model=r'"\ud800"'), "reject"),
    "lone surrogate in properties": (raw(mine=r'{"a":"\udfff"}'), "reject"),
    "depth 33": (raw(mine=DEEP_33), "reject"),
    "257 properties": (raw(**{f"p{number}": "1" for number in range(257)}), "reject"),
    "event above 1 MiB": (raw(response_text=json.dumps("x" * 2**20)), "reject"),
    "id of 129 characters": (raw(id=json.dumps("i" * 129)), "reject"),
    "id of 128 characters": (raw(id=json.dumps("j" * 128)), None),
    "empty id": (raw(id='""'), "reject"),
    "empty name": (raw(event='""'), "reject"),
    "name is null": (raw(event="null"), "reject"),
    "event is a string": ('"event"', "reject"),
    "event is null": ("null", "reject"),
    "event is a number": ("1", "reject"),
    "event is a list": ("[]", "reject"),
    "no name": ('{"timestamp":1}', "reject"),
    "no timestamp": ('{"event":"x"}', "reject"),
    "timestamp without zone": (raw(timestamp='"2026-11-20T10:00:00"'), "reject"),
    "timestamp in the year 10000": (raw(timestamp='"10000-01-01T00:00:00Z"'), "reject"),
    "timestamp in the year 1": (raw(timestamp='"0001-01-01T00:00:00Z"'), "reject"),
    "timestamp year 1 with an offset": (raw(timestamp='"0001-01-01T00:00:00+14:00"'), "reject"),
    "leap second": (raw(timestamp='"2026-06-30T23:59:60Z"'), "reject"),
    "24:00": (raw(timestamp='"2026-06-30T24:00:00Z"'), "reject"),
    "negative epoch": (raw(timestamp="-1"), "reject"),
    "epoch past nanoseconds": (raw(timestamp="1e30"), "reject"),
    "timestamp is true": (raw(timestamp="true"), "reject"),
    "timestamp is text": (raw(timestamp='"soon"'), "reject"),
    "timestamp is a date": (raw(timestamp='"2026-11-20"'), "reject"),
    "emoji with joiners": (raw(intent='"👩\u200d👩\u200d👧"'), None),
    "right-to-left override": (raw(intent='"\u202eabc"'), None),
    "decomposed name": (raw(intent='"Cafe\u0301"'), None),
    "four-byte characters": (raw(user_id='"𝔘𝔫𝔦"', session_id='"𝔰"'), None),
    "empty session": (raw(session_id='""', user_id='""'), None),
    "scrubbed session": (raw(session_id='"[Scrubbed due to session]"'), None),
    "sources of odd kinds": (raw(sources='[1,null,"a",{"id":[1]},[2]]'), None),
    "documents are no list": (
        '{"event":"retrieval","timestamp":%d,"documents":{}}' % datetime.now(UTC).timestamp(),
        "reject",
    ),
    "unknown feedback": (
        '{"event":"response_feedback","timestamp":%d,"feedback_type":"meh"}' % datetime.now(UTC).timestamp(),
        "reject",
    ),
    "unknown target": (
        '{"event":"handoff","timestamp":%d,"target":"dog"}' % datetime.now(UTC).timestamp(),
        "reject",
    ),
    "cited more than there are": (
        raw(cited_sentences="9", total_sentences="3", grounding_expected="true"),
        None,
    ),
    "zero sentences": (raw(cited_sentences="0", total_sentences="0", grounding_expected="true"), None),
    "percent signs and quotes": (raw(model='"%s %(a)s \'; DROP TABLE x; --"', intent='"\\\\N\\t"'), None),
    "backslash u0000 literally": (raw(mine=r'"\\u0000"'), None),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_bad_event_never_harms_the_good_one(name: str, organization: Any) -> None:
    text, expected = EVENTS[name]
    body = f'{{"events":[{json.dumps(GOOD)},{text}]}}'.encode()
    answer = post(organization, body)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert said["accepted"] + said["duplicate"] + said["rejected"] == 2
    assert said["rejected"] == (1 if expected == "reject" else 0), said
    if expected == "reject":
        error = said["errors"][0]
        assert error["index"] == 1
        assert error["code"]
        assert error["message"].endswith(".")
        assert error["field"]


def test_what_is_accepted_can_be_digested(organization: Any) -> None:
    from apps.conversations.digest import digest_organization
    from apps.core.tenancy import tenant
    from apps.events.models import Batch

    good = [text for text, expected in EVENTS.values() if expected is None]
    assert post(organization, f"[{','.join(good)}]".encode()).json()["rejected"] == 0
    digest_organization(organization.organization.id)
    with tenant(organization.organization.id):
        assert set(Batch.objects.values_list("state", flat=True)) == {"done"}


BODIES: dict[str, tuple[bytes, dict[str, str], int]] = {
    "NaN": (b'[{"event":"x","timestamp":1,"a":NaN}]', {}, 400),
    "Infinity": (b'[{"event":"x","timestamp":1,"a":Infinity}]', {}, 400),
    "overlong NUL": (b'["\xc0\x80"]', {}, 400),
    "depth 1000": (b'[{"event":"x","a":' + b"[" * 1000 + b"]" * 1000 + b"}]", {}, 400),
    "depth 100000": (b'{"events":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}", {}, 400),
    "trailing data": (b"[] []", {}, 400),
    "only a byte order mark": (b"\xef\xbb\xbf", {}, 400),
    "byte order mark": (b"\xef\xbb\xbf[]", {}, 200),
    "scalar": (b"3", {}, 400),
    "string": (b'"x"', {}, 400),
    "no events": (b"{}", {}, 400),
    "events is null": (b'{"events":null}', {}, 400),
    "empty list": (b"[]", {}, 200),
    "gzip that is plain": (b"[]", {"Content-Encoding": "gzip"}, 400),
    "gzip cut off": (gzip.compress(b"[]" * 50)[:-9], {"Content-Encoding": "gzip"}, 400),
    "gzip of two members": (gzip.compress(b"[") + gzip.compress(b"]"), {"Content-Encoding": "gzip"}, 200),
    "gzip in gzip": (gzip.compress(gzip.compress(b"[]")), {"Content-Encoding": "gzip"}, 400),
    "gzip with a wrong checksum": (gzip.compress(b"[]")[:-8] + b"\0" * 8, {"Content-Encoding": "gzip"}, 400),
    "zstd that is plain": (b"[]", {"Content-Encoding": "zstd"}, 400),
    "unknown encoding": (b"[]", {"Content-Encoding": "br"}, 415),
    "gzip bomb": (gzip.compress(b"\0" * 100 * 2**20), {"Content-Encoding": "gzip"}, 413),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_gets_a_problem(name: str, organization: Any) -> None:
    body, headers, status = BODIES[name]
    answer = post(organization, body, **headers)
    assert answer.status_code == status, answer.content
    if status >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"].endswith(".")


def test_two_thousand_events_with_one_bad_keep_the_others(organization: Any) -> None:
    events = [event(id=str(number)) for number in range(1999)] + [event(timestamp=1)]
    answer = post(organization, events).json()
    assert (answer["accepted"], answer["rejected"]) == (1999, 1)


def test_a_clock_that_is_a_day_off_is_told(organization: Any) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=1, minutes=1)).isoformat()
    assert post(organization, [event(timestamp=ahead)]).json()["errors"][0]["code"] == "timestamp_in_future"
