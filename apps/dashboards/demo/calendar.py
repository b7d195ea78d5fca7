"""When things happen in the demo: the shape of a day, what was deployed, and the three incidents.

Days are counted back from the anchor, the day on which the demo is made:
- days 20 to 17: prompt version v14 answers without sources and annoys people, until it is rolled back;
- days 34 to 32: the tool `search_kb` is slow and times out;
- day 9, five hours: an agent loops, with many model calls a response and the cost that goes with it.
"""

from __future__ import annotations

from random import Random
from typing import Final

DAYS: Final = 60
SESSIONS_ON_A_WEEKDAY: Final = 132
WEEKEND_SHARE: Final = 0.45
GROWTH: Final = 0.25
# Share of a day's sessions by local hour: a working day with a dip at noon and a small evening peak.
HOURS: Final = (4, 3, 2, 2, 2, 4, 10, 22, 46, 64, 70, 66, 52, 58, 64, 62, 56, 46, 38, 34, 30, 22, 14, 8)

BAD_PROMPT_DAYS: Final = range(17, 21)
SLOW_TOOL_DAYS: Final = range(32, 35)
LOOP_DAY: Final = 9
LOOP_HOURS: Final = range(10, 15)
EXPERIMENT_DAYS: Final = range(7)

# (days ago, kind, version), each at midnight of its day.
DEPLOYMENTS: Final = (
    (45, "release", "2026.10"),
    (39, "prompt", "v13"),
    (21, "release", "2026.11"),
    (max(BAD_PROMPT_DAYS), "prompt", "v14"),
    (min(BAD_PROMPT_DAYS) - 1, "prompt", "v13"),
    (max(EXPERIMENT_DAYS), "prompt", "v15"),
)


def release_on(days_ago: int) -> str:
    return "2026.11" if days_ago <= 21 else "2026.10" if days_ago <= 45 else "2026.09"


def prompt_on(days_ago: int, random: Random) -> str:
    """The prompt version a session gets; in the last week v15 is tried on half of them."""
    if days_ago in BAD_PROMPT_DAYS:
        return "v14"
    if days_ago in EXPERIMENT_DAYS:
        return random.choice(("v13", "v15"))
    return "v13" if days_ago <= 39 else "v12"


def sessions_on(days_ago: int, *, is_weekend: bool, random: Random) -> int:
    growth = 1 + GROWTH * (DAYS - days_ago) / DAYS
    share = WEEKEND_SHARE if is_weekend else 1.0
    return round(SESSIONS_ON_A_WEEKDAY * growth * share * random.uniform(0.94, 1.06))
