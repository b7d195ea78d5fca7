"""Labelling for calibration in a real browser, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from apps.conversations.models import SampledTurn, TurnLabel
from apps.core.tenancy import tenant
from tests.browser import Witness, axe_faults, browser, faults, open_context, serving
from tests.conftest import Sender
from tests.pages.test_calibration import ANGRY, CALM, talk
from tests.pages.test_in_a_browser import session_of

pytestmark = pytest.mark.usefixtures("forget_event_loop")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def drawn(sender: Sender, owner: Client, now: datetime) -> Sender:
    """A sample of three turns."""
    for number, text in enumerate((CALM, ANGRY, f"{CALM} Please.")):
        sender.send(*talk(now - timedelta(hours=number), f"s{number}", text))
    sender.digest()
    owner.post("/calibration/draw/")
    return sender


def labels_of(sender: Sender) -> list[bool | None]:
    """What was said of the turns, in the order of the sample; a skipped one is None."""
    with tenant(sender.provisioned.organization.id):
        said = dict(TurnLabel.objects.values_list("event_key", "is_frustrated"))
        places = SampledTurn.objects.order_by("place").values_list("event_key", flat=True)
        return [said[key] for key in places if key in said]


def press(page: Page, key: str, progress: str, place: int) -> None:
    """Press a key; then the progress is told, and the message of this place is shown and has the focus."""
    page.keyboard.press(key)
    expect(page.locator(".labelling__progress")).to_contain_text(progress)
    shown = page.locator(".labelling__said")
    expect(shown).to_contain_text(f"message {place} of the sample")
    expect(shown).to_be_focused()


def focused_button(page: Page) -> str:
    return str(page.evaluate("document.activeElement.value"))


def test_turns_are_labelled_and_taken_back_by_keyboard_alone(url: str, drawn: Sender, owner: Client) -> None:
    with browser() as opened:
        page = open_context(opened, url, session=session_of(owner)).new_page()
        witness = Witness(url)
        witness.listen(page)
        page.goto("/calibration/")
        expect(page.locator(".labelling__progress")).to_contain_text("You have labelled 0 of 3;")
        page.keyboard.press("u")  # There is nothing to take back yet.
        press(page, "y", "You have labelled 1 of 3;", 2)
        press(page, "n", "You have labelled 2 of 3;", 3)
        page.keyboard.press("s")
        expect(page.locator(".labelling__progress")).to_contain_text("You have labelled 2 of 3, skipped 1;")
        expect(page.get_by_role("heading", name="Everything is labelled")).to_be_visible()
        expect(page.locator(".empty a")).to_be_focused()
        assert labels_of(drawn) == [True, False, None]
        assert axe_faults(page) == []
        press(page, "u", "You have labelled 2 of 3;", 3)
        press(page, "u", "You have labelled 1 of 3;", 2)
        assert labels_of(drawn) == [True]
        # The answers come next by Tab, and Enter presses the one that has the focus.
        page.keyboard.press("Tab")
        assert focused_button(page) == "yes"
        page.keyboard.press("Tab")
        assert focused_button(page) == "no"
        press(page, "Enter", "You have labelled 2 of 3;", 3)
        assert labels_of(drawn) == [True, False]
        assert faults(page, witness) + axe_faults(page) == []


def test_keys_with_a_modifier_are_the_browsers_own(url: str, drawn: Sender, owner: Client) -> None:
    with browser() as opened:
        page = open_context(opened, url, session=session_of(owner)).new_page()
        page.goto("/calibration/")
        for key in ("Alt+y", "Shift+y", "x", "y"):
            page.keyboard.press(key)
        expect(page.locator(".labelling__progress")).to_contain_text("You have labelled 1 of 3;")
        assert labels_of(drawn) == [True]
