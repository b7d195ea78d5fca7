"""A set of users in one chunk of 16,384 numbers: a short list, or a bitmap once that is not much larger.

A list holds two bytes a user in order, a bitmap 2,048 bytes; which of both follows from the number of users alone, so
that the same users are always the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

CHUNK_BITS = 14
CHUNK = 1 << CHUNK_BITS
BITMAP_BYTES = CHUNK // 8
# From here on a bitmap takes at most four times the list, and is far quicker to join.
BITMAP_FROM = BITMAP_BYTES // 8

# A bitmap as one whole number, or the places of a list.
Users = int | tuple[int, ...]


def read(bits: bytes) -> Users:
    if len(bits) == BITMAP_BYTES:
        return int.from_bytes(bits, "little")
    return struct.unpack(f"<{len(bits) // 2}H", bits)


def add(bits: bytes, places: Iterable[int]) -> bytes:
    """The bytes of the set with these places (0 to 16,383) too; of the same users the same bytes."""
    if len(bits) == BITMAP_BYTES:
        return _marked(bits, places)
    every = sorted({*struct.unpack(f"<{len(bits) // 2}H", bits), *places})
    if len(every) < BITMAP_FROM:
        return struct.pack(f"<{len(every)}H", *every)
    return _marked(bytes(BITMAP_BYTES), every)


def _marked(bits: bytes, places: Iterable[int]) -> bytes:
    marked = bytearray(bits)
    for place in places:
        marked[place >> 3] |= 1 << (place & 7)
    return bytes(marked)


def mask(bits: bytes) -> int:
    """A set as one number, a bit a user."""
    users = read(bits)
    return users if isinstance(users, int) else int.from_bytes(_marked(bytes(BITMAP_BYTES), users), "little")


def size(bits: bytes) -> int:
    """How many users a set holds."""
    users = read(bits)
    return users.bit_count() if isinstance(users, int) else len(users)


class Union:
    """Sets of the same chunk, joined one after the other."""

    def __init__(self) -> None:
        self.bitmap = 0
        self.listed: set[int] = set()

    def add(self, users: Users) -> None:
        if isinstance(users, int):
            self.bitmap |= users
        else:
            self.listed.update(users)

    def __len__(self) -> int:
        if not self.bitmap:
            return len(self.listed)
        held = self.bitmap.to_bytes(BITMAP_BYTES, "little")
        return self.bitmap.bit_count() + sum(not held[place >> 3] >> (place & 7) & 1 for place in self.listed)
