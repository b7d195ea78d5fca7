"""The demo's traffic, generated once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.dashboards.demo.traffic import generate

NOW = datetime(2026, 11, 20, 16, 40, tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture(scope="session")
def traffic() -> list[dict[str, Any]]:
    return generate(NOW)
