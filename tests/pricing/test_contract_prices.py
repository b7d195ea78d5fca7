"""Contract prices: which one counts, when, and that none of them changes history by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.conversations.models import Generation, Session
from apps.conversations.rebuild import rebuild
from apps.core.tenancy import tenant
from apps.pricing.book import Contract, PriceBook, Revision
from apps.pricing.models import ContractPrice
from apps.pricing.prices import PRICE_VERSION, Tokens
from tests.conftest import Sender, response

AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MILLION = Tokens(1_000_000, 1_000_000, 1_000_000, 600_000, 400_000)


def contract(model: str = "gpt-4o", rate: str = "1", **fields: Any) -> Contract:
    """A contract price of `rate` USD per million input tokens and nothing else."""
    defaults: dict[str, Any] = {
        "pk": 1,
        "effective_from": date(2026, 1, 1),
        "output_usd_per_million": Decimal(0),
        "created_at": LONG_AGO,
    }
    row = ContractPrice(model=model, input_usd_per_million=Decimal(rate), **{**defaults, **fields})
    return Contract.of(row)


def nano_of(book: PriceBook, model: str = "gpt-4o", at: datetime = AT, **fields: Any) -> int | None:
    price = book.price(fields.get("provider"), model, fields.get("served"), at, Tokens(input=1_000_000))
    return price.nano if price else None


def test_every_bucket_has_its_own_rate() -> None:
    one = contract(
        rate="1.000001",
        cache_read_usd_per_million=Decimal("0.1"),
        cache_write_usd_per_million=Decimal("1.25"),
        output_usd_per_million=Decimal(4),
    )
    assert one.nano(MILLION) == 1_000_001_000 + 100_000_000 + 1_250_000_000 + 4_000_000_000
    assert contract().nano(MILLION) == 3_000_000_000


def test_a_fraction_of_a_nano_dollar_is_rounded_half_to_even() -> None:
    one = contract(rate="0.0005")
    assert [one.nano(Tokens(input=count)) for count in (1, 2, 3, 5)] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], 1_000_000_000),
        ([contract("gpt-4o", "2", provider="openai")], 2_000_000_000),
        ([contract("gpt-4o", "2", provider="azure")], 1_000_000_000),
        ([contract("gpt-4*", "2", provider="openai")], 1_000_000_000),
        ([contract("gpt-4o", "2", effective_from=date(2026, 6, 15))], 2_000_000_000),
        ([contract("gpt-4o", "2", effective_from=date(2026, 6, 16))], 1_000_000_000),
    ],
)
def test_the_most_specific_price_in_force_counts(others: list[Contract], expected: int) -> None:
    assert nano_of(PriceBook([contract(), *others]), provider="OpenAI") == expected


def test_a_longer_beginning_outranks_a_shorter_one() -> None:
    book = PriceBook([contract("*", "1"), contract("gpt*", "2"), contract("gpt-5*", "3")])
    assert [nano_of(book, model) for model in ("Mine", "gpt-4o", "GPT-5-mini")] == [
        1_000_000_000,
        2_000_000_000,
        3_000_000_000,
    ]


def test_a_contract_for_the_served_model_comes_before_that_for_the_requested_one() -> None:
    book = PriceBook([contract("gpt-4o", "1"), contract("gpt-4o-2024-08-06", "2")])
    assert nano_of(book, "gpt-4o", served="gpt-4o-2024-08-06") == 2_000_000_000
    assert nano_of(book, "gpt-4o", served="gpt-4o-2024-11-20") == 1_000_000_000


def test_the_day_is_the_organisations_day() -> None:
    prices = [contract(effective_from=date(2026, 6, 16)), contract("gpt-*", "2")]
    book = PriceBook(prices, zone=ZoneInfo("Asia/Kathmandu"))
    turn = datetime(2026, 6, 15, 18, 15, tzinfo=UTC)
    assert nano_of(book, at=turn) == 1_000_000_000
    assert nano_of(book, at=turn - timedelta(seconds=1)) == 2_000_000_000


def test_a_price_counts_for_what_happens_after_it_was_entered_and_until_it_is_withdrawn() -> None:
    book = PriceBook([contract("mine", created_at=AT, withdrawn_at=AT + timedelta(hours=1))])
    known = AT + timedelta(minutes=5)
    assert nano_of(book, "mine", known) == 1_000_000_000
    assert nano_of(book, "mine", known - timedelta(microseconds=1)) is None
    assert nano_of(book, "mine", known + timedelta(minutes=59)) == 1_000_000_000
    assert nano_of(book, "mine", known + timedelta(hours=1)) is None


def test_an_applied_revision_prices_its_days_by_what_was_known_when_it_was_proposed() -> None:
    entered = datetime(2026, 7, 1, tzinfo=UTC)
    later = contract("mine", "9", created_at=entered + timedelta(days=2))
    revision = Revision(date(2026, 6, 15), date(2026, 6, 16), entered + timedelta(days=1))
    book = PriceBook([contract("mine", created_at=entered), later], [revision])
    assert nano_of(book, "mine", AT) == 1_000_000_000
    assert nano_of(book, "mine", AT - timedelta(days=1)) is None
    assert nano_of(book, "mine", AT + timedelta(days=1)) is None


def enter(organization: Any, created_at: datetime = LONG_AGO, **fields: Any) -> ContractPrice:
    """A stored price of gpt-4o: 1.5 USD in, 6 USD out."""
    defaults: dict[str, Any] = {
        "model": "gpt-4o",
        "effective_from": date(2020, 1, 1),
        "input_usd_per_million": Decimal("1.5"),
        "output_usd_per_million": Decimal(6),
    }
    with tenant(organization.organization.id):
        row = ContractPrice.new(created_at=created_at, **{**defaults, **fields})
        row.save()
    return row


def costs(organization: Any) -> list[tuple[Any, ...]]:
    with tenant(organization.organization.id):
        rows = Generation.objects.order_by("at", "event_key")
        return list(rows.values_list("cost_nano", "cost_source", "price_version"))


def call(at: datetime, session: str = "s1", **fields: Any) -> dict[str, Any]:
    """A response of gpt-4o with 1,000 tokens in and 100 out: 2,100,000 nano-dollars by `enter`."""
    usual = {"input_tokens": 1_000, "output_tokens": 100, "model": "gpt-4o", "provider": "openai"}
    return response(at, session, **{**usual, **fields})


def test_sent_before_contract_before_list_before_unpriced(
    sender: Sender, organization: Any, now: datetime
) -> None:
    row = enter(organization)
    sender.send(
        call(now, cost_usd=0.25),
        call(now + timedelta(seconds=1)),
        call(now + timedelta(seconds=2), model="gpt-4o-mini"),
        call(now + timedelta(seconds=3), model="no-such-model-9000"),
    )
    sender.digest()
    assert costs(organization) == [
        (250_000_000, "sent", None),
        (2_100_000, "contract", f"contract {row.pk} from 2020-01-01"),
        (150_000 + 60_000, "list", PRICE_VERSION),
        (None, None, None),
    ]
    with tenant(organization.organization.id):
        assert Session.objects.get().cost_nano == 252_310_000
    assert sender.value("cost_total").value == Decimal("0.252310000")
    assert sender.value("cost_unpriced_share").numerator == 1


def test_entering_or_withdrawing_a_price_changes_no_history_not_even_by_a_rebuild(
    sender: Sender, organization: Any, now: datetime
) -> None:
    sender.send(call(now))
    sender.digest()
    before = costs(organization)
    row = enter(organization, created_at=now + timedelta(seconds=1))
    sender.send(call(now - timedelta(seconds=5)))
    sender.digest()
    with tenant(organization.organization.id):
        rebuild()
    assert costs(organization) == before * 2
    sender.send(call(now + timedelta(minutes=10), "s2"))
    sender.digest()
    after = costs(organization)
    assert [one[1] for one in after] == ["list", "list", "contract"]
    with tenant(organization.organization.id):
        ContractPrice.objects.filter(pk=row.pk).update(withdrawn_at=now + timedelta(minutes=30))
        rebuild()
    assert costs(organization) == after


def api(organization: Any, key: str = "admin_key") -> Client:
    return Client(headers={"Authorization": f"Bearer {organization.keys[key]}"})


FIELDS = {
    "effective_from": "2026-01-01",
    "provider": "openai",
    "model": "gpt-4o*",
    "input_usd_per_million": "1.25",
    "cache_read_usd_per_million": "0.125",
    "output_usd_per_million": "5",
    "note": "frame contract",
}


def post(client: Client, **fields: Any) -> Any:
    return client.post("/api/v1/contract-prices", {**FIELDS, **fields}, content_type="application/json")


def test_a_price_is_entered_listed_and_withdrawn_by_the_api_with_an_audit_trail(organization: Any) -> None:
    client = api(organization)
    made = post(client)
    assert made.status_code == 201
    price = made.json()
    assert (price["input_usd_per_million"], price["cache_write_usd_per_million"]) == ("1.250000", None)
    waits = datetime.fromisoformat(price["counts_from"]) - datetime.fromisoformat(price["created_at"])
    assert waits == timedelta(minutes=5)
    assert api(organization, "read_key").get("/api/v1/contract-prices").json() == {"contract_prices": [price]}
    address = f"/api/v1/contract-prices/{price['id']}"
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    (listed,) = client.get("/api/v1/contract-prices").json()["contract_prices"]
    assert listed["withdrawn_at"] is not None
    with tenant(organization.organization.id):
        trail = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert trail[-2:] == ["contract_price.created", "contract_price.withdrawn"]
    assert post(client).status_code == 201


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "g*t"}, "model"),
        ({"model": ""}, "model"),
        ({"input_usd_per_million": "-1"}, "input_usd_per_million"),
        ({"output_usd_per_million": "many"}, "output_usd_per_million"),
        ({"effective_from": "soon"}, "effective_from"),
    ],
)
def test_refuses_a_price_that_makes_no_sense_and_names_the_field(
    organization: Any, fields: dict[str, str], field: str
) -> None:
    answer = post(api(organization), **fields)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_refuses_a_second_price_of_the_same_day_and_model(organization: Any) -> None:
    assert post(api(organization)).status_code == 201
    answer = post(api(organization), input_usd_per_million="2")
    assert answer.status_code == 400
    assert "has a price from this day on" in answer.content.decode()


def test_only_an_admin_key_may_enter_or_withdraw(organization: Any) -> None:
    price = post(api(organization)).json()
    reader = api(organization, "read_key")
    assert post(reader, model="x").status_code == 403
    assert reader.delete(f"/api/v1/contract-prices/{price['id']}").status_code == 403


def test_a_price_of_another_organisation_is_not_found(make_organization: Any, organization: Any) -> None:
    other = make_organization()
    price = post(api(other)).json()
    assert api(organization).delete(f"/api/v1/contract-prices/{price['id']}").status_code == 404
    assert api(organization).get("/api/v1/contract-prices").json() == {"contract_prices": []}
    with tenant(other.organization.id):
        assert ContractPrice.objects.get().withdrawn_at is None
