"""Rate and concurrency of one organisation across all web processes, kept in Redis.

Token bucket of `EVENTS_PER_SECOND` (one second of burst) and at most `CONCURRENT_REQUESTS` open
requests. With Redis away nothing is limited: ingestion must go on.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import redis
import structlog
from django.conf import settings

from apps.events.problems import Problem

log = structlog.get_logger(__name__)

STALE_S = 90
PAUSE_AFTER_FAILURE_S = 2.0

ENTER = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[4])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

TAKE = """
local rate, now, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(rate, (tonumber(bucket[1]) or rate) + (now - (tonumber(bucket[2]) or now)) * rate)
local wait = 0
if tokens >= math.min(wanted, rate) then tokens = tokens - wanted else wait = (math.min(wanted, rate) - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], 60)
return tostring(wait)
"""


@cache
def client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=0.5)


_state = {"retry_at": 0.0}


def _run(script: str, key: str, *arguments: float | str) -> Any:
    """Run a script; None where Redis is away."""
    now = time.monotonic()
    if now < _state["retry_at"]:
        return None
    try:
        return client().eval(script, 1, key, *[str(argument) for argument in arguments])
    except redis.RedisError as error:
        _state["retry_at"] = now + PAUSE_AFTER_FAILURE_S
        log.warning("limits_unavailable", error=type(error).__name__)
        return None


@contextmanager
def request_slot(organization_id: int) -> Iterator[None]:
    """Hold one of the organisation's request slots; raises a 429 `Problem` where all are taken."""
    key, token = f"ingest:open:{organization_id}", uuid.uuid4().hex
    entered = _run(ENTER, key, time.time(), token, settings.CONCURRENT_REQUESTS, STALE_S)
    if entered == 0:
        raise Problem(
            429,
            "too_many_requests",
            f"requests: more than {settings.CONCURRENT_REQUESTS} at once for this organisation; try again.",
            retry_after_s=1,
        )
    try:
        yield
    finally:
        if entered:
            _run("return redis.call('ZREM', KEYS[1], ARGV[1])", key, token)


def take_events(organization_id: int, count: int) -> None:
    """Take `count` events from the organisation's bucket; raises a 429 `Problem` where it is empty."""
    wait = _run(TAKE, f"ingest:rate:{organization_id}", settings.EVENTS_PER_SECOND, time.time(), count)
    if wait is not None and float(wait) > 0:
        raise Problem(
            429,
            "rate_limited",
            f"events: more than {settings.EVENTS_PER_SECOND} a second for this organisation; try again.",
            retry_after_s=float(wait),
        )


def note_refused_key(prefix: str) -> None:
    """Remember for ten minutes that a key with this prefix was refused (onboarding says so)."""
    _run(
        "redis.call('SET', KEYS[1], ARGV[1], 'EX', 600) return 1",
        f"ingest:refused:{prefix[:13]}",
        time.time(),
    )


def was_refused_lately(prefix: str) -> bool:
    return bool(_run("return redis.call('EXISTS', KEYS[1])", f"ingest:refused:{prefix[:13]}"))
