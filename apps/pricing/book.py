"""The price book of an organisation: which price counts for a call, the same whenever it is asked.

A cost that the caller sent comes first; then the organisation's contract price, then the list price.

Contract prices are known from an instant on (`created_at`) and may be withdrawn at another. A call is
priced by what was known at its own time, less a few minutes, never by what was entered later. So
entering or withdrawing a price changes no history, neither at once nor when facts are rebuilt, and the
order in which events arrive does not matter. Only an applied re-pricing reads an earlier day's calls
with later knowledge: that of the instant at which it was proposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from apps.accounts.models import Organization
from apps.core.time_buckets import local_day
from apps.events.clock import AHEAD
from apps.pricing.models import ContractPrice, Repricing, RepricingState
from apps.pricing.prices import PRICE_VERSION, Tokens, list_price_nano

NANO_PER_TOKEN = 1_000  # of one USD per million tokens
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Price:
    """What a call cost: nano-dollars, `contract` or `list`, and which price that was."""

    nano: int
    source: str
    version: str


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract price, detached from the database; rates in nano-dollars a token."""

    version: str
    effective_from: date
    provider: str
    model: str
    input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    output: Decimal
    known_from: datetime
    known_to: datetime | None

    @classmethod
    def of(cls, row: ContractPrice) -> Contract:
        per_input = row.input_usd_per_million
        read, write = row.cache_read_usd_per_million, row.cache_write_usd_per_million
        return cls(
            version=f"contract {row.pk} from {row.effective_from}",
            effective_from=row.effective_from,
            provider=row.provider.lower(),
            model=row.model.lower(),
            input=per_input * NANO_PER_TOKEN,
            cache_read=(per_input if read is None else read) * NANO_PER_TOKEN,
            cache_write=(per_input if write is None else write) * NANO_PER_TOKEN,
            output=row.output_usd_per_million * NANO_PER_TOKEN,
            known_from=row.created_at,
            known_to=row.withdrawn_at,
        )

    def fits(self, provider: str, model: str, day: date) -> bool:
        if self.provider not in ("", provider) or self.effective_from > day:
            return False
        return model.startswith(self.model[:-1]) if self.model.endswith("*") else model == self.model

    @property
    def rank(self) -> tuple[bool, int, bool, date, datetime]:
        """An exact name before a longer beginning before a shorter; a named provider before any; the latest."""
        is_exact = not self.model.endswith("*")
        return is_exact, len(self.model), bool(self.provider), self.effective_from, self.known_from

    def is_known_at(self, instant: datetime) -> bool:
        return self.known_from <= instant and (self.known_to is None or instant < self.known_to)

    def nano(self, tokens: Tokens) -> int:
        nano = (
            self.input * tokens.input
            + self.cache_read * tokens.cache_read
            + self.cache_write * tokens.cache_write
            + self.output * (tokens.output + tokens.reasoning)
        )
        return int(nano.to_integral_value(ROUND_HALF_EVEN))


@dataclass(frozen=True, slots=True)
class Revision:
    """Local days `first ≤ d < end` that are priced by what was known at `known_at`."""

    first: date
    end: date
    known_at: datetime


class PriceBook:
    """Prices of one organisation; built once a round, asked once a call, without a query."""

    def __init__(
        self,
        contracts: list[Contract] | None = None,
        revisions: list[Revision] | None = None,
        zone: ZoneInfo = UTC,
    ) -> None:
        self.contracts = sorted(contracts or [], key=lambda one: one.rank, reverse=True)
        self.revisions = revisions or []
        self.zone = zone
        self._fitting: dict[tuple[str, str, date], list[Contract]] = {}

    @classmethod
    def load(cls, proposed: Repricing | None = None) -> PriceBook:
        """The active organisation's book, as if `proposed` were applied where it is given."""
        contracts = [Contract.of(row) for row in ContractPrice.objects.all()]
        if not contracts:
            return cls()
        revised = Repricing.objects.filter(
            state__in=(RepricingState.APPLYING, RepricingState.APPLIED), done_to__isnull=False
        )
        revisions = [Revision(row.first_day, row.done_to, row.created_at) for row in revised]
        if proposed is not None:
            end = proposed.last_day + timedelta(days=1)
            revisions.append(Revision(proposed.first_day, end, proposed.created_at))
        return cls(contracts, revisions, Organization.objects.get().zone)

    def price(
        self, provider: str | None, model: str | None, served: str | None, at: datetime, tokens: Tokens
    ) -> Price | None:
        """The price of a call to `model` that was answered by `served`; None where none is known."""
        names = [name for name in (served, model) if name]
        if self.contracts:
            for name in names:
                if (contract := self.contract(provider or "", name, at)) is not None:
                    return Price(contract.nano(tokens), "contract", contract.version)
        for name in names:
            if (nano := list_price_nano(provider, name, at, tokens)) is not None:
                return Price(nano, "list", PRICE_VERSION)
        return None

    def contract(self, provider: str, model: str, at: datetime) -> Contract | None:
        """The contract price that counts for a call at an instant."""
        day = local_day(at, self.zone)
        key = (provider, model, day)
        if key not in self._fitting:
            self._fitting[key] = [
                one for one in self.contracts if one.fits(provider.lower(), model.lower(), day)
            ]
        fitting = self._fitting[key]
        if not fitting:
            return None
        known_at = max([at - AHEAD, *(one.known_at for one in self.revisions if one.first <= day < one.end)])
        return next((one for one in fitting if one.is_known_at(known_at)), None)
