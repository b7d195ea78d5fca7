"""The event contract: one msgspec struct per event kind, its limits, and what is text.

A struct's fields are the kind's own fields and the common ones; anything else a caller sends lands
in `properties`. Decoding is strict: a `"1"`, `1.0` or `true` is no integer, and NaN is not JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

MAX_BODY_BYTES = 5 * 2**20
MAX_INFLATED_BYTES = 20 * 2**20
MAX_EVENTS = 2_000
MAX_EVENT_BYTES = 2**20
MAX_DEPTH = 32
MAX_PROPERTIES = 256

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Label = Annotated[str, Meta(max_length=200)]
Identifier = Annotated[str, Meta(min_length=1, max_length=128)]
Reference = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=MAX_EVENT_BYTES)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
Millis = Annotated[float, Meta(ge=0, le=10**10)]
# So that sums of a session stay far inside 64 bits of nano-dollars.
Money = Annotated[float, Meta(ge=0, le=10**6)]
SignedMoney = Annotated[float, Meta(ge=-(10**9), le=10**9)]
Number = Annotated[float, Meta(ge=-(10**15), le=10**15)]
Share = Annotated[float, Meta(ge=0, le=1)]
Sentiment = Annotated[float, Meta(ge=-1, le=1)]
Status = Literal["ok", "error"]


class Event(Struct, kw_only=True, gc=False):
    """Fields that every event may carry; the whole of a custom event."""

    event: Name
    timestamp: str | int | float
    id: Identifier | None = None
    session_id: Reference | None = None
    user_id: Reference | None = None
    environment: Label | None = None
    channel: Label | None = None
    intent: Label | None = None
    feature: Label | None = None
    team: Label | None = None
    customer: Label | None = None
    segment: Label | None = None
    release: Label | None = None
    language: Label | None = None
    conversation_turn: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    trace_id: Reference | None = None
    span_id: Reference | None = None
    parent_id: Reference | None = None
    experiment: Label | None = None
    variant: Label | None = None
    tags: Annotated[list[Label], Meta(max_length=64)] | dict[str, Any] | None = None
    historical: bool | None = None
    properties: dict[str, Any] | None = None


class QuerySent(Event, kw_only=True, gc=False):
    query_text: Text | None = None
    query_length: Count | None = None
    frustrated: bool | None = None
    sentiment: Sentiment | None = None


class Usage(Event, kw_only=True, gc=False):
    """Model, tokens, cost, latency and error: what responses and inner model calls share."""

    response_id: Reference | None = None
    provider: Label | None = None
    model: Label | None = None
    model_version: Label | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    tokens_used: Count | None = None
    cached_input_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    token_convention: Literal["inclusive", "exclusive"] | None = None
    cost_usd: Money | None = None
    latency_ms: Millis | None = None
    model_latency_ms: Millis | None = None
    ttft_ms: Millis | None = None
    streaming: bool | None = None
    status: Status | None = None
    error_type: Label | None = None
    error_code: Label | int | None = None
    timed_out: bool | None = None
    finish_reason: Label | None = None
    prompt_name: Label | None = None
    prompt_version: Label | None = None
    agent_name: Label | None = None


class ResponseGenerated(Usage, kw_only=True, gc=False):
    response_text: Text | None = None
    response_length: Count | None = None
    refused: bool | None = None
    expected_format: Label | None = None
    format_valid: bool | None = None
    sources: Annotated[list[Any], Meta(max_length=256)] | None = None
    cited_sentences: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    total_sentences: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    grounding_expected: bool | None = None
    resolution: Literal["resolved", "follow_up", "unresolved"] | None = None


class ModelCall(Usage, kw_only=True, gc=False):
    pass


class Feedback(Event, kw_only=True, gc=False):
    feedback_type: Literal["thumbs_up", "thumbs_down", "stars", "csat", "nps", "comment"]
    response_id: Reference | None = None
    feedback_score: Annotated[float, Meta(ge=0, le=10)] | None = None
    feedback_text: Text | None = None


class OnResponse(Event, kw_only=True, gc=False):
    response_id: Reference | None = None


class Timed(Event, kw_only=True, gc=False):
    """An operation with a duration and a result."""

    duration_ms: Millis | None = None
    status: Status | None = None
    error_type: Label | None = None
    error_code: Label | int | None = None
    timed_out: bool | None = None
    agent_name: Label | None = None


class ToolCall(Timed, kw_only=True, gc=False):
    tool_name: Name


class Retrieval(Timed, kw_only=True, gc=False):
    documents: Annotated[list[Any], Meta(max_length=256)] | None = None
    precision: Share | None = None
    recall: Share | None = None


class Step(Timed, kw_only=True, gc=False):
    stage: Name


class AgentRun(Timed, kw_only=True, gc=False):
    depth: Annotated[int, Meta(ge=0, le=10**4)] | None = None


class Handoff(Event, kw_only=True, gc=False):
    target: Literal["human", "agent"]
    from_agent: Label | None = None
    to_agent: Label | None = None
    reason: Text | None = None
    ticket_id: Reference | None = None
    model: Label | None = None


class Evaluation(Event, kw_only=True, gc=False):
    name: Name
    value: Number | None = None
    label: Label | None = None
    source: Literal["judge", "human", "rule", "user"] | None = None
    response_id: Reference | None = None
    comment: Text | None = None


class Guardrail(Event, kw_only=True, gc=False):
    category: Label
    action: Label | None = None
    severity: Label | None = None
    response_id: Reference | None = None


class SessionEnded(Event, kw_only=True, gc=False):
    outcome: Literal["resolved", "unresolved", "escalated", "abandoned"] | None = None


class Named(Event, kw_only=True, gc=False):
    name: Label | None = None
    value: Number | None = None
    amount_usd: SignedMoney | None = None


class Heartbeat(Event, kw_only=True, gc=False):
    service: Label | None = None
    up: bool


class ResourceUsage(Event, kw_only=True, gc=False):
    service: Label | None = None
    gpu_utilisation: Share | None = None
    cpu_utilisation: Share | None = None
    memory_bytes: Annotated[int, Meta(ge=0, le=2**53)] | None = None


class Deployment(Event, kw_only=True, gc=False):
    name: Label | None = None
    version: Label | None = None
    kind: Literal["release", "prompt", "model", "flag", "documentation"] | None = None


KINDS: dict[str, type[Event]] = {
    "llm_query_sent": QuerySent,
    "llm_response_generated": ResponseGenerated,
    "model_call": ModelCall,
    "response_feedback": Feedback,
    "response_copied": OnResponse,
    "response_shared": OnResponse,
    "tool_call": ToolCall,
    "retrieval": Retrieval,
    "step": Step,
    "agent_run": AgentRun,
    "handoff": Handoff,
    "evaluation": Evaluation,
    "guardrail": Guardrail,
    "session_ended": SessionEnded,
    "goal_completed": Named,
    "feature_used": Named,
    "activation": Named,
    "revenue": Named,
    "heartbeat": Heartbeat,
    "resource_usage": ResourceUsage,
    "deployment": Deployment,
}

DECODERS: dict[str, msgspec.json.Decoder[Event]] = {
    name: msgspec.json.Decoder(struct) for name, struct in KINDS.items()
}
CUSTOM = msgspec.json.Decoder(Event)
STRUCTS: list[type[Event]] = [Event, *KINDS.values()]

# Fields whose value is conversation text: stored apart, redacted or dropped by the project's privacy mode.
TEXT_FIELDS = ("query_text", "response_text", "feedback_text", "comment", "reason")
