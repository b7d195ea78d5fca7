"""Measures over model calls: responses and inner calls, at their own time."""

from __future__ import annotations

from typing import Final

from apps.metrics.measures.measure import Histogram, Measure, squares
from apps.metrics.sources import GENERATION

RESPONSE: Final = "f.is_response"
LABELLED: Final = f"{RESPONSE} AND f.request_tokens IS NOT NULL AND f.labelled_at <= %(now)s"
MODEL_USED: Final = "(NOT f.is_response OR f.model IS NOT NULL)"

responses: Final = Measure(GENERATION, "responses", RESPONSE)
generations: Final = Measure(GENERATION, "model calls", MODEL_USED)
tokens_input: Final = Measure(
    GENERATION, "input tokens", value="f.tokens_input + f.tokens_cache_read + f.tokens_cache_write"
)
tokens_output: Final = Measure(GENERATION, "output tokens", value="f.tokens_output + f.tokens_reasoning")
tokens_cached: Final = Measure(GENERATION, "cached input tokens", value="f.tokens_cache_read")
tokens_reasoning: Final = Measure(GENERATION, "reasoning tokens", value="f.tokens_reasoning")
tokens_total: Final = Measure(GENERATION, "tokens", value="f.tokens_total")
cost: Final = Measure(GENERATION, "cost of all model calls", value="f.cost_nano", unit="usd")
priced: Final = Measure(GENERATION, "model calls with a cost", "f.cost_nano IS NOT NULL")
with_usage: Final = Measure(GENERATION, "model calls with usage", "f.has_usage")
priceable: Final = Measure(
    GENERATION, "model calls with a cost or with tokens to price", "f.cost_nano IS NOT NULL OR f.is_unpriced"
)
unpriced: Final = Measure(GENERATION, "model calls without a known price", "f.is_unpriced")
suspect: Final = Measure(
    GENERATION,
    "model calls whose token counts contradict each other or look counted twice",
    "f.flags IS NOT NULL",
)
HAS_COST: Final = f"{RESPONSE} AND f.request_cost_nano IS NOT NULL"
HAS_USAGE: Final = f"{RESPONSE} AND f.request_tokens IS NOT NULL"
requests_with_cost: Final = Measure(GENERATION, "responses with a cost", HAS_COST)
request_cost: Final = Measure(
    GENERATION, "cost of responses with their inner calls", HAS_COST, "f.request_cost_nano", unit="usd"
)
request_cost_squares: Final = squares(GENERATION, "f.request_cost_nano", HAS_COST)
requests_with_usage: Final = Measure(GENERATION, "responses with usage", HAS_USAGE)
request_tokens: Final = Measure(
    GENERATION, "tokens of responses with their inner calls", HAS_USAGE, "f.request_tokens"
)
request_tokens_squares: Final = squares(GENERATION, "f.request_tokens", HAS_USAGE)
labelled: Final = Measure(GENERATION, "labelled responses with usage", LABELLED)
labels_sent: Final = Measure(
    GENERATION, "responses whose resolution the caller sent", f"{RESPONSE} AND f.is_label_sent"
)
tokens_resolved: Final = Measure(
    GENERATION, "tokens that led to a resolution", f"{LABELLED} AND f.label = 'resolved'", "f.request_tokens"
)
tokens_follow_up: Final = Measure(
    GENERATION, "tokens that led to a follow-up", f"{LABELLED} AND f.label = 'follow_up'", "f.request_tokens"
)
tokens_unresolved: Final = Measure(
    GENERATION, "tokens that led nowhere", f"{LABELLED} AND f.label = 'unresolved'", "f.request_tokens"
)
GROUNDED: Final = f"{RESPONSE} AND f.grounding_nano IS NOT NULL"
grounding: Final = Measure(GENERATION, "sum of grounding scores", GROUNDED, "f.grounding_nano", unit="score")
grounding_squares: Final = squares(GENERATION, "f.grounding_nano", GROUNDED)
grounding_scored: Final = Measure(GENERATION, "responses with a grounding score", GROUNDED)
grounding_low: Final = Measure(
    GENERATION,
    "responses with fewer than half of their sentences cited",
    f"{GROUNDED} AND f.grounding_nano < 500000000",
)
grounding_expected: Final = Measure(
    GENERATION, "responses where grounding is expected", f"{RESPONSE} AND f.is_grounding_expected"
)
HAS_LATENCY: Final = f"{RESPONSE} AND f.latency_us IS NOT NULL"
timed_responses: Final = Measure(GENERATION, "successful responses with a latency", HAS_LATENCY)
responses_with_ttft: Final = Measure(
    GENERATION, "successful responses with a latency and a TTFT", f"{HAS_LATENCY} AND f.ttft_us IS NOT NULL"
)
latency: Final = Histogram(GENERATION, "latency of successful responses", "f.latency_us", HAS_LATENCY, 1000)
ttft: Final = Histogram(
    GENERATION, "time to first token", "f.ttft_us", f"{RESPONSE} AND f.ttft_us IS NOT NULL", 1000
)
model_latency: Final = Histogram(
    GENERATION, "latency of the provider call", "f.model_latency_us", "f.model_latency_us IS NOT NULL", 1000
)
tokens_per_request: Final = Histogram(GENERATION, "tokens a response", "f.request_tokens", HAS_USAGE)
copied: Final = Measure(GENERATION, "responses copied", f"{RESPONSE} AND f.copies > 0")
shared: Final = Measure(GENERATION, "responses shared", f"{RESPONSE} AND f.shares > 0")
rated: Final = Measure(
    GENERATION,
    "responses rated",
    f"{RESPONSE} AND num_nonnulls(f.thumbs, f.stars_nano, f.csat_nano, f.nps_nano) > 0",
)
thumbs: Final = Measure(
    GENERATION, "responses with a thumb up or down", f"{RESPONSE} AND f.thumbs IS NOT NULL"
)
thumbs_up: Final = Measure(GENERATION, "responses with a thumb up", f"{RESPONSE} AND f.thumbs = 1")
STARRED: Final = f"{RESPONSE} AND f.stars_nano IS NOT NULL"
stars: Final = Measure(GENERATION, "sum of stars", STARRED, "f.stars_nano", unit="score")
star_squares: Final = squares(GENERATION, "f.stars_nano", STARRED)
starred: Final = Measure(GENERATION, "responses with stars", STARRED)
csat_answers: Final = Measure(GENERATION, "CSAT answers", f"{RESPONSE} AND f.csat_nano IS NOT NULL")
csat_positive: Final = Measure(
    GENERATION, "CSAT answers of 4 or 5", f"{RESPONSE} AND f.csat_nano >= 4000000000"
)
NPS: Final = f"{RESPONSE} AND f.nps_nano IS NOT NULL"
# Promoters (9, 10) count 100, detractors (0 to 6) -100: the mean of that is the score.
PROMOTED: Final = (
    "CASE WHEN f.nps_nano >= 9000000000 THEN 100 WHEN f.nps_nano <= 6000000000 THEN -100 ELSE 0 END"
)
nps_points: Final = Measure(GENERATION, "100 × (promoters − detractors)", NPS, PROMOTED)
nps_squares: Final = squares(GENERATION, PROMOTED, NPS)
nps_answers: Final = Measure(GENERATION, "NPS answers", NPS)
refused: Final = Measure(GENERATION, "responses that refuse", f"{RESPONSE} AND f.is_refused")
format_expected: Final = Measure(
    GENERATION, "responses with an expected format", f"{RESPONSE} AND f.is_format_expected"
)
format_valid: Final = Measure(
    GENERATION, "responses in a valid format", f"{RESPONSE} AND f.is_format_expected AND f.is_format_valid"
)
response_length: Final = Histogram(
    GENERATION,
    "characters of responses",
    "f.response_length",
    f"{RESPONSE} AND f.response_length IS NOT NULL",
)
