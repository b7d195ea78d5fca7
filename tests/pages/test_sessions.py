"""The list of sessions and one session's page: filters, paging, text rights, reasons, a fixed number of queries."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import PrivacyMode, Role
from apps.core.tenancy import tenant
from apps.dashboards.sessions_address import session_id_of, session_path, token_of
from tests.conftest import Sender, query, response
from tests.pages.conftest import conversation

ODD_IDS = ("a/b", "..", ".", "a?b#c", "a b", "é\u202e", "~abc", "x%2Fy", '"><img>', "//", "-", "a" * 190)
WORDS = "my parcel never came"


def troubled(start: datetime, name: str = "troubled") -> list[dict[str, Any]]:
    """A frustrated message, a tool that failed, a handoff with its reason, low grounding, an answer rated well."""
    at = [start + timedelta(seconds=second) for second in range(0, 60, 3)]
    return [
        query(at[0], name, id=f"{name} asked", user_id="kim", query_text=WORDS, frustrated=True, language="en"),
        {
            "event": "tool_call", "timestamp": at[1].isoformat(), "session_id": name, "id": f"{name} tool",
            "tool_name": "get_order", "duration_ms": 1500, "status": "error", "error_type": "boom",
        },
        {
            "event": "retrieval", "timestamp": at[2].isoformat(), "session_id": name, "duration_ms": 200,
            "documents": [{"id": "doc-1", "title": "Parcels"}], "status": "ok",
        },
        response(
            at[3], name, response_id=f"{name} answer", model="gpt-4o", provider="openai", input_tokens=900,
            output_tokens=100, latency_ms=2500, response_text="It is on its way [1].", grounding_expected=True,
            cited_sentences=1, total_sentences=4, sources=[{"id": "doc-1", "title": "Parcels"}],
        ),
        {
            "event": "response_feedback", "timestamp": at[4].isoformat(), "session_id": name,
            "response_id": f"{name} answer", "feedback_type": "thumbs_up", "feedback_text": "thanks a lot",
        },
        {
            "event": "evaluation", "timestamp": at[5].isoformat(), "session_id": name, "name": "faithfulness",
            "value": 0.9, "source": "judge", "response_id": f"{name} answer", "comment": "well founded",
        },
        {
            "event": "handoff", "timestamp": at[6].isoformat(), "session_id": name, "target": "human",
            "reason": "wants a person",
        },
    ]  # fmt: skip


@pytest.fixture
def story(sender: Sender, now: datetime) -> Sender:
    sender.send(*troubled(now))
    sender.digest()
    return sender


def path_of(sender: Sender, name: str = "troubled", query: str = "") -> str:
    return session_path(sender.provisioned.project.public_id, name, query)


def listed(client: Client, query: str = "") -> list[str]:
    """Session ids of the list, in order."""
    text = client.get(f"/sessions/?{query}").content.decode()
    tokens = re.findall(r'row-link" href="/sessions/prj_\w+/([^/]+)/', text)
    return [str(session_id_of(token)) for token in tokens]


@pytest.mark.parametrize("session_id", ODD_IDS)
def test_every_id_has_one_address(session_id: str) -> None:
    token = token_of(session_id)
    assert re.fullmatch(r"[A-Za-z0-9_~.-]+", token)
    assert token.strip(".")
    assert session_id_of(token) == session_id


@pytest.mark.parametrize("token", ["..", "~", "~!!", "~YQ", "a~b", "~AA", "~_w"])
def test_a_token_that_is_never_made_names_no_session(token: str) -> None:
    assert session_id_of(token) is None


def test_odd_ids_open(sender: Sender, owner: Client, now: datetime) -> None:
    for number, session_id in enumerate(ODD_IDS):
        sender.send(*conversation(now - timedelta(minutes=number), session_id))
    sender.digest()
    assert set(listed(owner)) == set(ODD_IDS)
    for session_id in ODD_IDS:
        assert owner.get(path_of(sender, session_id)).status_code == 200, session_id


@pytest.mark.parametrize("role", list(Role))
def test_every_role_sees_list_and_session(story: Sender, as_role: Callable[[str], Client], role: str) -> None:
    client = as_role(role)
    assert listed(client) == ["troubled"]
    assert client.get(path_of(story)).status_code == 200


def test_the_list_tells_how_many_and_pages_through_all(sender: Sender, owner: Client, now: datetime) -> None:
    events = [one for n in range(120) for one in conversation(now - timedelta(seconds=n // 2 * 20), f"s{n}")]
    sender.send(*events)
    sender.digest()
    for order in ("newest", "oldest", "cost", "duration", "turns"):
        found: list[str] = []
        address = f"/sessions/?order={order}"
        while address:
            text = owner.get(address).content.decode()
            assert "120 sessions" in text
            found += re.findall(r'row-link" href="/sessions/prj_\w+/([^/]+)/', text)
            older = re.search(r'href="([^"]*)" rel="next"', text)
            address = html.unescape(older[1]) if older else ""
        assert sorted(found) == sorted(f"s{n}" for n in range(120)), order


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("with=spiked", {"troubled"}),
        ("with=spiked&with=recovered", {"troubled"}),
        ("with=not_recovered", set()),
        ("with=low_grounding", {"troubled"}),
        ("with=human_handoff", {"troubled"}),
        ("with=errors", {"troubled"}),
        ("outcome=escalated", {"troubled"}),
        ("outcome=resolved&outcome=escalated", {"troubled", "calm", "other"}),
        ("level=verified", {"calm", "other"}),
        ("user_id=kim", {"troubled"}),
        ("session_id=calm&period=7", {"calm"}),
        ("model=claude-sonnet-4-5", {"other"}),
        ("channel=web", {"other"}),
        ("channel=%28none%29", {"troubled", "calm"}),
        ("environment=test", {"tried"}),
        ("project=nothing", set()),
        ("", {"troubled", "calm", "other"}),
    ],
)
def test_filters_choose_sessions(
    story: Sender, owner: Client, now: datetime, address: str, expected: set[str]
) -> None:
    story.send(*conversation(now, "calm"))
    story.send(*conversation(now, "other", model="claude-sonnet-4-5", channel="web"))
    story.send(query(now, "tried", environment="test"))
    story.digest()
    assert set(listed(owner, address)) == expected


@pytest.mark.parametrize(
    "address",
    [
        "with=nothing", "outcome=good", "order=best", "after=x", "after=1:2:~", "after=9223372036854775807:1:a",
        "period=12", "from=soon", "user_id=%00", "level=x", "after=99999999999999999999:1:a",
        "after=4611686018427387000:1:a",
    ],
)  # fmt: skip
def test_an_unreadable_filter_is_refused_with_a_sentence(story: Sender, owner: Client, address: str) -> None:
    answer = owner.get(f"/sessions/?{address}")
    assert answer.status_code in (400, 422)
    assert 'role="alert"' in answer.content.decode()


def test_an_empty_list_says_why(sender: Sender, owner: Client, now: datetime) -> None:
    assert "No session yet" in owner.get("/sessions/").content.decode()
    sender.send(*conversation(now, "one"))
    sender.digest()
    fits = owner.get("/sessions/?with=errors").content.decode()
    assert "No session fits" in fits
    assert "1 session in this period" in fits
    early = owner.get("/sessions/?from=2020-01-01&to=2020-01-02").content.decode()
    assert "No session in this period" in early
    assert f"from={now.date()}" in early


def test_the_page_shows_the_conversation_and_what_stands_out(story: Sender, owner: Client) -> None:
    text = html.unescape(owner.get(path_of(story)).content.decode())
    for said in (
        WORDS, "It is on its way <mark>[1]</mark>.", "thanks a lot", "wants a person", "well founded",
        "Frustration spike", "flagged by the caller", "Recovered", "Intervention", "Low grounding 0.25",
        "1 of 4 sentences cite a source", "Thumbs up", "Escalated", "handed off to a human",
        "get_order", "Failed: boom", "1.50 s", "900 in, 100 out", "Evaluation faithfulness: 0.9 (judge)", "Parcels",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.parametrize("role", [Role.FINANCE, Role.EXECUTIVE])
def test_roles_without_text_rights_see_structure_only(
    story: Sender, as_role: Callable[[str], Client], role: str
) -> None:
    client = as_role(role)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        text = client.get(path_of(story)).content.decode()
    assert not any("events_text" in one["sql"] for one in seen)
    for secret in (WORDS, "on its way", "thanks a lot", "wants a person", "well founded", "Parcels"):
        assert secret not in text, secret
    assert "your role does not include conversation text" in text
    for said in ("Frustration spike", "get_order", "900 in, 100 out", "Thumbs up"):
        assert said in text, said


def test_a_project_that_drops_text_says_so(sender: Sender, owner: Client, now: datetime) -> None:
    with tenant(sender.provisioned.organization.id):
        sender.provisioned.project.privacy_mode = PrivacyMode.DROP
        sender.provisioned.project.save()
    sender.send(*troubled(now))
    sender.digest()
    text = owner.get(path_of(sender)).content.decode()
    assert WORDS not in text
    assert "never stored" in text
    assert f"{len(WORDS)} characters" in text


def test_neighbours_stay_within_the_filter(sender: Sender, owner: Client, now: datetime) -> None:
    for number, model in enumerate(("gpt-4o", "claude-sonnet-4-5", "gpt-4o", "gpt-4o")):
        sender.send(*conversation(now - timedelta(hours=number), f"s{number}", model=model))
    sender.digest()
    text = html.unescape(owner.get(path_of(sender, "s2", "model=gpt-4o")).content.decode())
    assert f'id="session-before" href="{path_of(sender, "s0", "model=gpt-4o")}"' in text
    assert f'id="session-behind" href="{path_of(sender, "s3", "model=gpt-4o")}"' in text
    alone = owner.get(path_of(sender, "s2", "model=claude-sonnet-4-5")).content.decode()
    assert "session-before" not in alone


def test_a_foreign_session_is_like_a_random_one(
    story: Sender, owner: Client, make_organization: Callable[..., Any], now: datetime
) -> None:
    other = Sender(make_organization(), now)
    other.send(*troubled(now, "theirs"))
    other.digest()
    mine = story.provisioned.project.public_id
    for path in (path_of(other, "theirs"), session_path(mine, "theirs"), session_path("prj_no", "troubled")):
        assert owner.get(path).status_code == 404, path


def test_the_number_of_queries_does_not_grow(sender: Sender, owner: Client, now: datetime) -> None:
    sender.send(*troubled(now, "short"))
    long = [one for n in range(30) for one in troubled(now + timedelta(minutes=n), "long")]
    for number, one in enumerate(long):
        one["id"] = f"long {number}"
    sender.send(*long)
    sender.digest()
    counts = []
    for path in (path_of(sender, "short"), path_of(sender, "long")):
        owner.get(path)
        with CaptureQueriesContext(connection) as seen:
            assert owner.get(path).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
    with CaptureQueriesContext(connection) as few:
        owner.get("/sessions/")
    sender.send(*(one for n in range(30) for one in conversation(now - timedelta(hours=n), f"s{n}")))
    sender.digest()
    with CaptureQueriesContext(connection) as many:
        owner.get("/sessions/")
    assert len(few) == len(many)


def test_a_very_long_session_comes_in_parts(sender: Sender, owner: Client, now: datetime) -> None:
    for part in range(2):
        sender.send(
            *(
                query(now + timedelta(seconds=part * 1500 + n), "long", query_text=f"message {part} {n}")
                for n in range(1500)
            )
        )
    sender.digest()
    first, last = (owner.get(f"{path_of(sender, 'long')}?part={n}").content.decode() for n in (1, 2))
    assert "Turn 2000<" in first
    assert "Turn 2001<" not in first
    assert "Turn 2001<" in last
    assert "Turn 3000<" in last
    assert owner.get(f"{path_of(sender, 'long')}?part=99").status_code == 200


def test_the_api_tells_the_tool_and_takes_conditions(story: Sender) -> None:
    client = Client(headers={"Authorization": f"Bearer {story.provisioned.keys['read_key']}"})
    timeline = client.get("/api/v1/sessions/troubled").json()["timeline"]
    assert [one["tool_name"] for one in timeline if one["event"] == "tool_call"] == ["get_order"]
    assert [one["name"] for one in timeline if one["event"] == "evaluation"] == ["faithfulness"]
    assert len(client.get("/api/v1/sessions?with=low_grounding&with=errors").json()["sessions"]) == 1
    assert client.get("/api/v1/sessions?with=open&with=closed").json()["sessions"] == []
    assert client.get("/api/v1/sessions?with=nothing").status_code == 400


def hrefs(text: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'href="(/sessions/[^"]*)"', text)]


@pytest.mark.parametrize(
    ("key", "numerator", "denominator"),
    [("frustration_spike_rate", 8, 40), ("recovery_rate", 0, 8), ("deflection_rate", 40, 40)],
)
def test_a_number_leads_to_the_sessions_it_counts(
    busy: Sender, owner: Client, key: str, numerator: int, denominator: int
) -> None:
    busy.send(*conversation(busy.now, "not chosen", model="claude-sonnet-4-5"))
    busy.digest()
    text = owner.get(f"/metrics/{key}/?period=90&model=gpt-4o").content.decode()
    behind = re.search(r"Sessions behind the value(.*?)</p>", text, re.S)
    assert behind
    counts = []
    for path in hrefs(behind[1]):
        assert "model=gpt-4o" in path
        counts.append(len(listed(owner, path.partition("?")[2])))
    assert counts == [numerator, denominator]


def test_points_and_groups_lead_to_their_sessions(busy: Sender, owner: Client) -> None:
    for interval in ("day", "week", "month"):
        text = owner.get(f"/metrics/sessions/?interval={interval}").content.decode()
        table = re.search(r'class="chart__table".*?</table>', text, re.S)
        assert table
        found = [one for path in hrefs(table[0]) for one in listed(owner, path.partition("?")[2])]
        assert sorted(found) == sorted(f"s{number}" for number in range(40)), interval
    groups = hrefs(owner.get("/metrics/sessions/?by=model").content.decode().partition('id="breakdown"')[2])
    assert len(listed(owner, groups[0].partition("?")[2])) == 40
    unlinked = owner.get("/metrics/tool_calls/?by=tool").content.decode()
    assert "tool=" not in "".join(hrefs(unlinked))


def test_a_tile_leads_to_its_sessions(busy: Sender, owner: Client) -> None:
    text = owner.get("/dashboard/bands/conversation/?period=7").content.decode()
    path = next(one for one in hrefs(text) if "with=spiked" in one)
    today = busy.now.date() + timedelta(days=1)
    assert f"from={today - timedelta(days=7)}&to={today - timedelta(days=1)}" in path


def test_a_turn_that_was_read_says_which_words_decided(sender: Sender, owner: Client, now: datetime) -> None:
    sender.send(
        query(now, "read", query_text="Where is my order?"),
        response(now + timedelta(seconds=3), "read", response_text="In which city do you live?"),
        query(
            now + timedelta(minutes=1),
            "read",
            query_text="That is not what I asked. I want to talk to a human!",
        ),
        response(now + timedelta(minutes=2), "read", response_text="Could you tell me which order you mean?"),
    )
    sender.digest()
    page = owner.get(path_of(sender, "read")).content.decode()
    assert "detected in its words" in page
    assert "human request" in page
    assert "a clarifying question" in page
