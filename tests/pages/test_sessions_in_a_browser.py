"""The session pages in a real browser: sound at every width and theme, links that are copied, keys, filters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.test import Client
from playwright.sync_api import expect

from tests.browser import THEMES, WIDTHS, Witness, axe_faults, browser, faults, open_context, serving, settle
from tests.conftest import Sender, query, response
from tests.pages.test_in_a_browser import POLYGLOTS, session_of
from tests.pages.test_sessions import path_of, troubled

pytestmark = pytest.mark.usefixtures("forget_event_loop")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def story(sender: Sender, now: datetime) -> Sender:
    sender.send(*troubled(now))
    sender.send(query(now, "other", query_text="hello"), response(now, "other", response_text="hi"))
    sender.digest()
    return sender


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_session_is_sound(url: str, story: Sender, owner: Client, width: int, theme: str) -> None:
    with browser() as opened:
        page = open_context(opened, url, width=width, theme=theme, session=session_of(owner)).new_page()
        witness = Witness(url)
        witness.listen(page)
        page.goto(path_of(story))
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert faults(page, witness) + axe_faults(page) == []


def test_what_users_wrote_stays_text(url: str, sender: Sender, owner: Client, now: datetime) -> None:
    for text in POLYGLOTS:
        sender.send(
            *(
                {
                    **event,
                    **{name: text for name in ("query_text", "response_text", "tool_name") if name in event},
                }
                for event in troubled(now, text)
            )
        )
    sender.digest()
    with browser() as opened:
        page = open_context(opened, url, session=session_of(owner)).new_page()
        witness = Witness(url)
        witness.listen(page)
        for text in POLYGLOTS:
            page.goto(path_of(sender, text))
            assert page.evaluate("window.__xss") is None
            assert faults(page, witness) == []


def test_a_moment_has_a_link_that_is_copied(url: str, story: Sender, owner: Client) -> None:
    with browser() as opened:
        context = open_context(opened, url, session=session_of(owner))
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(path_of(story, query="with=spiked"))
        page.locator(".step--tool_call .moment").click()
        expect(page.locator("#live-region")).to_have_text("Link copied to the clipboard.")
        link = str(page.evaluate("navigator.clipboard.readText()"))
        assert link.startswith(f"{url}{path_of(story)}#e-")
        page.goto("/sessions/")
        page.goto(link)
        expect(page.locator(".step--tool_call")).to_have_css("outline-style", "solid")


def test_j_and_k_walk_through_the_turns(url: str, sender: Sender, owner: Client, now: datetime) -> None:
    sender.send(*(one for n in range(3) for one in (query(now, "s", id=f"q{n}", conversation_turn=n),)))
    sender.digest()
    with browser() as opened:
        page = open_context(opened, url, session=session_of(owner)).new_page()
        page.goto(path_of(sender, "s"))
        for key, turn in (("j", 1), ("j", 2), ("k", 1)):
            page.keyboard.press(key)
            expect(page.locator(f"#t-{turn}")).to_be_focused()


def test_ticking_a_condition_changes_the_list_and_the_address(url: str, story: Sender, owner: Client) -> None:
    with browser() as opened:
        page = open_context(opened, url, session=session_of(owner)).new_page()
        page.goto("/sessions/")
        settle(page)
        expect(page.locator(".row-link")).to_have_count(2)
        page.locator("label.chip", has_text="Frustration spike").click()
        expect(page).to_have_url(f"{url}/sessions/?with=spiked")
        expect(page.locator(".row-link")).to_have_count(1)
        page.locator(".row-link").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Session of")
        page.get_by_role("link", name="Sessions").last.click()
        expect(page).to_have_url(f"{url}/sessions/?with=spiked")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_review_queue_is_sound_and_works_by_keyboard(
    url: str, story: Sender, owner: Client, width: int
) -> None:
    owner.post("/qa/draw/")
    with browser() as opened:
        page = open_context(opened, url, width=width, session=session_of(owner)).new_page()
        witness = Witness(url)
        witness.listen(page)
        page.goto("/qa/")
        assert faults(page, witness) + axe_faults(page) == []
        page.locator("#accuracy-4").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#accuracy-3")).to_be_checked()
        page.get_by_role("button", name="Save and next").press("Enter")
        expect(page.locator("#page")).to_contain_text("1 of 1 read")
