"""Frustration from words, through the whole way: the receiver reads, the digest judges, the metrics count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import PrivacyMode, Project
from apps.conversations.models import Session
from apps.core.tenancy import tenant
from tests.conftest import Sender, query, response

CALM = "How do I change the address of my order?"
ANGRY = "No, that is not what I asked! This is useless, it still does not work. Let me talk to a human."


def talk(now: datetime, session: str, *texts: str, **fields: Any) -> list[dict[str, Any]]:
    """Messages of a user, each answered."""
    events: list[dict[str, Any]] = []
    for number, text in enumerate(texts):
        at = now + timedelta(minutes=number)
        events.append(query(at, session, query_text=text, user_id="ann", **fields))
        answer = f"Here is what I found for you, part {number}."
        reply = response(at + timedelta(seconds=4), session, response_text=answer, user_id="ann")
        events.append({**reply, "response_id": f"{session}-{number}"})
    return events


def session_of(sender: Sender, name: str) -> Session:
    with tenant(sender.provisioned.organization.id):
        return Session.objects.get(session_id=name)


def test_text_alone_makes_a_spike_with_its_reasons(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "calm", CALM, "Thanks, that is great!"), *talk(now, "angry", CALM, ANGRY))
    sender.digest()
    value = sender.value("frustration_spike_rate")
    assert (value.numerator, value.denominator) == (1, 2)
    spike = session_of(sender, "angry").evidence["spikes"][0]
    assert spike["turn"] == 2
    assert spike["reason"] == "detected in its words"
    assert {"human_request", "correction"} <= {signal["name"] for signal in spike["signals"]}


def test_the_callers_flag_wins_over_the_words(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "flagged", CALM, ANGRY, frustrated=False))
    sender.digest()
    assert sender.value("frustrated_turn_rate").numerator == 0


def test_praise_of_the_answer_before_overrides_the_words_after_it(sender: Sender, now: datetime) -> None:
    events = talk(now, "praised", CALM, ANGRY)
    rated = {"event": "response_feedback", "timestamp": (now + timedelta(seconds=30)).isoformat()}
    sender.send(*events, {**rated, "response_id": "praised-0", "feedback_type": "thumbs_up"})
    sender.digest()
    value = sender.value("frustrated_turn_rate")
    assert (value.numerator, value.denominator) == (0, 2)


def test_a_language_that_is_not_covered_is_unscored_and_not_calm(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "far", "Это совсем не то, что я спрашивал, позовите оператора", language="ru"))
    sender.digest()
    value = sender.value("frustrated_turn_rate")
    assert (value.value, value.denominator) == (None, 0)


def test_a_message_without_text_or_flag_is_unscored(sender: Sender, now: datetime) -> None:
    sender.send(query(now, "bare", query_length=20), response(now + timedelta(seconds=3), "bare"))
    sender.digest()
    assert sender.value("frustrated_turn_rate").value is None


def test_words_give_the_sentiment_where_the_caller_sent_none(sender: Sender, now: datetime) -> None:
    sender.send(*talk(now, "s", "This is terrible, I hate it."))
    sender.digest()
    value = sender.value("sentiment_score")
    assert value.n == 1
    assert value.value < -0.3


def test_the_users_language_is_told_where_the_caller_did_not(sender: Sender, now: datetime) -> None:
    sender.send(
        *talk(now, "german", "Das funktioniert immer noch nicht, ich möchte mit einem Menschen sprechen.")
    )
    sender.digest()
    session = session_of(sender, "german")
    assert session.language == "de"
    assert session.is_spiked


@pytest.mark.parametrize("mode", [PrivacyMode.KEEP, PrivacyMode.DROP])
def test_every_privacy_mode_gives_the_same_facts(
    mode: str, make_organization: Callable[..., Any], now: datetime
) -> None:
    found = []
    for chosen in (PrivacyMode.REDACT, mode):
        made = make_organization()
        with tenant(made.organization.id):
            Project.objects.update(privacy_mode=chosen)
        sender = Sender(made, now)
        sender.send(*talk(now, "s", f"{CALM} My mail is ann@example.com", ANGRY, ANGRY))
        sender.digest()
        session = session_of(sender, "s")
        found.append((session.is_spiked, session.frustrated_turns, session.sentiment_nano, session.evidence))
    assert found[0] == found[1]
    assert found[0][0]


def test_what_is_stored_of_a_dropped_text_holds_no_word_of_it(
    make_organization: Callable[..., Any], now: datetime
) -> None:
    made = make_organization()
    with tenant(made.organization.id):
        Project.objects.update(privacy_mode=PrivacyMode.DROP)
    sender = Sender(made, now)
    sender.send(*talk(now, "s", "My secret word is quixotic and my card is 4111 1111 1111 1111"))
    sender.digest()
    with tenant(made.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(e::text, ' '), '') FROM events_event e")
        (everything,) = cursor.fetchone() or ("",)
        cursor.execute("SELECT count(*) FROM events_text")
        assert cursor.fetchone() == (0,)
    assert '"reading"' in everything
    assert "quixotic" not in everything
    assert "4111" not in everything


SOURCES = [{"id": "kb-1", "title": "Returns"}, {"id": "kb-2", "title": "Refunds"}]


def answered(now: datetime, text: str, **fields: Any) -> list[dict[str, Any]]:
    reply = response(now + timedelta(seconds=4), "s", response_text=text, **fields)
    return [query(now, "s", query_text=CALM), reply]


def test_counts_citations_of_attached_sources_sentence_by_sentence(sender: Sender, now: datetime) -> None:
    text = "You can return it within 30 days [1]. The money comes back in a week [2]. Tell me if it does not."
    sender.send(*answered(now, text, sources=SOURCES))
    sender.digest()
    value = sender.value("grounding_score")
    assert value.n == 1
    assert value.value == pytest.approx(2 / 3, abs=1e-9)


def test_sentence_counts_of_the_caller_win_over_the_text(sender: Sender, now: datetime) -> None:
    text = "You can return it within 30 days [1]."
    sender.send(*answered(now, text, sources=SOURCES, cited_sentences=0, total_sentences=1))
    sender.digest()
    assert sender.value("grounding_score").value == 0


def test_a_refusal_in_words_abandons_unless_the_caller_says_otherwise(sender: Sender, now: datetime) -> None:
    sender.send(*answered(now, "I'm sorry, but I can't help with that."))
    sender.digest()
    assert sender.value("refusal_rate").numerator == 1
    assert session_of(sender, "s").outcome_rule == "the last response was a refusal"
    later = now + timedelta(minutes=1)
    sender.send(query(later, "t", query_text=CALM))
    sender.send(response(later, "t", response_text="I'm sorry, but I can't help with that.", refused=False))
    sender.digest()
    assert sender.value("refusal_rate").numerator == 1


def test_judges_the_expected_format_on_the_text_as_it_was_sent(sender: Sender, now: datetime) -> None:
    sender.send(*answered(now, '{"phone": 4915112345678}', expected_format="json"))
    sender.digest()
    assert sender.value("format_validity_rate").value == 1


def test_a_question_back_is_an_intervention(sender: Sender, now: datetime) -> None:
    events = talk(now, "s", CALM, ANGRY)
    events[-1]["response_text"] = "Could you tell me which order you mean?"
    sender.send(*events)
    sender.digest()
    assert session_of(sender, "s").evidence["spikes"][0]["intervention"] == "clarifying_question"


def test_rephrasing_and_repeating_are_counted_after_the_first_turn(sender: Sender, now: datetime) -> None:
    asked = "Where is the invoice of my order from Berlin?"
    again = "Where is the invoice of my last order from Berlin?"
    sender.send(*talk(now, "s", asked, again, "What are your opening hours on Sunday?"))
    sender.digest()
    refined, kept = sender.value("refinement_rate"), sender.value("context_retention")
    assert (refined.numerator, refined.denominator) == (1, 2)
    assert (kept.numerator, kept.denominator) == (1, 2)


@pytest.mark.parametrize(
    ("before", "comparable"),
    [("Where is the invoice of my order?", 1), ("Il mio ordine non è arrivato, perché?", 0), ("", 0)],
)
def test_a_message_that_shows_no_language_is_compared_as_its_conversation_speaks(
    sender: Sender, now: datetime, before: str, comparable: int
) -> None:
    texts = [before, "INV-2231 Berlin"] if before else ["Paris 4711", "INV-2231 Berlin"]
    later = (query(now + timedelta(minutes=n), "s", query_text=text) for n, text in enumerate(texts))
    sender.send(*later)
    sender.digest()
    assert session_of(sender, "s").comparable_turns == comparable
