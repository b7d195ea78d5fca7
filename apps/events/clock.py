"""Event times: reading them and the time rules of the contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

AHEAD = timedelta(minutes=5)
CLAMPED = timedelta(hours=24)
BACK = timedelta(days=30)
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
# Largest magnitude of an epoch time in each unit, with the divisor to seconds.
EPOCH_UNITS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))


class BadTime(ValueError):
    """The sentence says what is wrong; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse(value: str | float) -> datetime:
    """ISO 8601 with a zone, or epoch seconds, milli-, micro- or nanoseconds by magnitude, as UTC.

    Raises `BadTime` also outside 2015-2100.
    """
    instant = _parse_text(value) if isinstance(value, str) else _parse_epoch(value)
    if not EARLIEST <= instant < LATEST:
        raise BadTime("timestamp_out_of_range", "timestamp: must lie between the years 2015 and 2100.")
    return instant


def _parse_text(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise BadTime(
            "bad_timestamp", "timestamp: must be ISO 8601 with a zone, or an epoch number."
        ) from None
    if instant.tzinfo is None:
        raise BadTime("timestamp_without_zone", "timestamp: has no zone; add Z or an offset.")
    if instant.tzinfo is UTC:
        return instant
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise BadTime(
            "timestamp_out_of_range", "timestamp: must lie between the years 2015 and 2100."
        ) from None


def _parse_epoch(value: float) -> datetime:
    for limit, divisor in EPOCH_UNITS:
        if 0 <= value < limit:
            whole = int(value * (10**6 // divisor)) if divisor <= 10**6 else int(value) // 1000
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=whole)
    raise BadTime("timestamp_out_of_range", "timestamp: must lie between the years 2015 and 2100.")


def admit(
    instant: datetime, now: datetime, *, historical: bool, retention_days: int
) -> tuple[datetime, bool]:
    """Apply the time rules; returns the time to store and whether it was clamped. Raises `BadTime`."""
    if instant > now + CLAMPED:
        raise BadTime("timestamp_in_future", "timestamp: lies more than 24 hours in the future.")
    if instant > now + AHEAD:
        return now, True
    if instant < now - timedelta(days=retention_days):
        raise BadTime(
            "timestamp_too_old", f"timestamp: is older than the retention of {retention_days} days."
        )
    if instant < now - BACK and not historical:
        raise BadTime(
            "timestamp_too_old", 'timestamp: is older than 30 days; send it with "historical": true.'
        )
    return instant, False
