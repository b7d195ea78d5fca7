"""What is counted about people. A person is not additive: every window and group is counted anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "active",
    "everyone",
    "adopters",
    "before",
    "lost",
    "new",
    "cohort",
    "retained",
    "matured",
    "activated",
    "time_to_value",
]


@dataclass(frozen=True)
class People:
    """Distinct users of a window, by `kind`.

    active: any event with their id. everyone: the same, whatever the feature. adopters: active with
    a feature. before and lost: active in the `days` local days before the window, and of these not
    in it. new: first event in the window. cohort and retained: new, with the day `days` after the
    first one ended, and active on it. matured and activated: new at least `days` × 24 h ago, and
    with an activation inside them. time_to_value: slots of the microseconds that it took.
    """

    kind: Kind
    title: str
    days: int = 0

    @property
    def is_slotted(self) -> bool:
        """Whether slots are counted instead of heads."""
        return self.kind == "time_to_value"


active = People("active", "distinct active users")
everyone = People("everyone", "distinct active users, whatever the feature")
adopters = People("adopters", "distinct users of the feature")
before = People("before", "users active in the 30 days before", 30)
lost = People("lost", "users active in the 30 days before and not in these 30", 30)
new = People("new", "users first seen")
matured = People("matured", "new users whose 7 days have passed", 7)
activated = People("activated", "new users with an activation within 7 days", 7)
time_to_value = People(
    "time_to_value", "time from a new user's first event to the first goal, activation or verified session"
)


def cohort(days: int) -> People:
    """New users whose day `days` after the first has ended."""
    return People("cohort", f"new users whose day {days} has ended", days)


def retained(days: int) -> People:
    return People("retained", f"new users active on exactly day {days}", days)
