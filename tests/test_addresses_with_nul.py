"""A NUL in an address is refused with a sentence and reaches no query."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

API = (
    "metrics/sessions?filter.channel=a%00b",
    "metrics/dau?filter.model=%00&group_by=model",
    "metrics/sessions/explain?side=numerator&cursor=2026-11-01T00:00:00%2B00:00|a%00b",
    "sessions?user_id=a%00b",
    "sessions/a%00b",
    "rejected-events?code=%00",
)


@pytest.mark.parametrize("path", API)
def test_the_api_answers_with_a_problem(organization: Any, path: str) -> None:
    key = organization.keys["admin_key"]
    answer = Client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "nul_in_address"


@pytest.mark.parametrize("path", ["/metrics/a%00b/", "/sessions/?user=%00", "/accounts/login/?next=%00"])
def test_pages_answer_with_the_page_of_bad_requests(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 400
    assert "must not contain NUL" in answer.content.decode()


def test_a_percent_sign_before_two_zeros_is_no_nul(organization: Any) -> None:
    key = organization.keys["read_key"]
    answer = Client().get(
        "/api/v1/metrics/sessions?filter.channel=10%2500", headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 200
