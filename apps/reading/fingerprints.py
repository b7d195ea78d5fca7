"""Keyed fingerprints of messages: enough to see that one nearly repeats another, without its text.

A bottom-k sketch (Broder 1997): the 12 smallest 16-bit keyed hashes of the distinct content words, cut
to six letters so that "cancel", "cancelled" and "cancellation" agree. Up to 12 content words the
similarity is exact but for collisions; beyond that it is an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

SIZE = 12
HASH_BYTES = 2
STEM = 6


def fingerprint(content_words: Iterable[str], key: bytes) -> bytes:
    """At most 24 bytes. `key` (at most 64 bytes) keeps prints of different organisations incomparable."""
    hashes = {_hash(stem, key) for stem in {word[:STEM] for word in content_words}}
    return b"".join(sorted(hashes)[:SIZE])


@lru_cache(maxsize=50_000)
def _hash(stem: str, key: bytes) -> bytes:
    """Few words make up most of what people write: hashing each again would cost as much as reading it."""
    return blake2b(stem.encode(), digest_size=HASH_BYTES, key=key).digest()


def hashes_of(print_: bytes) -> frozenset[bytes]:
    return frozenset(print_[i : i + HASH_BYTES] for i in range(0, len(print_), HASH_BYTES))


def similarity(first: frozenset[bytes], second: frozenset[bytes]) -> float:
    """Estimated Jaccard similarity of the content words, 0..1; 0 where either has none."""
    if first.isdisjoint(second):
        return 0.0
    if len(first) < SIZE and len(second) < SIZE:
        shared = len(first & second)
        return shared / (len(first) + len(second) - shared)
    smallest = sorted(first | second)[:SIZE]
    return sum(one in first and one in second for one in smallest) / len(smallest)
