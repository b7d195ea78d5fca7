"""Calibration through its pages: drawing, labelling, figures, putting it in force, and history that follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry, Organization, PrivacyMode, Project, Role
from apps.conversations import rebuild as rebuilding
from apps.conversations.calibration import model_in_force
from apps.conversations.models import Calibration, SampledTurn, Session, TurnLabel
from apps.conversations.rebuild import rebuild, rebuild_if_requested
from apps.conversations.recomputing import recompute_all
from apps.conversations.sample import draw
from apps.core.tenancy import tenant
from apps.dashboards.corrected import correct
from apps.reading.estimates import Estimate
from apps.reading.frustration import FRUSTRATION_VERSION, default_model
from tests.conftest import Sender, query, response
from tests.pages.conftest import conversation

CALM = "Which sizes do you have of the blue jacket?"
# Alike to the detector, which flags both; people only call the first frustrated.
ANGRY = "This is useless, it still does not work and I am really annoyed!"
GRUMBLING = "The film was terrible and a waste of time, really bad and boring, I hated it!"


def talk(
    now: datetime, name: str, *texts: str, environment: str = "production", **fields: Any
) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(texts):
        at = now + timedelta(minutes=number)
        yield query(at, name, query_text=text, environment=environment, **fields)
        answer = f"Answer {number} to {name}"
        yield response(at + timedelta(seconds=4), name, response_text=answer, environment=environment)


def flagged(sender: Sender) -> int:
    with tenant(sender.provisioned.organization.id):
        return sum(Session.objects.values_list("frustrated_turns", flat=True))


@pytest.fixture
def chatty(sender: Sender, now: datetime) -> Sender:
    """Sixty sessions of two messages; of twelve each the second is angry, or grumbles about a film."""
    for number in range(60):
        last = ANGRY if number % 5 == 0 else GRUMBLING if number % 5 == 1 else f"{CALM} Number {number}"
        sender.send(*talk(now - timedelta(hours=number), f"s{number}", CALM, last))
    sender.digest()
    return sender


def place_in(text: str) -> str:
    """The address that the shown turn's label is sent to; empty where everything is labelled."""
    found = re.search(r'form method="post" action="(/calibration/\d+/\d+/)"', text)
    return found[1] if found else ""


def place_of(client: Client) -> str:
    return place_in(client.get("/calibration/").content.decode())


def label_all(client: Client, most: int = 200) -> int:
    """Label what is shown as people would: only the angry one is frustrated."""
    text, done = client.get("/calibration/").content.decode(), 0
    while done < most and (address := place_in(text)):
        said = re.search(r'labelling__said.*?dir="auto">(.*?)</div>', text, re.S)
        assert said
        answer = "yes" if "useless" in said[1] else "no"
        text = client.post(address, {"answer": answer}, follow=True).content.decode()
        done += 1
    return done


def test_a_sample_is_drawn_over_all_scores_and_labelled_in_order(chatty: Sender, owner: Client) -> None:
    assert "No sample yet" in owner.get("/calibration/").content.decode()
    owner.post("/calibration/draw/")
    with tenant(chatty.provisioned.organization.id):
        strata = dict(SampledTurn.objects.values_list("stratum", "stratum_turns"))
        assert SampledTurn.objects.count() == 120
    assert sum(strata.values()) == 120
    first = place_of(owner)
    assert first == "/calibration/1/1/"
    owner.post(first, {"answer": "no"})
    assert place_of(owner) == "/calibration/1/2/"
    owner.post(place_of(owner), {"answer": "skip"})
    text = owner.get("/calibration/").content.decode()
    assert "You have labelled 1 of 120, skipped 1" in text
    owner.post("/calibration/undo/")
    assert place_of(owner) == "/calibration/1/2/"
    assert owner.post("/calibration/1/2/", {"answer": "maybe"}).status_code == 404
    assert owner.post("/calibration/1/999/", {"answer": "yes"}).status_code == 404


def test_only_turns_that_detection_decides_are_drawn(sender: Sender, owner: Client, now: datetime) -> None:
    sender.send(
        *talk(now, "flagged", CALM, frustrated=True),
        *talk(now, "tested", CALM, environment="test"),
        *talk(now, "read", ANGRY),
        query(now, "textless"),
        *conversation(now, "rated"),
    )
    sender.digest()
    owner.post("/calibration/draw/")
    with tenant(sender.provisioned.organization.id):
        assert [row.session_id for row in SampledTurn.objects.all()] == ["read"]


