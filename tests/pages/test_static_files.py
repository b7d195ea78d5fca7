"""What is served with every page: checked origin, small, and nothing inline."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
BUDGET_BYTES = 160_000


def documented() -> dict[str, str]:
    rows = re.findall(
        r"^\| (\S+\.(?:js|css)) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.M
    )
    return dict(rows)


def test_vendored_files_are_those_of_the_list() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name != "README.md"
    }
    assert found == documented()


def test_no_vendored_file_names_a_source_map() -> None:
    assert [path.name for path in VENDOR.iterdir() if b"sourceMappingURL=" in path.read_bytes()] == []


def test_all_scripts_and_styles_of_a_page_stay_within_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        path for path in STATIC.rglob("*") if path.suffix in (".js", ".css") and path.name != "admin.css"
    ]
    sizes = {path.relative_to(STATIC).as_posix(): len(gzip.compress(path.read_bytes(), 9)) for path in files}
    with capsys.disabled():
        print(f"\n  scripts and styles, gzipped: {sum(sizes.values()):,} of {BUDGET_BYTES:,} bytes")
    assert sum(sizes.values()) <= BUDGET_BYTES, sizes


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_templates_hold_nothing_inline_and_escape_everything(path: Path) -> None:
    if "mail" in path.parts:
        pytest.skip("a mail has no policy and must carry its own styles")
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "a script without src"
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", text), "an inline style or handler"
    assert "|safe" not in text
    assert "autoescape off" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_clicked_with_htmx_also_has_an_address(path: Path) -> None:
    for tag in re.findall(r"<a\b[^>]*hx-get[^>]*>", path.read_text()):
        assert "href=" in tag
    for tag in re.findall(r"<form\b[^>]*hx-get[^>]*>", path.read_text()):
        assert "action=" in tag
