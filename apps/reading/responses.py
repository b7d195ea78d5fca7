"""One answer of the assistant read alone: what `read_message` finds, citations, refusal and format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.reading.citations import count_citations
from apps.reading.messages import ASSISTANT, MessageFacts, read_message

JSON_FORMATS = frozenset({"json", "json_object", "json_schema", "application/json"})
# A refusal is the point of an answer; in a long one the words are about something else.
REFUSAL_WORDS = 120


@dataclass(frozen=True, slots=True)
class ResponseFacts:
    """Facts of one answer. `is_format_valid` is None where no known format was expected."""

    message: MessageFacts
    cited_sentences: int
    total_sentences: int
    is_format_valid: bool | None = None

    @property
    def is_refusal(self) -> bool:
        return "refusal" in self.message.signals and self.message.words <= REFUSAL_WORDS

    @property
    def has_apology(self) -> bool:
        return "apology" in self.message.signals

    @property
    def asks_to_clarify(self) -> bool:
        return "clarifying" in self.message.signals and "question" in self.message.signals

    def packed(self) -> list[Any]:
        """A small JSON value; `unpack` is its inverse."""
        return [self.message.packed(), self.cited_sentences, self.total_sentences, self.is_format_valid]

    @classmethod
    def unpack(cls, packed: list[Any]) -> ResponseFacts:
        message, cited, total, is_valid = packed
        return cls(MessageFacts.unpack(message), cited, total, is_valid)


def read_response(
    text: str,
    language: str | None = None,
    *,
    sources: Sequence[Any] = (),
    annotations: Sequence[Mapping[str, Any]] = (),
    expected_format: str | None = None,
    key: bytes = b"",
) -> ResponseFacts:
    """Facts of one answer.

    `sources` and `annotations` as in `count_citations`. The format is judged on `text`, so give the text
    before redaction where a replaced value could break it.
    """
    citations = count_citations(text, sources, annotations)
    return ResponseFacts(
        read_message(text, language, role=ASSISTANT, key=key),
        citations.cited,
        citations.total,
        is_format_valid(text, expected_format),
    )


def is_format_valid(text: str, expected_format: str | None) -> bool | None:
    """Whether the whole text parses as the format; a code fence around it is not JSON. None: can not say."""
    if (expected_format or "").strip().lower() not in JSON_FORMATS:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) if expected_format == "json_object" else True
