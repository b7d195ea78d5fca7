"""The navigation: only what is there and what the role may open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.urls import Resolver404, resolve

from apps.accounts.access import Member


@dataclass(frozen=True, slots=True)
class Place:
    """An address in the navigation."""

    title: str
    path: str
    is_for_configuring: bool = False
    is_for_text: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A place as the template shows it."""

    title: str
    path: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A titled list of items."""

    slug: str
    title: str
    items: list[Item]


PLACES: Final[dict[str, tuple[Place, ...]]] = {
    "": (
        Place("Dashboard", "/dashboard/"),
        Place("Metrics", "/metrics/"),
        Place("Sessions", "/sessions/"),
        Place("Review queue", "/qa/", is_for_text=True),
        Place("Calibration", "/calibration/", is_for_text=True),
    ),
    "Data": (
        Place("Send events", "/start/", is_for_configuring=True),
        Place("Event ledger", "/events/ledger/"),
        Place("Rejected events", "/events/rejected/"),
    ),
    "Organisation": (
        Place("Settings", "/settings/", is_for_configuring=True),
        Place("Members", "/settings/members/", is_for_configuring=True),
        Place("Projects", "/settings/projects/", is_for_configuring=True),
        Place("API keys", "/settings/keys/", is_for_configuring=True),
        Place("Thresholds and costs", "/admin/", is_for_configuring=True),
        Place("Re-pricing", "/settings/repricing/", is_for_configuring=True),
        Place("Audit trail", "/settings/audit/", is_for_configuring=True),
    ),
}
ACCOUNT: Final = (
    Place("Change password", "/accounts/password/change/"),
    Place("Two-factor sign-in", "/accounts/2fa/"),
)
SWITCH: Final = Place("Switch organisation", "/switch/")


@lru_cache(maxsize=64)
def is_served(path: str) -> bool:
    """Whether any view answers the address."""
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def navigation(current_path: str, member: Member | None) -> list[Group]:
    """Groups with at least one item; none for who has no organisation."""
    if member is None:
        return []
    groups = [
        Group(
            title.lower() or "main", title, _items([one for one in places if _may(member, one)], current_path)
        )
        for title, places in PLACES.items()
    ]
    return [group for group in groups if group.items]


def account_items(current_path: str, *, has_several: bool) -> list[Item]:
    """The person's own pages; the switch only for who belongs to several organisations."""
    places = (*ACCOUNT, SWITCH) if has_several else ACCOUNT
    return _items(places, current_path)


def _may(member: Member, place: Place) -> bool:
    return (member.may_configure or not place.is_for_configuring) and (
        member.may_read_text or not place.is_for_text
    )


def _items(places: Sequence[Place], current_path: str) -> list[Item]:
    shown = [one for one in places if is_served(one.path)]
    fitting = [one.path for one in shown if current_path.startswith(one.path)]
    current = max(fitting, key=len, default="")
    return [Item(one.title, one.path, one.path == current) for one in shown]