def test_what_was_said_before_is_shown_and_a_project_without_text_is_named(
    chatty: Sender, owner: Client
) -> None:
    owner.post("/calibration/draw/")
    while "Answer 0 to" not in (text := owner.get("/calibration/").content.decode()):
        owner.post(place_of(owner), {"answer": "skip"})
    assert text.index(CALM) < text.index("Answer 0 to") < text.index("labelling__said")
    with tenant(chatty.provisioned.organization.id):
        Project.objects.update(privacy_mode=PrivacyMode.DROP, name="Silent one")
    assert "Silent one" in owner.get("/calibration/").content.decode()
    owner.post("/calibration/draw/", follow=True)
    with tenant(chatty.provisioned.organization.id):
        assert set(SampledTurn.objects.values_list("draw", flat=True)) == {1}


def test_labels_are_measured_a_refit_put_in_force_and_history_follows(chatty: Sender, owner: Client) -> None:
    organization_id = chatty.provisioned.organization.id
    assert flagged(chatty) == 24
    owner.post("/calibration/draw/")
    assert "A calibration needs 50 labelled turns" in owner.get("/calibration/report/").content.decode()
    assert label_all(owner) == 120
    text = owner.get("/calibration/report/").content.decode()
    assert "120 turns that your people labelled" in text
    assert "2.00 (" in text
    assert "no longer flag 12 (12 of them not frustrated to people)" in text
    owner.post("/calibration/use/", {"choice": "fit"})
    with tenant(organization_id):
        row = Calibration.objects.get(is_active=True)
        assert row.turns == 120
        assert row.figures["bias"][0] == pytest.approx(1.0, abs=0.3)
        assert model_in_force().threshold == row.threshold
        entry = AuditEntry.objects.get(action="calibration.activated")
        assert (entry.before["threshold"], entry.after["threshold"]) == (None, row.threshold)
        assert Organization.objects.get().recompute_requested_at is not None
    metric = "/metrics/frustrated_turn_rate/"
    assert "corrected by your labels" not in owner.get(metric).content.decode()
    assert rebuild_if_requested(organization_id) is False
    assert "corrected by your labels" in owner.get(metric).content.decode()
    assert flagged(chatty) == 12
    # What arrives from now on is judged alike, and the page of a session agrees with its numbers.
    now = chatty.now
    chatty.send(*talk(now, "later", CALM, GRUMBLING), *talk(now, "later-angry", CALM, ANGRY))
    chatty.digest()
    assert flagged(chatty) == 13
    path = f"/sessions/{chatty.provisioned.project.public_id}/"
    assert "detected in its words" not in owner.get(f"{path}later/").content.decode()
    assert "detected in its words" in owner.get(f"{path}later-angry/").content.decode()
    owner.post("/calibration/use/", {"choice": "default"})
    rebuild_if_requested(organization_id)
    assert flagged(chatty) == 26
    with tenant(organization_id):
        assert [one.is_active for one in Calibration.objects.order_by("id")] == [False, True]
        assert model_in_force() == default_model()
    history = owner.get("/calibration/report/").content.decode()
    assert history.index("the default") < history.index("offset")


def test_the_default_is_corrected_by_its_measured_bias(chatty: Sender, owner: Client) -> None:
    chatty.send(*talk(chatty.now, "sent", CALM, CALM, frustrated=True))
    chatty.digest()
    owner.post("/calibration/draw/")
    label_all(owner)
    owner.post("/calibration/use/", {"choice": "default"})
    rebuild_if_requested(chatty.provisioned.organization.id)
    assert flagged(chatty) == 26
    for key in ("frustrated_turn_rate", "frustration_spike_rate"):
        text = owner.get(f"/metrics/{key}/").content.decode()
        # 24 detected ÷ 2 and the 2 that were sent, of 122 turns.
        assert "<dd>21.3 %</dd>" in text
        assert "<dd>11.5 %" in text
        assert "its bias of 2.00 as measured on 120 turns" in text
    assert "corrected by your labels" not in owner.get("/metrics/sessions/").content.decode()


def test_only_what_was_detected_is_corrected() -> None:
    rate = correct(10, 40, 200, Estimate(2.0, 1.6, 2.5))
    assert rate == pytest.approx((30 / 200, 26 / 200, 35 / 200))
    assert correct(10, 40, 0, Estimate(2.0, 1.6, 2.5)).value is None
    assert correct(10, 40, 200, Estimate(None)).value is None
    assert correct(10, 40, 200, Estimate(0.5, 0.0, 1.0)).high == 1.0


def test_a_calibration_of_one_organisation_judges_no_other(
    chatty: Sender, owner: Client, make_organization: Callable[..., Any]
) -> None:
    owner.post("/calibration/draw/")
    label_all(owner)
    owner.post("/calibration/use/", {"choice": "fit"})
    other = Sender(make_organization(), chatty.now)
    other.send(*talk(chatty.now, "theirs", CALM, GRUMBLING))
    other.digest()
    assert flagged(other) == 1


