"""Every page in a real browser: policy, console, own origin, no sideways scroll, WCAG 2.2 AA; and live behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from apps.accounts.models import Role
from tests.browser import THEMES, WIDTHS, Witness, axe_faults, browser, faults, open_context, serving, settle
from tests.conftest import Sender, query
from tests.pages.conftest import conversation

pytestmark = pytest.mark.usefixtures("forget_event_loop")

SIGNED_IN = (
    "/dashboard/",
    "/dashboard/?period=7&interval=hour&model=gpt-4o",
    "/dashboard/?period=custom",
    "/dashboard/bands/operating/",
    "/dashboard/trends/conversation/",
    "/metrics/",
    "/metrics/frustration_spike_rate/",
    "/metrics/cost_total/?by=model&rolling=30",
    "/metrics/sentiment_score/",
    "/qa/",
    "/calibration/",
    "/calibration/report/",
    "/sessions/",
    "/sessions/?with=spiked&with=low_grounding&order=cost",
    "/sessions/?period=custom&outcome=open",
    "/events/ledger/",
    "/events/rejected/",
    "/start/",
    "/settings/",
    "/settings/members/",
    "/settings/projects/",
    "/settings/keys/",
    "/settings/repricing/",
    "/settings/audit/",
    "/switch/",
    "/accounts/password/change/",
    "/accounts/2fa/",
)
SIGNED_OUT = ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")
# Each would set window.__xss if any page took it for markup or script.
POLYGLOTS = (
    "<script>window.__xss=1</script>",
    '"><img src=x onerror=window.__xss=1>',
    "';window.__xss=1;//",
    "</script><script>window.__xss=1</script>",
    "javascript:window.__xss=1",
    "{{constructor.constructor('window.__xss=1')()}}",
    "<svg/onload=window.__xss=1>",
    "\u202eevil\u2066<b onmouseover=window.__xss=1>",
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


def session_of(client: Client) -> str:
    return client.cookies["session"].value


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_sound(url: str, busy: Sender, owner: Client, width: int, theme: str) -> None:
    batch = busy.send(query(busy.now, "one more")).batch_id
    wrong: dict[str, list[str]] = {}
    with browser() as opened:
        for session, paths in (
            ("", SIGNED_OUT),
            (session_of(owner), (*SIGNED_IN, f"/events/ledger/{batch}/withdraw/")),
        ):
            context = open_context(opened, url, width=width, theme=theme, session=session)
            page, witness = context.new_page(), Witness(url)
            witness.listen(page)
            for path in paths:
                page.goto(path)
                settle(page)
                assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
                if found := faults(page, witness) + axe_faults(page):
                    wrong[path] = found
    assert wrong == {}


def test_a_refused_address_and_a_missing_page_are_sound(url: str, owner: Client) -> None:
    with browser() as opened:
        page = open_context(opened, url, width=360, session=session_of(owner)).new_page()
        for path in ("/dashboard/?period=12", "/nothing/"):
            page.goto(path)
            settle(page)
            assert axe_faults(page) == []
            assert page.evaluate("window.__violations") == []
        assert page.get_by_role("heading", name="Not found").is_visible()


def test_names_that_are_code_stay_names(url: str, sender: Sender, owner: Client, now: datetime) -> None:
    from apps.core.tenancy import tenant

    with tenant(sender.provisioned.organization.id):
        sender.provisioned.organization.name = POLYGLOTS[0]
        sender.provisioned.organization.save()
        sender.provisioned.project.name = POLYGLOTS[1]
        sender.provisioned.project.save()
    for number, text in enumerate(POLYGLOTS):
        sender.send(*conversation(now - timedelta(hours=number), text, model=text, intent=text))
        sender.send({"event": text, "timestamp": now.isoformat(), "session_id": text, "feature": text})
        sender.send({"event": "llm_query_sent", "id": text, "timestamp": text, "query_text": text})
        sender.send(
            {
                "event": "llm_response_generated",
                "timestamp": now.isoformat(),
                text: text,
                "input_tokens": text,
            }
        )
    sender.digest()
    paths = (
        *SIGNED_IN,
        "/metrics/sessions/?by=intent",
        "/metrics/sessions/?by=model",
        "/metrics/sessions/?by=project",
    )
    with browser() as opened:
        page = open_context(opened, url, session=session_of(owner)).new_page()
        witness = Witness(url)
        witness.listen(page)
        for path in paths:
            page.goto(path)
            settle(page)
            page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
            assert page.evaluate("window.__xss") is None, path
            assert faults(page, witness) == [], path
        page.goto("/metrics/sessions/?by=model")
        settle(page)
        assert page.locator("[data-legend] button").count() > 1
        assert POLYGLOTS[0] in page.locator("main").inner_text()


def open_page(opened: Any, url: str, client: Client, path: str) -> Page:
    page: Page = open_context(opened, url, session=session_of(client)).new_page()
    page.goto(path)
    settle(page)
    return page


def test_new_events_reach_the_page_by_themselves(
    url: str, busy: Sender, owner: Client, now: datetime
) -> None:
    with browser() as opened:
        page = open_page(opened, url, owner, "/dashboard/")
        sessions = page.locator('[data-metric="sessions"] .tile__value')
        expect(sessions).to_have_text("40")
        busy.send(*conversation(now, "the next one"))
        expect(page.locator("#freshness")).to_contain_text("1 batch pending", timeout=15_000)
        busy.digest()
        expect(sessions).to_have_text("41", timeout=15_000)
        expect(page.locator("#live-region")).to_have_text("All numbers are up to date.")


def go_back(page: Page) -> None:
    """The browser's Back: the address changes first, then the page loads anew."""
    with page.expect_event("load"):
        page.evaluate("setTimeout(() => history.back(), 0)")
    settle(page)


