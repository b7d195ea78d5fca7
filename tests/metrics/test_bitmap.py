"""Sets of users in a chunk: the same users are the same bytes, and nobody is counted twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.metrics.rollups import bitmap

PLACES = st.sets(st.integers(0, bitmap.CHUNK - 1), max_size=20)
MANY = st.sets(st.integers(0, bitmap.CHUNK - 1), min_size=250, max_size=270)


@given(st.lists(st.one_of(PLACES, MANY), max_size=4))
def test_a_union_counts_everybody_once(parts: list[set[int]]) -> None:
    union = bitmap.Union()
    for part in parts:
        union.add(bitmap.read(bitmap.add(b"", part)))
    assert len(union) == len(set().union(*parts))


@given(MANY, PLACES)
def test_the_order_of_adding_leaves_the_same_bytes(first: set[int], second: set[int]) -> None:
    one = bitmap.add(bitmap.add(b"", first), second)
    assert one == bitmap.add(bitmap.add(b"", second), first) == bitmap.add(b"", first | second)
    assert bitmap.size(one) == len(first | second)
    assert bitmap.add(one, first) == one
