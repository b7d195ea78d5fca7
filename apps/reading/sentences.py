"""Cutting an answer into the sentences that could carry a citation.

Not counted: code blocks, headings, table rules, lines that only introduce a list ("The steps are:"), and
the list of sources at the end. Every list item is at least one sentence.
"""

from __future__ import annotations

import re

from apps.reading.lexicons import DATA

CODE_BLOCK = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)", re.S | re.M)
SOURCES_HEAD = re.compile(
    r"^\s*(?:#+\s*)?\**(?:sources|references|citations|bibliography|footnotes|quellen|fuentes|referencias|références"
    r"|fontes|referências)\**\s*:?\**\s*:?\s*$",
    re.I,
)
FOOTNOTE = re.compile(
    r"^\s*(?:\[\^?[\w-]{1,24}\]:|(?:sources?|references?|quellen?|fuentes?|fontes?)\s*:)", re.I
)
NO_SENTENCE = re.compile(r"^\s*(?:#{1,6}\s|[-=_*|: ]+$)")
BULLET = re.compile(r"^\s*(?:[-*•–+]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+")
MARKS = (
    r"(?:\s?(?:\[[^\]\n]{1,80}\](?:\([^)\s]{1,400}\))?|【[^】\n]{1,80}】"
    r"|\((?:source|quelle|fuente|fonte)s?:[^)\n]{1,200}\)|[¹²³⁴-⁹]+))*"
)
END = re.compile(rf"[.!?…。！？]+[\"'”’»)*_]*{MARKS}(?=\s|$)", re.I)
# Words before a full stop that does not end the sentence.
ABBREVIATIONS = frozenset((DATA / "abbreviations.txt").read_text(encoding="utf-8").split())
INITIAL = re.compile(r"(?:^|\s)[A-ZÀ-Þ]$")

Span = tuple[int, int]


def sentences(text: str) -> list[Span]:
    """(start, end) of every sentence of `text`, markers behind a full stop included in the sentence before."""
    blanked = CODE_BLOCK.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    spans: list[Span] = []
    position = 0
    for line in blanked.splitlines(keepends=True):
        start, position = position, position + len(line)
        if SOURCES_HEAD.match(line):
            break
        if not line.strip() or NO_SENTENCE.match(line) or FOOTNOTE.match(line):
            continue
        bullet = BULLET.match(line)
        spans.extend(_of_line(blanked, start + (bullet.end() if bullet else 0), start + len(line.rstrip())))
    return spans


def _of_line(text: str, start: int, end: int) -> list[Span]:
    spans: list[Span] = []
    begin = start
    for match in END.finditer(text, start, end):
        if match.end() < end and not _ends(text, begin, match):
            continue
        spans.append((begin, match.end()))
        begin = match.end()
    if text[begin:end].strip():
        spans.append((begin, end))
    return [span for span in spans if _is_sentence(text[span[0] : span[1]])]


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    """Whether this full stop ends a sentence: not after an abbreviation, an initial or before a small letter."""
    if match.group()[0] not in ".…":
        return True
    before = text[begin : match.start()]
    last = before.split()[-1].lstrip("(\"'“„«[") if before.split() else ""
    if last.lower() in ABBREVIATIONS or INITIAL.search(before):
        return False
    following = text[match.end() : match.end() + 40].lstrip()
    return not (following[:1].islower() and match.group() in (".", "…"))


def _is_sentence(text: str) -> bool:
    """At least one word, and more than the introduction of a list."""
    stripped = text.strip().rstrip("*_")
    return any(character.isalpha() for character in stripped) and not stripped.endswith(":")