def test_two_people_label_the_same_turns_and_their_agreement_is_shown(
    chatty: Sender, as_role: Callable[[str], Client]
) -> None:
    ann, ben = as_role(Role.PRODUCT), as_role(Role.ENGINEERING)
    ann.post("/calibration/draw/")
    for client, answers in ((ann, "yes no no no"), (ben, "yes yes no skip")):
        for place, answer in enumerate(answers.split(), 1):
            assert place_of(client) == f"/calibration/1/{place}/"
            client.post(place_of(client), {"answer": answer})
    text = ann.get("/calibration/report/").content.decode()
    assert "2 of 3 turns that two people labelled got the same label" in text
    assert "0.40" in text
    assert "An owner or admin can put a calibration in force" in text
    assert ann.post("/calibration/use/", {"choice": "default"}).status_code == 404


def test_a_new_version_of_the_detector_sets_a_calibration_aside_and_says_so(
    chatty: Sender, owner: Client
) -> None:
    organization_id = chatty.provisioned.organization.id
    owner.post("/calibration/draw/")
    label_all(owner)
    owner.post("/calibration/use/", {"choice": "fit"})
    assert rebuild_if_requested(organization_id) is False
    pages = ("/calibration/", "/calibration/report/")
    assert not [path for path in pages if "earlier version" in owner.get(path).content.decode()]
    with tenant(organization_id):
        signals = dict(SampledTurn.objects.values_list("event_key", "found"))
        Calibration.objects.update(version=1)
        SampledTurn.objects.update(version=1, found={"length": [0.5, "5 words"]})
        assert model_in_force() == default_model()
    for path in pages:
        text = owner.get(path).content.decode()
        assert "made for an earlier version of the detector and no longer applies" in text
        assert "in force</span>" not in text
    assert "corrected by your labels" not in owner.get("/metrics/frustrated_turn_rate/").content.decode()
    owner.post("/calibration/use/", {"choice": "fit"})
    with tenant(organization_id):
        assert dict(SampledTurn.objects.values_list("event_key", "found")) == signals
        row = Calibration.objects.get(is_active=True)
        assert (row.version, row.turns) == (FRUSTRATION_VERSION, 120)
        assert model_in_force().threshold == row.threshold
    assert not [path for path in pages if "earlier version" in owner.get(path).content.decode()]


def test_a_rebuild_finds_the_signals_of_the_sample_anew(chatty: Sender, owner: Client) -> None:
    owner.post("/calibration/draw/")
    with tenant(chatty.provisioned.organization.id):
        signals = dict(SampledTurn.objects.values_list("event_key", "found"))
        SampledTurn.objects.update(version=1, found={})
        rebuild()
        assert dict(SampledTurn.objects.values_list("event_key", "found")) == signals
        assert not SampledTurn.objects.exclude(version=FRUSTRATION_VERSION).exists()


def test_every_version_of_the_detector_after_the_first_has_history_judged_anew() -> None:
    names = [path.stem for path in (Path(rebuilding.__file__).parent / "migrations").glob("0*.py")]
    for version in range(2, FRUSTRATION_VERSION + 1):
        (name,) = [name for name in names if name.endswith(f"_detector_{version}")]
        migration = import_module(f"apps.conversations.migrations.{name}").Migration
        assert recompute_all().sql in [getattr(one, "sql", None) for one in migration.operations]
    assert default_model().version == FRUSTRATION_VERSION


def test_too_few_labels_put_nothing_in_force(chatty: Sender, owner: Client) -> None:
    owner.post("/calibration/draw/")
    label_all(owner, most=3)
    answer = owner.post("/calibration/use/", {"choice": "fit"}, follow=True).content.decode()
    assert "A calibration needs 50 labelled turns; there are 3." in answer
    assert "Choose one." in owner.post("/calibration/use/", {"choice": "x"}, follow=True).content.decode()
    with tenant(chatty.provisioned.organization.id):
        assert not Calibration.objects.exists()


@pytest.mark.parametrize("role", [Role.FINANCE, Role.EXECUTIVE])
def test_roles_without_text_rights_have_no_calibration(
    chatty: Sender, as_role: Callable[[str], Client], role: str
) -> None:
    with tenant(chatty.provisioned.organization.id):
        draw(chatty.now + timedelta(hours=3))
    client = as_role(role)
    assert client.get("/calibration/").status_code == 404
    assert client.get("/calibration/report/").status_code == 404
    for path in ("draw", "undo", "use", "1/1"):
        assert client.post(f"/calibration/{path}/", {"answer": "yes", "choice": "default"}).status_code == 404
    assert "/calibration/" not in client.get("/dashboard/").content.decode()
    with tenant(chatty.provisioned.organization.id):
        assert not TurnLabel.objects.exists()
