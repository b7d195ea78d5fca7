"""Which sentences of an answer cite an attached source, by marker, link or span.

What this sees is whether a sentence points at a source that was there. It can not see whether the source
says so; that is faithfulness, which needs a reader or a judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.reading.sentences import Span, sentences

BRACKET = re.compile(r"\[\^?([^\]\[\n]{1,120})\](?!\()|【([^】\n]{1,120})】")
NAMED = re.compile(
    r"[(\[](?:sources?|see|ref|refs?|cf\.?|doc(?:ument)?s?|according to|quellen?|siehe|fuentes?|véase|fontes?|voir)\s*:?\s+"
    r"([^)\]\n]{1,200})[)\]]",
    re.I,
)
LINK = re.compile(
    r"\[[^\]\n]{0,200}\]\(([^)\s]{1,800})[^)\n]{0,100}\)|<(https?://[^>\s]{1,800})>|(https?://[^\s)\]>]{1,800})"
)
INLINE_CODE = re.compile(r"`[^`\n]*`")
SUPERSCRIPT = re.compile(r"(?<=[^\s\d])[¹²³⁴-⁹⁰]{1,3}")
TO_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
RANGE = re.compile(r"(\d{1,3})\s*[-–]\s*(\d{1,3})")
PART = re.compile(r"\s*[,;&]\s*|\s+and\s+")
LABEL = re.compile(r"^(?:sources?|refs?|docs?|documents?|quellen?|fuentes?|fontes?)[\s:#_-]*(?=\S)", re.I)
NAME_FIELDS = (
    "id",
    "document_id",
    "doc_id",
    "source_id",
    "file_id",
    "index",
    "title",
    "name",
    "filename",
    "url",
    "uri",
    "link",
)
MAX_RANGE = 50


@dataclass(frozen=True, slots=True)
class Citations:
    """Sentences that cite an attached source, and all sentences."""

    cited: int
    total: int


@dataclass(frozen=True, slots=True)
class Sources:
    """How attached sources may be named: their numbers from 1, their ids and titles, their addresses."""

    count: int
    names: frozenset[str]
    addresses: frozenset[str]

    @classmethod
    def of(cls, attached: Sequence[Any]) -> Sources:
        names: set[str] = set()
        addresses: set[str] = set()
        for source in attached:
            for value in _names_of(source):
                (addresses if "://" in value else names).add(
                    _address(value) if "://" in value else _plain(value)
                )
        return cls(len(attached), frozenset(names - {""}), frozenset(addresses - {""}))

    def knows(self, reference: str) -> bool:
        """Whether a marker's content names an attached source: "2", "doc-7", "Terms of use", "3†page"."""
        text = _plain(reference.split("†")[0])
        number = text.rpartition(":")[2] if "†" in reference else text
        if number.isascii() and number.isdigit() and 1 <= int(number) <= self.count:
            return True
        return text in self.names or _plain(LABEL.sub("", text)) in self.names or self.has_address(reference)

    def knows_labelled(self, reference: str) -> bool:
        """The same where the marker may say "source 2" for the number."""
        return self.knows(reference) or self.knows(LABEL.sub("", reference.strip()))

    def has_address(self, address: str) -> bool:
        return _address(address) in self.addresses


def count_citations(
    text: str, attached: Sequence[Any] = (), annotations: Sequence[Mapping[str, Any]] = ()
) -> Citations:
    """Count sentences and those that cite.

    `attached` are the sources as sent: strings, or objects with any of id, title, name, url. `annotations`
    are spans as model APIs return them: `start_index`/`end_index` (or `start`/`end`) in characters and a
    url, title or id; they count where they name an attached source, or where none is attached.
    """
    sources = Sources.of(attached)
    spans = [span for span in (_span(one, sources) for one in annotations) if span]
    found = sentences(text)
    cited = sum(_cites(text[start:end], sources) or _covered((start, end), spans) for start, end in found)
    return Citations(cited, len(found))


def _cites(sentence: str, sources: Sources) -> bool:
    if not sources.count:
        return False
    sentence = INLINE_CODE.sub(" ", sentence)
    for match in LINK.finditer(sentence):
        if sources.has_address(next(filter(None, match.groups())).rstrip(".,;:!?")):
            return True
    for match in BRACKET.finditer(sentence):
        if any(sources.knows_labelled(one) for one in _references(match[1] or match[2])):
            return True
    for match in NAMED.finditer(sentence):
        if any(sources.knows_labelled(one) for one in _references(match[1])):
            return True
    return any(sources.knows(match.group().translate(TO_DIGITS)) for match in SUPERSCRIPT.finditer(sentence))


def _references(content: str) -> list[str]:
    """ "1, 3-4" → 1, 3, 4; and the whole, because a title may hold a comma."""
    found = [content]
    for part in PART.split(content):
        ends = RANGE.fullmatch(part.strip())
        if ends and 0 <= int(ends[2]) - int(ends[1]) <= MAX_RANGE:
            found.extend(str(number) for number in range(int(ends[1]), int(ends[2]) + 1))
        else:
            found.append(part.lstrip("^"))
    return found


def _names_of(source: Any) -> list[str]:
    if isinstance(source, Mapping):
        return [str(source[field]) for field in NAME_FIELDS if source.get(field) not in (None, "")]
    return [str(source)]


def _plain(name: str) -> str:
    return " ".join(name.casefold().strip("\"'“”„«»*_ .").split())


def _address(url: str) -> str:
    """An address without scheme, www, query, fragment and closing slash."""
    plain = re.sub(r"^https?://(?:www\.)?", "", url.strip().casefold())
    return re.split(r"[?#]", plain)[0].rstrip("/")


def _span(annotation: Mapping[str, Any], sources: Sources) -> Span | None:
    inner = annotation.get("url_citation") or annotation.get("file_citation") or {}
    fields = {**annotation, **inner} if isinstance(inner, Mapping) else dict(annotation)
    start, end = (fields.get(f"{edge}_index", fields.get(edge)) for edge in ("start", "end"))
    if not isinstance(start, int) or not isinstance(end, int) or start >= end:
        return None
    names = _names_of(fields)
    named = any(sources.has_address(name) if "://" in name else sources.knows(name) for name in names)
    return (start, end) if named or not sources.count else None


def _covered(sentence: Span, spans: list[Span]) -> bool:
    return any(start < sentence[1] and end > sentence[0] for start, end in spans)
