"""Reading a request's body within limits, and splitting it into events.

Django's `request.body` is empty for a chunked request without Content-Length, so the body is read
from the server's input stream, capped while reading and while inflating.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Protocol

import msgspec
import zstandard
from django.http import HttpRequest

from apps.events.problems import Problem
from apps.events.schema import MAX_BODY_BYTES, MAX_EVENTS, MAX_INFLATED_BYTES

CHUNK = 64 * 1024
JSON_TYPES = frozenset(
    {"", "application/json", "text/json", "application/x-ndjson", "application/ndjson", "application/jsonl"}
)


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def too_large(limit: str) -> Problem:
    return Problem(413, "body_too_large", f"body: larger than {limit}; send fewer events per request.")


def read_capped(stream: Readable, limit: int = MAX_BODY_BYTES) -> bytes:
    """All of the stream; raises a 413 `Problem` as soon as it passes `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise too_large("5 MiB")
        parts.append(chunk)
    return b"".join(parts)


def inflate_gzip(body: bytes) -> bytes:
    """Inflate gzip, several members allowed, never holding more than the limit."""
    parts: list[bytes] = []
    size = 0
    while body:
        inflater = zlib.decompressobj(wbits=31)
        try:
            part = inflater.decompress(body, MAX_INFLATED_BYTES - size + 1)
        except zlib.error as error:
            raise Problem(400, "bad_encoding", "body: is not valid gzip.") from error
        size += len(part)
        if size > MAX_INFLATED_BYTES:
            raise too_large("20 MiB inflated")
        if not inflater.eof:
            raise Problem(400, "bad_encoding", "body: the gzip stream is cut off.")
        parts.append(part)
        body = inflater.unused_data
    return b"".join(parts)


def inflate_zstd(body: bytes) -> bytes:
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(
            body, read_across_frames=True
        )
        plain = reader.read(MAX_INFLATED_BYTES + 1)
    except zstandard.ZstdError as error:
        raise Problem(400, "bad_encoding", "body: is not valid zstd.") from error
    if len(plain) > MAX_INFLATED_BYTES:
        raise too_large("20 MiB inflated")
    if not plain:
        raise Problem(400, "bad_encoding", "body: the zstd stream is empty or cut off.")
    return plain


def read_body(request: HttpRequest) -> bytes:
    """The inflated body of a request; raises `Problem` 400, 413 or 415."""
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise too_large("5 MiB")
    stream = request.META["wsgi.input"] if request.META.get("wsgi.input_terminated") else request
    try:
        body = read_capped(stream)
    except OSError as error:
        raise Problem(400, "cut_off", "body: the connection ended before the whole body was read.") from error
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding == "gzip" or encoding == "x-gzip":
        body = inflate_gzip(body)
    elif encoding == "zstd":
        body = inflate_zstd(body)
    elif encoding not in ("", "identity"):
        raise Problem(415, "unsupported_encoding", "Content-Encoding: must be identity, gzip or zstd.")
    if not body.strip():
        raise Problem(400, "empty_body", "body: is empty.")
    return body


class Envelope(msgspec.Struct):
    events: list[msgspec.Raw]


ENVELOPE = msgspec.json.Decoder(Envelope)
ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def split(body: bytes, content_type: str) -> list[bytes]:
    """The events of a body as raw JSON: `{"events": […]}`, a bare array, or NDJSON.

    Raises `Problem`: 400 unreadable, 413 more than 2,000 events, 415 another content type.
    """
    media, _, parameters = content_type.partition(";")
    media = media.strip().lower()
    if media not in JSON_TYPES:
        raise Problem(
            415, "unsupported_type", "Content-Type: must be application/json or application/x-ndjson."
        )
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if charset and charset not in ("utf-8", "utf8"):
        raise Problem(415, "unsupported_charset", "Content-Type: the charset must be utf-8.")
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(400, "bad_utf8", f"body: is not UTF-8 (byte {error.start}).") from error
    events = _lines(body) if _is_ndjson(media, body) else _document(body)
    if len(events) > MAX_EVENTS:
        raise Problem(
            413, "too_many_events", f"events: {len(events)} of at most {MAX_EVENTS} in one request."
        )
    return events


def _is_ndjson(media: str, body: bytes) -> bool:
    if "ndjson" in media or "jsonl" in media:
        return True
    if not body.startswith(b"{"):
        return False
    first, newline, _ = body.partition(b"\n")
    return bool(newline) and first.rstrip().endswith(b"}") and b'"events"' not in first and _reads(first)


def _reads(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _lines(body: bytes) -> list[bytes]:
    return [line.strip() for line in body.split(b"\n") if line.strip()]


def _document(body: bytes) -> list[bytes]:
    try:
        if body.startswith(b"["):
            return [bytes(raw) for raw in ARRAY.decode(body)]
        if body.startswith(b"{"):
            return [bytes(raw) for raw in _enveloped(body)]
    except RecursionError as error:
        raise Problem(400, "too_deep", "body: is nested too deeply.") from error
    except msgspec.ValidationError as error:
        raise Problem(400, "bad_shape", f"body: {error}.") from error
    except msgspec.DecodeError as error:
        if LONE_SURROGATE.search(body):
            return split_text(body)
        raise Problem(400, "bad_json", f"body: {error}.") from error
    raise Problem(400, "bad_shape", 'body: must be {"events": […]}, an array, or one JSON object per line.')


def _enveloped(body: bytes) -> list[Any]:
    """The list under `events`, or a single bare event."""
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "events" in fields:
        return list(ENVELOPE.decode(body).events)
    if "event" in fields:
        return [body]
    raise Problem(400, "bad_shape", "events: is missing.")


LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]')


def split_text(body: bytes) -> list[bytes]:
    """The elements of the top array, or of the array under `events`, cut out as text.

    Only for bodies whose strings do not decode (a lone surrogate): the event that holds one is refused
    by itself later, and its neighbours are kept.
    """
    depth, start, inside, last = 0, 0, 0, b""
    events: list[bytes] = []
    for token in TOKEN.finditer(body):
        mark = token.group()
        if mark in (b"[", b"{"):
            depth += 1
            if not inside and mark == b"[" and (depth == 1 or (depth == 2 and last == b'"events"')):
                inside, start = depth, token.end()
        elif mark in (b"]", b"}"):
            if inside and depth == inside:
                events.append(body[start : token.start()].strip())
                return [event for event in events if event]
            depth -= 1
        elif mark == b"," and depth == inside:
            events.append(body[start : token.start()].strip())
            start = token.end()
        elif depth == 1 and not inside:
            last = mark
    raise Problem(400, "bad_json", "body: JSON is malformed: it ends too early.")
