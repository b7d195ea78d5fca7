"""List prices by our own rates equal what the price package itself says, on both sides of every tier."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from apps.pricing.prices import NANO, Tokens, list_price_nano

AT = datetime(2026, 11, 1, tzinfo=UTC)
MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-5.4"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-1.5-pro"),
    ("anthropic", "claude-sonnet-4-5"),
]
EDGES = [0, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001]
counts = st.one_of(st.sampled_from(EDGES), st.integers(0, 400_000))


@given(
    model=st.sampled_from(MODELS),
    plain=counts,
    cache_read=counts,
    cache_write=counts,
    output=counts,
    reasoning=counts,
)
def test_equals_the_price_package_in_every_tier(
    model: tuple[str, str], plain: int, cache_read: int, cache_write: int, output: int, reasoning: int
) -> None:
    provider, name = model
    if provider == "openai":
        cache_write = 0  # The package has no such price there and would leave these tokens out.
    usage = Usage(
        input_tokens=plain + cache_read + cache_write,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        output_tokens=output + reasoning,
    )
    priced = calc_price(usage, name, provider_id=provider, genai_request_timestamp=AT)
    theirs = (priced.total_price * NANO).to_integral_value(ROUND_HALF_EVEN)
    assert (
        list_price_nano(provider, name, AT, Tokens(plain, cache_read, cache_write, output, reasoning))
        == theirs
    )


@pytest.mark.parametrize("model", ["no-such-model-9000", "", None])
def test_knows_no_price_for_an_unknown_model(model: str | None) -> None:
    assert list_price_nano("openai", model, AT, Tokens(100, 0, 0, 100, 0)) is None


def test_finds_a_model_behind_a_provider_prefix() -> None:
    tokens = Tokens(1000, 0, 0, 100, 0)
    assert list_price_nano(None, "openai/gpt-4o", AT, tokens) == list_price_nano(
        "openai", "gpt-4o", AT, tokens
    )
