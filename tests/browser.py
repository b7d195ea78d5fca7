"""A real browser for tests and pictures, and what every page must keep: policy, quiet console, own origin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (360, 768, 1440)
THEMES = ("light", "dark")
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# Records what the policy blocks before any script of the page runs.
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.__violations.push(event.effectiveDirective + " " + event.blockedURI + " " + event.sourceFile));
"""


@dataclass
class Witness:
    """What a page did that it should not have."""

    origin: str
    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", lambda message: self._note_console(message.type, message.text))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self._note_request(request.url))

    def _note_console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.console.append(f"{kind}: {text}")

    def _note_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.foreign.append(url)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def open_context(
    opened: Browser, url: str, *, width: int = 1440, theme: str = "light", session: str = ""
) -> BrowserContext:
    """A fresh profile of a width and theme, signed in where a session is given."""
    context = opened.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        base_url=url,  # type: ignore[arg-type]
    )
    context.add_init_script(WATCH)
    if session:
        context.add_cookies([{"name": "session", "value": session, "url": url}])
    return context


def settle(page: Page) -> None:
    """Wait until every panel has come and its charts are drawn."""
    page.wait_for_load_state("load")
    expect(page.locator(".skeleton, .panel.htmx-request")).to_have_count(0, timeout=15_000)


def faults(page: Page, witness: Witness) -> list[str]:
    """Everything wrong with the page as it is now; empty is what a page must be."""
    found = [f"console: {line}" for line in witness.console]
    found += [f"foreign: {url}" for url in witness.foreign]
    found += [f"policy: {line}" for line in page.evaluate("window.__violations")]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("the page scrolls sideways")
    return found


def axe_faults(page: Page) -> list[str]:
    """Violations of WCAG 2.2 A and AA."""
    from axe_playwright_python.sync_playwright import Axe

    result: dict[str, Any] = Axe().run(page, options=WCAG).response
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in result["violations"]
        for node in one["nodes"]
    ]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the base class's)
        """Requests are no news in a test."""


@contextmanager
def serving() -> Iterator[str]:
    """The application behind a real socket, in a thread of this process; gives its address."""
    server = _Server(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
