"""The text of an event: what is read from it in every privacy mode, and what of it is stored.

Whatever is read is read here, in the request and on the redacted form, so that a project that never
stores a text has the same facts as one that keeps it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import lru_cache
from typing import Any

from django.conf import settings

from apps.reading.messages import read_message
from apps.reading.redaction import drop_text, redact, redact_value
from apps.reading.responses import is_format_valid, read_response

CONTENT_LISTS = frozenset({"sources", "documents"})
LENGTHS = {"query_text": "query_length", "response_text": "response_length"}


def private(value: Any, privacy_mode: str) -> Any:
    """What is stored of free properties and content, by the project's privacy mode."""
    if privacy_mode == "keep":
        return value
    return redact_value(value) if privacy_mode == "redact" else drop_text(value)


def take_texts(
    row: dict[str, Any], texts: dict[str, Any], data: dict[str, Any], privacy_mode: str
) -> dict[str, Any]:
    """Facts of the texts go into `data`, in every mode; what is returned is stored."""
    kept: dict[str, Any] = {}
    found: Counter[str] = Counter()
    clean: dict[str, str] = {}
    for name, value in texts.items():
        if name in CONTENT_LISTS:
            data[f"{name}_count"] = len(value)
            data[name] = [_reference(item, privacy_mode) for item in value]
            kept[name] = private(value, privacy_mode)
            continue
        clean[name], kinds = redact(value)
        found += kinds
        if name in LENGTHS:
            data.setdefault(LENGTHS[name], len(value))
        kept[name] = value if privacy_mode == "keep" else clean[name]
    if "query_text" in clean:
        _read_query(row, data, clean["query_text"])
    if "response_text" in clean:
        _read_answer(row, data, clean["response_text"], texts)
    if found:
        data["pii"] = dict(found)
    return {} if privacy_mode == "drop" else kept


def _read_query(row: dict[str, Any], data: dict[str, Any], text: str) -> None:
    """What a user's message says; its language is told where the caller did not."""
    facts = read_message(text, row.get("language"), key=fingerprint_key(row["organization_id"]))
    data["reading"] = facts.packed()
    if facts.language:
        row.setdefault("language", facts.language)


def _read_answer(row: dict[str, Any], data: dict[str, Any], text: str, texts: dict[str, Any]) -> None:
    """What an answer says: citations where sources are attached, refusal, format. Facts that the caller
    sent stay beside these and win later."""
    sources = texts.get("sources") or ()
    facts = read_response(
        text, row.get("language"), sources=sources, key=fingerprint_key(row["organization_id"])
    )
    data["reading"] = facts.message.packed()
    if sources:
        data["citations_read"] = [facts.cited_sentences, facts.total_sentences]
    if facts.is_refusal:
        data["refusal_read"] = True
    # On the text as sent: a replaced number can break a format that was valid.
    is_valid = is_format_valid(texts["response_text"], data.get("expected_format"))
    if is_valid is not None:
        data["format_read"] = is_valid


@lru_cache(maxsize=10_000)
def fingerprint_key(organization_id: int) -> bytes:
    """So that fingerprints tell nothing without the installation's secret, and differ by tenant."""
    return hashlib.blake2b(
        f"fingerprint:{organization_id}".encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=16
    ).digest()


def _reference(item: Any, privacy_mode: str) -> Any:
    """What identifies a source or document, without its content."""
    if isinstance(item, dict):
        named = {key: item[key] for key in ("id", "score", "url", "title") if key in item}
        return private(named, privacy_mode)
    if isinstance(item, str):
        return private(item[:200], privacy_mode) if privacy_mode != "drop" else None
    return None
