"""What the people of the demo write, and the assistant answers, by language.

Nothing in the events says which messages were written annoyed: the product reads that from the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Texts = tuple[str, ...]
# What is said, and what is answered to it.
Pairs = Mapping[str, str]


@dataclass(frozen=True)
class Voice:
    """One language. In every text `{n}` stands for an order, invoice or error number.

    `questions` are by intent. Who comes annoyed begins with one of `openings`, who becomes it writes
    `complaints` and `repeats` (`{said}` is the first message), and some end with `demands` of a person.
    `misses` are answers that give them a reason, `amends` try to make it good, `transfers` pass them on.
    """

    questions: Mapping[str, Pairs]
    follow_ups: Pairs
    thanks: Pairs
    misses: Texts
    amends: Texts
    transfers: Texts
    openings: Texts
    complaints: Texts
    repeats: Texts
    demands: Texts
