"""Model calls as facts: exclusive token buckets, cost, latency, grounding, and what inner calls add."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from apps.conversations.ratings import Reactions
from apps.conversations.rows import MODEL_CALL, RESPONSE, EventRow
from apps.pricing.book import PriceBook
from apps.pricing.prices import Tokens, usd_to_nano

NANO = 10**9
DIMENSIONS = (
    "environment",
    "provider",
    "model",
    "model_version",
    "feature",
    "team",
    "customer",
    "intent",
    "channel",
    "segment",
    "release",
    "prompt_name",
    "prompt_version",
    "agent",
    "error_type",
    "experiment",
    "variant",
)


@dataclass(slots=True)
class Usage:
    """Tokens of one call and what looked wrong about them."""

    tokens: Tokens = field(default_factory=Tokens)
    total: int = 0
    is_known: bool = False
    has_buckets: bool = False
    flags: list[str] = field(default_factory=list)


def usage_of(data: dict[str, Any]) -> Usage:
    """Exclusive buckets from what the caller sent, by the caller's `token_convention`.

    Inclusive (default): input contains cached and cache-write tokens, output contains reasoning.
    Numbers that can not be inclusive are read as exclusive and flagged.
    """
    sent_in, sent_out = data.get("input_tokens"), data.get("output_tokens")
    total_only = data.get("tokens_used")
    if sent_in is None and sent_out is None:
        return Usage(total=total_only or 0, is_known=total_only is not None)
    read, write = data.get("cached_input_tokens") or 0, data.get("cache_write_tokens") or 0
    reasoning = data.get("reasoning_tokens") or 0
    fresh, visible = sent_in or 0, sent_out or 0
    flags: list[str] = []
    if data.get("token_convention") != "exclusive":
        if read + write > fresh:
            flags.append("cached_exceeds_input")
        else:
            fresh -= read + write
        if reasoning > visible:
            flags.append("reasoning_exceeds_output")
        else:
            visible -= reasoning
    tokens = Tokens(fresh, read, write, visible, reasoning)
    if total_only is not None and total_only != tokens.total:
        flags.append("total_differs")
    return Usage(tokens, tokens.total, is_known=True, has_buckets=True, flags=flags)


def cost_of(
    event: EventRow, usage: Usage, book: PriceBook
) -> tuple[int | None, str | None, str | None, bool]:
    """Cost in nano-dollars, its source, the price version, and whether a price is missing."""
    sent = event.data.get("cost_usd")
    if sent is not None:
        return usd_to_nano(sent), "sent", None, False
    if not usage.has_buckets:
        return None, None, None, False
    price = book.price(event.provider, event.model, event.model_version, event.at, usage.tokens)
    if price is None:
        return None, None, None, True
    return price.nano, price.source, price.version, False


def grounding_of(event: EventRow, *, project_expects: bool, has_retrieval: bool) -> tuple[bool, int | None]:
    """Whether grounding is expected of a response, and its score in 1e-9; None where it can not be scored."""
    said = event.data.get("grounding_expected")
    is_expected = (
        said
        if said is not None
        else bool(event.data.get("sources_count") or has_retrieval or project_expects)
    )
    if event.failed or not is_expected:
        return False, None
    if event.citations is None:
        return True, None
    cited, total = event.citations
    share = Decimal(cited) * NANO / Decimal(total)
    return True, int(share.to_integral_value(ROUND_HALF_EVEN))


def generation_row(
    event: EventRow, session_id: str | None, user_id: str | None, book: PriceBook
) -> dict[str, Any]:
    """The fact of one model call by itself."""
    usage = usage_of(event.data)
    cost, source, version, is_unpriced = cost_of(event, usage, book)
    data = event.data
    has_latency = not event.failed
    return {
        "project_id": event.project_id,
        "event_key": event.event_key,
        "session_id": session_id,
        "user_id": event.user_id or user_id,
        "at": event.at,
        "is_response": event.name == RESPONSE,
        **{name: getattr(event, name) for name in DIMENSIONS},
        "failed": bool(event.failed),
        "latency_us": event.duration_us if has_latency else None,
        "model_latency_us": _micros(data.get("model_latency_ms")) if has_latency else None,
        "ttft_us": _micros(data.get("ttft_ms")) if has_latency else None,
        "has_usage": usage.is_known,
        "tokens_input": usage.tokens.input,
        "tokens_cache_read": usage.tokens.cache_read,
        "tokens_cache_write": usage.tokens.cache_write,
        "tokens_output": usage.tokens.output,
        "tokens_reasoning": usage.tokens.reasoning,
        "tokens_total": usage.total,
        "cost_nano": cost,
        "cost_source": source,
        "price_version": version,
        "is_unpriced": is_unpriced,
        "flags": usage.flags or None,
        "request_tokens": usage.total if usage.is_known else None,
        "request_cost_nano": cost,
        "label": None,
        "is_label_sent": False,
        "labelled_at": None,
        "is_grounding_expected": False,
        "grounding_nano": None,
        "is_refused": event.is_refusal,
        "is_format_expected": data.get("expected_format") is not None or data.get("format_valid") is not None,
        "is_format_valid": data.get("format_valid", data.get("format_read")) is True,
        "response_length": data.get("response_length"),
        "thumbs": None,
        "stars_nano": None,
        "csat_nano": None,
        "nps_nano": None,
        "copies": 0,
        "shares": 0,
    }


def _micros(millis: float | None) -> int | None:
    return None if millis is None else round(millis * 1000)


def generation_rows(
    events: list[EventRow],
    *,
    session_id: str | None,
    user_id: str | None,
    reactions: dict[str, Reactions],
    labels: dict[str, str],
    closed_at: datetime | None,
    project_expects_grounding: bool,
    book: PriceBook,
) -> list[dict[str, Any]]:
    """All model calls of a session (or of one trace without a session), inner calls added to the
    response that they serve."""
    rows: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.name in (RESPONSE, MODEL_CALL):
            rows[event.event_key] = generation_row(event, session_id, user_id, book)
    _add_inner_calls(events, rows)
    retrieved = _after_retrieval(events)
    for event in events:
        if event.name != RESPONSE:
            continue
        row = rows[event.event_key]
        row["is_grounding_expected"], row["grounding_nano"] = grounding_of(
            event, project_expects=project_expects_grounding, has_retrieval=event.event_key in retrieved
        )
        sent = event.data.get("resolution")
        row["label"] = sent or labels.get(event.event_key)
        row["is_label_sent"] = sent is not None
        row["labelled_at"] = event.at if sent else closed_at
        held = reactions.get(event.event_key)
        if held is not None:
            row.update(
                thumbs=_sign(held),
                stars_nano=held.score_nano("stars"),
                csat_nano=held.score_nano("csat"),
                nps_nano=held.score_nano("nps"),
                copies=held.copies,
                shares=held.shares,
            )
    return list(rows.values())


def _sign(held: Reactions) -> int | None:
    """1 for a thumb up, -1 for one down."""
    rating = held.ratings.get("thumbs")
    return None if rating is None else rating.sign


def _after_retrieval(events: list[EventRow]) -> set[str]:
    """Responses whose turn retrieved sources before they were given."""
    found: set[str] = set()
    has_retrieved = False
    for event in events:
        if event.name == "llm_query_sent":
            has_retrieved = False
        elif event.name == "retrieval":
            has_retrieved = has_retrieved or not event.failed
        elif event.name == RESPONSE and has_retrieved:
            found.add(event.event_key)
    return found


def _add_inner_calls(events: list[EventRow], rows: dict[str, dict[str, Any]]) -> None:
    """Add each inner call to the response of its trace, else to the first response at or after it."""
    responses = [event for event in events if event.name == RESPONSE]
    for call in events:
        if call.name != MODEL_CALL:
            continue
        served = _served(call, responses)
        if served is None:
            continue
        inner, outer = rows[call.event_key], rows[served.event_key]
        if inner["has_usage"]:
            if outer["has_usage"] and outer["tokens_total"] >= inner["tokens_total"] > 0:
                _flag(outer, "inner_calls_reported_too")
            outer["request_tokens"] = (outer["request_tokens"] or 0) + inner["tokens_total"]
        if inner["cost_nano"] is not None:
            outer["request_cost_nano"] = (outer["request_cost_nano"] or 0) + inner["cost_nano"]


def _served(call: EventRow, responses: list[EventRow]) -> EventRow | None:
    same_trace = [one for one in responses if call.trace_id and one.trace_id == call.trace_id]
    for response in same_trace or responses:
        if response.at >= call.at:
            return response
    return same_trace[-1] if same_trace else None


def _flag(row: dict[str, Any], flag: str) -> None:
    flags = row["flags"] or []
    if flag not in flags:
        row["flags"] = [*flags, flag]
