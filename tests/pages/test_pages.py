"""The pages over HTTP: every role, the same numbers as the API, filters in the address, text rights."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, Membership, Role
from apps.core.tenancy import tenant
from apps.dashboards.panels import CONVERSATION, OPERATING
from apps.events.models import Batch, BatchState, RejectedEvent
from apps.metrics.catalogue import METRICS
from tests.conftest import Sender, query
from tests.pages.conftest import conversation

PAGES = (
    "/dashboard/",
    "/dashboard/bands/conversation/",
    "/dashboard/bands/operating/",
    "/dashboard/trends/conversation/",
    "/metrics/",
    "/metrics/frustration_spike_rate/",
    "/events/ledger/",
    "/events/rejected/",
    "/freshness/",
)


def tile_values(html: str) -> dict[str, str]:
    """Metric key → unrounded value of each tile."""
    return dict(re.findall(r'data-metric="(\w+)">.*?<data class="tile__value" value="([^"]*)"', html, re.S))


def api(sender: Sender, address: str) -> Any:
    answer = Client().get(address, headers={"Authorization": f"Bearer {sender.provisioned.keys['read_key']}"})
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_every_page(busy: Sender, as_role: Callable[[str], Client], role: str) -> None:
    client = as_role(role)
    for path in PAGES:
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_sent_to_sign_in_and_back(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={path}"


def test_a_signed_out_panel_says_so_instead_of_showing_a_form() -> None:
    assert Client().get(PAGES[1], headers={"HX-Request": "true"}).status_code == 403


def test_every_metric_has_a_page(busy: Sender, owner: Client) -> None:
    for key in METRICS:
        assert owner.get(f"/metrics/{key}/").status_code == 200, key


def test_a_metrics_page_shows_its_calculation_method_and_prices(busy: Sender, owner: Client) -> None:
    page = owner.get("/metrics/error_rate/").content.decode()
    assert re.search(r"<dt>In numbers</dt><dd>[\d,]+ ÷ [\d,]+ = [\d.]+ ", page)
    assert "<dt>Interval</dt><dd>Wilson score interval" in page
    assert "<dt>Price</dt>" in owner.get("/metrics/cost_total/").content.decode()


def test_an_unknown_metric_or_band_is_not_found(owner: Client) -> None:
    for path in (
        "/metrics/nothing/",
        "/metrics/nothing/csv/",
        "/dashboard/bands/no/",
        "/dashboard/trends/no/",
    ):
        assert owner.get(path).status_code == 404


def test_tiles_show_what_the_api_answers(busy: Sender, owner: Client, now: datetime) -> None:
    today = now.date() + timedelta(days=1)
    keys = ",".join((*CONVERSATION.metrics, *OPERATING.metrics))
    days = f"from={today - timedelta(days=30)}&to={today}"
    answer = api(busy, f"/api/v1/metrics/query?metrics={keys}&{days}&interval=total")["metrics"]
    shown = tile_values(owner.get("/dashboard/bands/conversation/").content.decode())
    shown |= tile_values(owner.get("/dashboard/bands/operating/").content.decode())
    assert set(shown) == set(answer)
    for key, value in shown.items():
        expected = answer[key]["points"][0]["value"]
        assert value == ("" if expected is None else str(expected)), key
    assert shown["frustration_spike_rate"] == "0.2"


def test_charts_and_csv_show_what_the_api_answers(busy: Sender, owner: Client, now: datetime) -> None:
    today = now.date() + timedelta(days=1)
    days = f"from={today - timedelta(days=30)}&to={today + timedelta(days=1)}"
    points = api(busy, f"/api/v1/metrics/sessions?{days}&interval=day")["points"]
    html = owner.get("/metrics/sessions/").content.decode()
    data = json.loads(re.search(r'<script id="chart-sessions"[^>]*>(.*?)</script>', html, re.S)[1])  # type: ignore[index]
    assert data["series"][0]["values"] == [point["value"] for point in points]
    assert data["provisional"] == [point["provisional"] for point in points]
    rows = list(csv.DictReader(io.StringIO(owner.get("/metrics/sessions/csv/").content.decode())))
    assert [(row["start"], row["value"], row["n"]) for row in rows] == [
        (point["start"], str(point["value"]), str(point["n"])) for point in points
    ]


def test_filters_narrow_the_numbers(busy: Sender, owner: Client, now: datetime) -> None:
    busy.send(*conversation(now, "other model", model="claude-sonnet-4-5"))
    busy.digest()
    assert tile_values(owner.get("/dashboard/bands/operating/").content.decode())["sessions"] == "41"
    narrowed = owner.get("/dashboard/bands/operating/?model=claude-sonnet-4-5").content.decode()
    assert tile_values(narrowed)["sessions"] == "1"
    assert 'href="/metrics/sessions/?model=claude-sonnet-4-5"' in narrowed


def test_the_filter_bar_shows_what_the_address_says(busy: Sender, owner: Client) -> None:
    html = owner.get("/dashboard/?period=7&interval=week&model=gpt-4o&environment=test").content.decode()
    assert 'value="7" checked' in html
    for value in ("week", "gpt-4o", "test"):
        assert f'<option value="{value}" selected>' in html


@pytest.mark.parametrize(
    ("query_string", "status", "field"),
    [
        ("period=12", 400, "period"),
        ("interval=century", 400, "interval"),
        ("interval=hour", 422, "interval"),
        ("from=yesterday", 400, "from"),
        ("from=2026-02-01&to=2026-01-01", 422, "to"),
        ("from=1999-01-01", 422, "from"),
        ("from=2020-01-01&to=2026-01-01", 422, "from"),
        ("by=shoe_size", 400, "by"),
    ],
)
def test_a_wrong_address_is_refused_in_one_sentence(
    owner: Client, query_string: str, status: int, field: str
) -> None:
    for path in (
        "/dashboard/",
        "/dashboard/bands/conversation/",
        "/dashboard/trends/conversation/",
        "/metrics/sessions/",
    ):
        answer = owner.get(f"{path}?{query_string}")
        assert answer.status_code == status
        assert f"<p>{field}: " in answer.content.decode()


def test_a_break_down_that_a_metric_lacks_is_refused(owner: Client) -> None:
    assert owner.get("/metrics/latency_p95/?by=outcome").status_code == 400
    assert owner.get("/metrics/latency_p95/csv/?by=outcome").status_code == 400


def test_an_empty_tile_says_what_is_missing_and_shows_an_event(owner: Client) -> None:
    html = owner.get("/dashboard/bands/conversation/").content.decode()
    assert tile_values(html)["grounding_score"] == ""
    assert "cited_sentences and total_sentences on llm_response_generated" in html
    assert "&quot;cited_sentences&quot;: 4" in html


def test_the_first_day_shows_today_instead_of_nothing(sender: Sender, owner: Client) -> None:
    moment = sender.now + timedelta(days=1)
    start = moment.replace(hour=0, minute=0)
    sender.send(*conversation(start, "first"), received_at=start + timedelta(minutes=1))
    sender.digest()
    html = owner.get("/dashboard/bands/conversation/").content.decode()
    assert tile_values(html)["frustration_spike_rate"] == "0.0"
    assert "today so far, the first day" in html


def test_a_breached_threshold_stands_on_the_first_panel(busy: Sender, owner: Client) -> None:
    html = owner.get("/dashboard/bands/conversation/").content.decode()
    assert 'aria-label="Breached thresholds"' in html
    assert re.search(r"Critical:</strong> <a[^>]*>Frustration spike rate</a>", html)
    assert "Breached thresholds" not in owner.get("/dashboard/bands/operating/").content.decode()


def test_a_fragment_is_the_page_without_its_frame(owner: Client) -> None:
    whole, fragment = owner.get(PAGES[1]), owner.get(PAGES[1], headers={"HX-Request": "true"})
    assert b"<html" in whole.content
    assert b"<html" not in fragment.content
    assert b'class="tiles' in fragment.content
    assert "HX-Request" in whole["Vary"]


def test_going_back_gets_the_whole_page(owner: Client) -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert b"<html" in owner.get("/dashboard/?period=7", headers=headers).content


def test_the_badge_tells_of_new_data_once(sender: Sender, owner: Client, now: datetime) -> None:
    def poll(seen: str) -> tuple[str, str]:
        answer = owner.get("/freshness/", {"seen": seen})
        found = re.search(r"\?seen=([^\"]+)", answer.content.decode())
        assert found
        return unquote(found[1]), answer.headers.get("HX-Trigger", "")

    seen, _ = poll("")
    assert poll(seen)[1] == ""
    sender.send(query(now))
    seen, trigger = poll(seen)
    assert json.loads(trigger)["announce"].endswith("1 batch pending")
    sender.digest()
    seen, trigger = poll(seen)
    assert json.loads(trigger) == {"data-changed": {}, "announce": "All numbers are up to date."}
    assert poll(seen)[1] == ""


def test_a_batch_that_could_not_be_digested_is_shown_with_its_reason(
    sender: Sender, owner: Client, now: datetime
) -> None:
    sender.send(query(now))
    with tenant(sender.provisioned.organization.id):
        Batch.objects.update(attempts=2, error="division by zero", next_attempt_at=now + timedelta(days=1))
    html = owner.get("/events/ledger/").content.decode()
    assert "could not be digested after 2 attempts" in html
    assert "division by zero" in html
    assert "Failed, will retry" in html


def test_the_ledger_adds_up_and_pages(sender: Sender, owner: Client, now: datetime) -> None:
    for number in range(55):
        sender.send(
            query(now + timedelta(seconds=number)), query(now + timedelta(seconds=number)), {"event": "no"}
        )
    first = owner.get("/events/ledger/").content.decode()
    rows = re.findall(r'data-label="(Sent|Accepted|Duplicate|Rejected)" class="num">(\d+)<', first)
    assert len(rows) == 200
    assert rows[:4] == [("Sent", "3"), ("Accepted", "2"), ("Duplicate", "0"), ("Rejected", "1")]
    older = re.search(r'href="(/events/ledger/\?before=\d+)"', first)
    assert older
    assert owner.get(older[1]).content.decode().count('data-label="Sent"') == 5


def test_only_owners_and_admins_withdraw_a_batch(
    sender: Sender, as_role: Callable[[str], Client], now: datetime
) -> None:
    address = f"/events/ledger/{sender.send(query(now)).batch_id}/withdraw/"
    for role in (Role.PRODUCT, Role.ENGINEERING, Role.FINANCE, Role.EXECUTIVE):
        assert as_role(role).get(address).status_code == 404
        assert as_role(role).post(address).status_code == 404
    admin = as_role(Role.ADMIN)
    assert b"Withdraw 1 event" in admin.get(address).content
    assert admin.post(address, follow=True).redirect_chain == [("/events/ledger/", 302)]
    with tenant(sender.provisioned.organization.id):
        assert Batch.objects.get().state == BatchState.WITHDRAWING
        entry = AuditEntry.objects.get(action="batch.withdrawn")
    assert (entry.before, entry.after) == ({"state": "pending"}, {"state": "withdrawing"})


def test_a_foreign_batch_is_not_found(
    sender: Sender, make_organization: Callable[..., Any], now: datetime, owner: Client
) -> None:
    foreign = Sender(make_organization(), now).send(query(now)).batch_id
    for address in (f"/events/ledger/{foreign}/withdraw/", f"/events/ledger/{10**30}/withdraw/"):
        assert owner.get(address).status_code == 404
        assert owner.post(address).status_code == 404


def test_refused_events_show_their_text_only_to_roles_with_text_rights(
    busy: Sender, as_role: Callable[[str], Client]
) -> None:
    for role in Role:
        html = as_role(role).get("/events/rejected/").content.decode()
        assert "timestamp" in html
        assert ("sesame" in html) == (role not in (Role.FINANCE, Role.EXECUTIVE)), role


def test_refused_events_are_listed_by_reason(busy: Sender, owner: Client) -> None:
    html = owner.get("/events/rejected/?code=missing_field").content.decode()
    assert html.count('data-label="Reason"') == 1
    assert owner.get("/events/rejected/?code=nonsense&before=x").content.count(b'data-label="Reason"') == 0


def test_replaying_tells_what_became_of_the_events(
    busy: Sender, as_role: Callable[[str], Client], owner: Client
) -> None:
    with tenant(busy.provisioned.organization.id):
        ids = list(RejectedEvent.objects.values_list("id", flat=True))
    assert as_role(Role.PRODUCT).post("/events/rejected/replay/", {"which": "all"}).status_code == 404
    none = owner.post("/events/rejected/replay/", {"which": "chosen"}, follow=True).content.decode()
    assert "Tick the events to replay first." in none
    one = owner.post(
        "/events/rejected/replay/", {"which": "chosen", "ids": ids[:1]}, follow=True
    ).content.decode()
    assert "Replayed 1: 0 accepted, 0 already known, 1 refused again." in one


def test_csv_cells_are_no_formulas(sender: Sender, owner: Client, now: datetime) -> None:
    for number, intent in enumerate(("=cmd|' /C calc'!A0", "+1", "-1", "@sum", "fine")):
        sender.send(*conversation(now, f"s{number}", intent=intent))
    sender.digest()
    text = owner.get("/metrics/sessions/csv/?by=intent&table=breakdown").content.decode()
    intents = {row["intent"] for row in csv.DictReader(io.StringIO(text))}
    assert intents == {"'=cmd|' /C calc'!A0", "'+1", "'-1", "'@sum", "fine"}


def test_getting_a_page_writes_nothing(busy: Sender, owner: Client) -> None:
    for path in ("/events/rejected/replay/",):
        assert owner.get(path).status_code == 405
    for path in PAGES:
        assert owner.post(path).status_code == 405, path


def test_the_demo_badge_is_on_every_page_of_a_demo(
    make_organization: Callable[..., Any], owner: Client, organization: Any
) -> None:
    assert b"Demo data." not in owner.get("/dashboard/").content
    with tenant(organization.organization.id):
        organization.project.is_demo = True
        organization.project.save()
    for path in ("/dashboard/", "/metrics/", "/events/ledger/", "/events/rejected/"):
        assert b"Demo data." in owner.get(path).content


def test_the_style_guide_is_for_development_only(settings: Any) -> None:
    settings.DEBUG = False
    assert Client().get("/styleguide").status_code == 404
    settings.DEBUG = True
    assert Client().get("/styleguide").status_code == 200


def test_the_landing_page_sends_members_on(owner: Client) -> None:
    assert Client().get("/").status_code == 200
    assert owner.get("/")["Location"] == "/dashboard/"


def test_a_person_of_two_organisations_can_change_between_them(
    sender: Sender, make_organization: Callable[..., Any], owner: Client
) -> None:
    assert b'href="/switch/"' not in owner.get("/dashboard/").content
    other = make_organization(name="The other one").organization
    with tenant(other.id):
        Membership(user_id=int(owner.session["_auth_user_id"]), role=Role.PRODUCT).save()
    assert b'href="/switch/"' in owner.get("/dashboard/").content
    assert b"The other one" in owner.get("/switch/").content
    assert b"The other one" in owner.post("/switch/", {"organization": other.id}, follow=True).content
    foreign = make_organization().organization
    assert owner.post("/switch/", {"organization": foreign.id}).status_code == 404
    assert Client().get("/switch/").status_code == 302
