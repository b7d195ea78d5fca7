"""The review queue: what is drawn, who reads what, scores that become evaluations, progress and agreement."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.core.tenancy import tenant
from apps.dashboards.models import QaItem, Reason
from apps.dashboards.qa import kappa
from tests.conftest import Sender, query, response
from tests.pages.conftest import conversation
from tests.pages.test_sessions import troubled

ANSWERS = {"accuracy": "1", "faithfulness": "0.5", "completeness": "", "comment": "well read"}


def form_of(client: Client) -> str:
    """The address that the page's rubric is sent to; empty where nothing is left to read."""
    found = re.search(r'rubric" method="post" action="([^"]+)"', client.get("/qa/").content.decode())
    return found[1] if found else ""


def reasons(sender: Sender) -> dict[str, int]:
    with tenant(sender.provisioned.organization.id):
        return {reason: QaItem.objects.filter(reason=reason).count() for reason in Reason.values}


def evaluations(sender: Sender, session_id: str) -> list[Any]:
    key = sender.provisioned.keys["admin_key"]
    answer = Client(headers={"Authorization": f"Bearer {key}"}).get(f"/api/v1/sessions/{session_id}").json()
    return [one for one in answer["timeline"] if one["event"] == "evaluation" and one["source"] == "human"]


def test_draws_findings_and_a_sample_each_session_once(sender: Sender, owner: Client, now: datetime) -> None:
    for number in range(30):
        sender.send(*conversation(now - timedelta(hours=number), f"s{number}", is_frustrated=number < 3))
    sender.send(*troubled(now - timedelta(days=2)))
    sender.send(query(now, "tested", environment="test"), response(now, "tested", environment="test"))
    sender.digest()
    assert owner.post("/qa/draw/").status_code == 302
    assert reasons(sender) == {"low_grounding": 1, "frustrated": 3, "random": 10}
    owner.post("/qa/draw/")
    assert reasons(sender) == {"low_grounding": 1, "frustrated": 3, "random": 20}


def test_a_review_becomes_evaluations_of_the_session(sender: Sender, owner: Client, now: datetime) -> None:
    sender.send(*troubled(now))
    sender.digest()
    owner.post("/qa/draw/")
    text = owner.get("/qa/").content.decode()
    assert "my parcel never came" in text
    assert "Low grounding" in text
    address = form_of(owner)
    owner.post(address, ANSWERS)
    owner.post(address, {**ANSWERS, "accuracy": "0"})
    sender.digest()
    found = evaluations(sender, "troubled")
    assert {one["name"]: one["value"] for one in found} == {"accuracy": 1, "faithfulness": 0.5}
    assert {one["response_id"] for one in found} == {"troubled answer"}
    assert [one["comment"] for one in found if "comment" in one] == ["well read"]
    assert "1 of 1 read" in owner.get("/qa/").content.decode()
    assert form_of(owner) == ""


def test_a_derived_session_can_be_reviewed(sender: Sender, owner: Client, now: datetime) -> None:
    sender.send(
        {"event": "llm_query_sent", "timestamp": now.isoformat(), "user_id": "kim", "frustrated": True},
        {
            "event": "llm_response_generated",
            "timestamp": (now + timedelta(seconds=1)).isoformat(),
            "user_id": "kim",
        },
    )
    sender.digest()
    owner.post("/qa/draw/")
    address = form_of(owner)
    assert owner.post(address, ANSWERS).status_code == 302
    sender.digest()
    name = address.split("/")[-2]
    assert len(evaluations(sender, name)) == 2
    key = sender.provisioned.keys["read_key"]
    listed = Client(headers={"Authorization": f"Bearer {key}"}).get("/api/v1/sessions").json()["sessions"]
    assert [(one["session_id"], one["user_id"], one["turns"]) for one in listed] == [(name, "kim", 1)]


def test_a_second_reader_makes_agreement_and_a_third_is_not_asked(
    sender: Sender, as_role: Callable[[str], Client], now: datetime
) -> None:
    sender.send(*troubled(now))
    sender.digest()
    readers = [as_role(Role.PRODUCT) for _ in range(3)]
    readers[0].post("/qa/draw/")
    readers[0].post(form_of(readers[0]), {"accuracy": "1", "faithfulness": "1"})
    readers[1].post(form_of(readers[1]), {"accuracy": "1", "faithfulness": "0"})
    assert "1 of 2 answers were the same" in readers[0].get("/qa/").content.decode()
    assert form_of(readers[2]) == ""


def test_kappa_is_agreement_beyond_chance() -> None:
    assert kappa([]) is None
    assert kappa([(1, 1), (1, 1)]) is None
    assert kappa([(1, 1), (0, 0)]) == 1
    # Cohen's own layout: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no give 0.4.
    table = [(1.0, 1.0)] * 20 + [(1.0, 0.0)] * 5 + [(0.0, 1.0)] * 10 + [(0.0, 0.0)] * 15
    assert kappa(table) == pytest.approx(0.4)


def test_a_session_can_be_skipped_and_an_empty_review_is_not_kept(
    sender: Sender, owner: Client, now: datetime
) -> None:
    sender.send(*conversation(now, "one"), *conversation(now, "two"))
    sender.digest()
    owner.post("/qa/draw/")
    first = form_of(owner)
    skipped = owner.get("/qa/?skip=1").content.decode()
    assert first not in skipped
    assert "You have skipped" in owner.get("/qa/?skip=2").content.decode()
    answer = owner.post(first, {"accuracy": ""}, follow=True).content.decode()
    assert "Answer at least one question" in answer
    assert form_of(owner) == first


@pytest.mark.parametrize("role", [Role.FINANCE, Role.EXECUTIVE])
def test_roles_without_text_rights_have_no_queue(
    sender: Sender, as_role: Callable[[str], Client], role: str, now: datetime
) -> None:
    client = as_role(role)
    assert client.get("/qa/").status_code == 404
    assert client.post("/qa/draw/").status_code == 404
    assert "/qa/" not in client.get("/sessions/").content.decode()


def test_the_queue_of_another_organisation_is_not_found(
    sender: Sender, owner: Client, make_organization: Callable[..., Any], now: datetime
) -> None:
    other = Sender(make_organization(), now)
    other.send(*troubled(now))
    other.digest()
    with tenant(other.provisioned.organization.id):
        from apps.dashboards.qa import draw

        draw(now + timedelta(hours=3))
    path = f"/qa/{other.provisioned.project.public_id}/troubled/"
    assert owner.post(path, ANSWERS).status_code == 404
