"""Sign-up in a real browser, with the code that comes by mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as project
from django.core import mail
from playwright.sync_api import Page, expect

from tests.browser import Witness, axe_faults, browser, faults, open_context, serving
from tests.conftest import unique, wait_for

CODE = re.compile(r"\b[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}\b")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    assert project.ACCOUNT_EMAIL_VERIFICATION == "mandatory"
    with browser() as opened:
        context = open_context(opened, address)
        yield context.new_page()
        context.close()


def sign_up(page: Page, email: str) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url("**/confirm-email/")


def codes(email: str) -> list[str]:
    """The codes that were mailed to an address, oldest first."""
    bodies = [str(message.body) for message in list(mail.outbox) if message.to == [email]]
    return [found.group() for body in bodies if (found := CODE.search(body))]


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Confirm").click()


def test_the_code_from_the_mail_leads_to_the_key(page: Page, address: str) -> None:
    email, witness = f"{unique('ann')}@example.com", Witness(address)
    witness.listen(page)
    sign_up(page, email)
    assert axe_faults(page) + faults(page, witness) == []
    (code,) = codes(email)
    enter(page, "WRONG1" if code != "WRONG1" else "WRONG2")
    expect(page.get_by_role("alert").first).to_contain_text("Incorrect code")
    enter(page, code)
    page.wait_for_url("**/start/")
    expect(page.locator("#first-key")).to_contain_text("lmk_live_")
    page.reload()
    expect(page.locator("#first-key")).to_have_count(0)


def test_three_wrong_codes_end_the_attempt(page: Page) -> None:
    email = f"{unique('bob')}@example.com"
    sign_up(page, email)
    for _ in range(3):
        enter(page, "WRONG1")
        page.wait_for_load_state()
    expect(page).not_to_have_url(re.compile("confirm-email"))
    page.goto("/start/")
    expect(page).to_have_url(re.compile("/accounts/login/"))


def test_a_new_code_can_be_asked_for_but_not_at_once(page: Page, settings: Any) -> None:
    email = f"{unique('eve')}@example.com"
    sign_up(page, email)
    page.get_by_role("button", name="Request new code").click()
    expect(page.get_by_role("heading")).to_contain_text("Too many")
    assert len(codes(email)) == 1, "within ten seconds there is no second mail"
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "confirm_email": False}
    page.goto("/accounts/confirm-email/")
    page.get_by_role("button", name="Request new code").click()
    assert wait_for(lambda: len(codes(email)) == 2, 10)
    page.wait_for_load_state()
    enter(page, codes(email)[-1])
    page.wait_for_url("**/start/")