def test_filters_are_in_the_address_and_back_works(url: str, busy: Sender, owner: Client) -> None:
    with browser() as opened:
        page = open_page(opened, url, owner, "/dashboard/")
        page.locator("label", has=page.locator("#period-7")).click()
        expect(page).to_have_url(f"{url}/dashboard/?period=7")
        settle(page)
        expect(page.locator('[data-metric="sessions"] .tile__facts')).to_contain_text("7 days to yesterday")
        page.select_option("#model", "gpt-4o")
        expect(page).to_have_url(f"{url}/dashboard/?period=7&model=gpt-4o")
        go_back(page)
        expect(page).to_have_url(f"{url}/dashboard/?period=7")
        go_back(page)
        expect(page).to_have_url(f"{url}/dashboard/")
        settle(page)
        expect(page.locator("#period-30")).to_be_checked()
        expect(page.locator('[data-metric="sessions"] .tile__facts')).to_contain_text("30 days to yesterday")


def test_a_chart_is_also_a_table_and_follows_the_theme(url: str, busy: Sender, owner: Client) -> None:
    with browser() as opened:
        page = open_page(opened, url, owner, "/metrics/frustration_spike_rate/")
        canvas = page.locator("canvas[data-chart]")
        assert "Frustration spike rate by day" in str(canvas.get_attribute("aria-label"))
        before = canvas.evaluate("canvas => canvas.toDataURL()")
        page.locator("[data-theme-toggle]").click()
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
        assert canvas.evaluate("canvas => canvas.toDataURL()") != before
        page.get_by_role("button", name="View as table").click()
        expect(canvas).to_be_hidden()
        assert page.locator(".chart__table tbody tr").count() == 31
        assert axe_faults(page) == []
        page.reload()
        assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_the_pages_work_by_keyboard(url: str, busy: Sender, owner: Client) -> None:
    with browser() as opened:
        page = open_page(opened, url, owner, "/dashboard/")
        page.keyboard.press("Tab")
        expect(page.locator(".skip-link")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        page.locator("#tile-recovery_rate").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/metrics/recovery_rate/")


def test_signing_out_elsewhere_is_said(url: str, busy: Sender, as_role: Callable[[str], Client]) -> None:
    with browser() as opened:
        client = as_role(Role.PRODUCT)
        page = open_page(opened, url, client, "/events/ledger/")
        client.logout()
        expect(page.locator("#toasts")).to_contain_text("You are signed out", timeout=15_000)
