"""Pictures of all pages of a running stack, at three widths, light and dark.

    python benchmarks/screenshots.py --data-dir .data [--only dashboard] [--axe]

Signs in with the login that `make up` wrote to up.json. Prints what is wrong with a page beside its name.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.browser import THEMES, WIDTHS, Witness, axe_faults, browser, faults, open_context, settle

PAGES = {
    "landing": "/",
    "login": "/accounts/login/",
    "signup": "/accounts/signup/",
    "dashboard": "/dashboard/",
    "dashboard-filtered": "/dashboard/?period=7&model=gpt-4o",
    "dashboard-custom": "/dashboard/?period=custom",
    "dashboard-refused": "/dashboard/?period=12",
    "metrics": "/metrics/",
    "metric": "/metrics/frustration_spike_rate/",
    "metric-by": "/metrics/cost_total/?by=model",
    "metric-no-data": "/metrics/sentiment_score/",
    "sessions": "/sessions/",
    "sessions-filtered": "/sessions/?with=spiked&order=cost&channel=web",
    "sessions-none": "/sessions/?from=2020-01-01&to=2020-01-02",
    "session": "/sessions/?with=spiked&with=human_handoff&order=turns",
    "review-queue": "/qa/",
    "calibration": "/calibration/",
    "calibration-report": "/calibration/report/",
    "ledger": "/events/ledger/",
    "rejected": "/events/rejected/",
    "start": "/start/",
    "settings": "/settings/",
    "members": "/settings/members/",
    "projects": "/settings/projects/",
    "keys": "/settings/keys/",
    "repricing": "/settings/repricing/",
    "audit": "/settings/audit/",
    "switch": "/switch/",
    "password": "/accounts/password/change/",
    "two-factor": "/accounts/2fa/",
    "admin": "/admin/",
    "thresholds": "/admin/alerts/threshold/",
    "missing": "/nothing/",
}
# Pages without a fixed address: the first link of this kind on the page named above is followed.
FOLLOWED = {"session": ".row-link"}
SIGNED_OUT = frozenset({"landing", "login", "signup"})


def main() -> int:
    options = _options()
    facts = json.loads((options.data_dir / "up.json").read_text())
    url = (options.url or facts["url"]).rstrip("/")
    out: Path = options.out or options.data_dir / "pictures"
    out.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with browser() as opened:
        session = _sign_in(opened, url, facts)
        for width in options.widths:
            for theme in THEMES:
                for name, path in PAGES.items():
                    if options.only and name not in options.only:
                        continue
                    context = open_context(
                        opened, url, width=width, theme=theme, session="" if name in SIGNED_OUT else session
                    )
                    page, witness = context.new_page(), Witness(url)
                    witness.listen(page)
                    answer = page.goto(path)
                    settle(page)
                    if name in FOLLOWED:
                        answer = page.goto(str(page.locator(FOLLOWED[name]).first.get_attribute("href")))
                    page.screenshot(path=out / f"{name}-{width}-{theme}.png", full_page=True)
                    found = faults(page, witness) + (axe_faults(page) if options.axe else [])
                    expected = [
                        one for one in found if answer is None or answer.ok or "Failed to load" not in one
                    ]
                    wrong += len(expected)
                    status = answer.status if answer else "-"
                    print(
                        f"{name:20} {width:5} {theme:5} {status}  {'; '.join(expected) or 'fine'}", flush=True
                    )
                    context.close()
    print(f"{wrong} faults")
    return 1 if wrong else 0


def _sign_in(opened: object, url: str, facts: dict[str, str]) -> str:
    context = open_context(opened, url)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", facts["login"])
    page.fill("input[name=password]", facts["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/dashboard/")
    session = next(one["value"] for one in context.cookies() if one["name"] == "session")
    context.close()
    return session


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=Path(".data"))
    parser.add_argument("--url", help="default: the one in up.json")
    parser.add_argument("--out", type=Path, help="default: the folder pictures beside up.json")
    parser.add_argument("--only", nargs="*", choices=list(PAGES))
    parser.add_argument("--widths", nargs="*", type=int, default=list(WIDTHS))
    parser.add_argument("--axe", action="store_true", help="also check WCAG 2.2 AA")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
