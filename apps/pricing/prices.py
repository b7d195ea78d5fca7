"""List prices of model calls, in force at their time, and money in whole nano-dollars.

They come from the `genai-prices` package. Money is whole nano-dollars (1e-9 USD), so that
sums are exact in any order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

import genai_prices
from genai_prices import Usage, calc_price
from genai_prices.types import TieredPrices

NANO = 10**9
PRICE_VERSION = f"genai-prices {genai_prices.__version__}"
KNOWN_KEYS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Exclusive token buckets of one call."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        return self.input + self.cache_read + self.cache_write + self.output + self.reasoning


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per token, up to `limit` input tokens; beyond it the package's `tiered` price decides."""

    input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    output: Decimal
    limit: int | None = None
    tiered: Any = None


def usd_to_nano(amount_usd: float) -> int:
    """A caller's amount as whole nano-dollars, by its decimal digits rather than its binary value."""
    return int((Decimal(repr(amount_usd)) * NANO).to_integral_value(ROUND_HALF_EVEN))


def list_price_nano(provider: str | None, model: str | None, at: datetime, tokens: Tokens) -> int | None:
    """List price of a call in nano-dollars; None where the package knows no price for the model."""
    if not model:
        return None
    found = _price_of(provider or "", model, math.floor(at.timestamp() / 3600))
    if found is None:
        return None
    if found.limit is not None and tokens.input + tokens.cache_read + tokens.cache_write > found.limit:
        nano = found.tiered.calc_price(_usage(tokens))["total_price"] * NANO
    else:
        nano = (
            found.input * tokens.input
            + found.cache_read * tokens.cache_read
            + found.cache_write * tokens.cache_write
            + found.output * (tokens.output + tokens.reasoning)
        )
    return int(nano.to_integral_value(ROUND_HALF_EVEN))


def _usage(tokens: Tokens) -> Usage:
    return Usage(
        input_tokens=tokens.input + tokens.cache_read + tokens.cache_write,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        output_tokens=tokens.output + tokens.reasoning,
    )


@lru_cache(maxsize=16_384)
def _price_of(provider: str, model: str, hour: int) -> Rates | None:
    """The price in force in an hour, or None.

    Asking the package for every call costs 50 µs, a quarter of the digest; its tiers matter for few calls.
    """
    price = _look_up(provider, model, datetime.fromtimestamp(hour * 3600).astimezone())
    if price is None:
        return None
    prices = {key: getattr(price, key, None) for key in KNOWN_KEYS}
    if prices["input_mtok"] is None and prices["output_mtok"] is None:
        return None
    starts = [one.tiers[0].start for one in prices.values() if isinstance(one, TieredPrices) and one.tiers]
    per_input = _nano_per_token(prices["input_mtok"]) or Decimal(0)
    return Rates(
        input=per_input,
        cache_read=_or(_nano_per_token(prices["cache_read_mtok"]), per_input),
        cache_write=_or(_nano_per_token(prices["cache_write_mtok"]), per_input),
        output=_nano_per_token(prices["output_mtok"]) or Decimal(0),
        limit=min(starts, default=None),
        tiered=price if starts else None,
    )


def _or(rate: Decimal | None, other: Decimal) -> Decimal:
    return other if rate is None else rate


def _nano_per_token(usd_per_million: Any) -> Decimal | None:
    """The rate before the first tier."""
    if isinstance(usd_per_million, TieredPrices):
        usd_per_million = usd_per_million.base
    return None if usd_per_million is None else Decimal(usd_per_million) * 1000


def _look_up(provider: str, model: str, at: datetime) -> Any | None:
    """Try the provider as named, then the model alone, then the model behind a `provider/` prefix."""
    tries = [(model, provider or None), (model, None)]
    prefix, slash, rest = model.partition("/")
    if slash:
        tries += [(rest, prefix.lower()), (rest, None)]
    for name, provider_id in tries:
        try:
            return calc_price(
                Usage(input_tokens=1, output_tokens=1),
                name,
                provider_id=provider_id,
                genai_request_timestamp=at,
            ).model_price
        except (LookupError, ValueError):
            continue
    return None
