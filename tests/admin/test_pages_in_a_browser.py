"""Every page of both admin sites in a real browser: content policy, console, accessibility, narrow screens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from allauth.mfa.models import Authenticator
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from apps.accounts.people import verified_user
from tests.admin.conftest import signed_in
from tests.admin.test_operators import LISTS, address
from tests.admin.test_permissions import all_pages, rows_of
from tests.browser import WCAG, Witness, browser, faults, open_context
from tests.conftest import unique


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_request(self, *args: Any) -> None:
        """Requests are no news in a test."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The application behind a real socket, in a thread of this process."""
    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def grave(page: Page) -> list[str]:
    """Serious and critical violations of WCAG 2.2 A and AA."""
    from axe_playwright_python.sync_playwright import Axe

    result = Axe().run(page, options=WCAG).response
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def wrong_with(page: Page, witness: Witness) -> list[str]:
    """Faults of the page as it is now. The checker itself sets inline styles; what it causes is dropped."""
    found = faults(page, witness) + grave(page)
    witness.console.clear()
    return found


def wrong_on(url: str, client: Client, pages: list[str], width: int, theme: str) -> dict[str, list[str]]:
    """What is wrong, by page; refused pages are left out."""
    found: dict[str, list[str]] = {}
    with browser() as opened:
        session = client.cookies["session"].value
        page = open_context(opened, url, width=width, theme=theme, session=session).new_page()
        witness = Witness(url)
        witness.listen(page)
        for path in pages:
            response = page.goto(path, wait_until="load")
            assert response is not None
            if response.status == 200 and "html" in response.headers["content-type"]:
                wrong = wrong_with(page, witness)
                if wrong:
                    found[path] = wrong
            witness.console.clear()
    return found


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_every_page_of_the_admin_is_sound(
    url: str, owner: Client, organization: Any, width: int, theme: str
) -> None:
    # A history is a filtered list of the trail; the script catalogue is no page.
    pages = [
        path for path in all_pages(rows_of(organization)) if not path.endswith(("/history/", "/jsi18n/"))
    ]
    pages += [f"{reverse('admin:accounts_auditentry_changelist')}?action=made.up"]
    assert wrong_on(url, owner, pages, width, theme) == {}


@pytest.mark.parametrize(("width", "theme"), [(1440, "dark"), (360, "light")])
def test_every_page_of_the_operators_site_is_sound(
    url: str, organization: Any, width: int, theme: str
) -> None:
    user = verified_user(f"{unique('staff')}@example.com", "correct horse battery")
    user.is_staff = True
    user.save()
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    pages = ["/operator/", *(address(name) for name in LISTS)]
    assert wrong_on(url, signed_in(user), pages, width, theme) == {}


def test_a_key_is_made_and_a_threshold_deleted_by_clicking(
    url: str, owner: Client, organization: Any
) -> None:
    """The scripts of the stock admin work under the policy: calendar, select all, action."""
    rows_of(organization)
    addresses = [reverse("admin:accounts_apikey_add"), reverse("admin:alerts_threshold_changelist")]
    with browser() as opened:
        page = open_context(opened, url, session=owner.cookies["session"].value).new_page()
        witness = Witness(url)
        witness.listen(page)
        page.goto(addresses[0])
        page.select_option("#id_project", label="Assistant")
        page.fill("#id_name", "By hand")
        page.check("input[name=scopes][value=read]")
        page.click("#calendarlink0")
        page.click("#calendarbox0 .calendar-shortcuts a:has-text('Tomorrow')")
        page.fill("#id_expires_at_1", "12:00:00")
        page.click("input[name=_save]")
        assert page.inner_text("#new-key").startswith("lmk_live_")
        assert wrong_with(page, witness) == []
        page.goto(addresses[1])
        page.check("#action-toggle")
        page.select_option("select[name=action]", "delete_selected")
        page.click("button[name=index]")
        assert wrong_with(page, witness) == []
        page.click("input[type=submit]")
        assert "Successfully deleted 1 threshold" in page.inner_text(".messagelist")
        assert wrong_with(page, witness) == []
