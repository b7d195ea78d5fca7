"""Which cost setting holds for a session: the most specific one in force on its start day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.pricing.models import DEFAULT_BASELINE_SHARE, DEFAULT_COST_PER_ESCALATION, CostSetting


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting, detached from the database."""

    effective_from: date
    project_id: int | None
    channel: str
    intent: str
    value: Decimal

    @property
    def specificity(self) -> tuple[bool, bool, bool]:
        """Intent outranks channel, channel outranks project."""
        return bool(self.intent), bool(self.channel), self.project_id is not None

    def fits(self, day: date, project_id: int, channel: str, intent: str) -> bool:
        return (
            self.effective_from <= day
            and self.project_id in (None, project_id)
            and self.channel in ("", channel)
            and self.intent in ("", intent)
        )


class Tariff:
    """All settings of the active organisation; `value_of` is cost per escalation × baseline share (USD)."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = sorted(rules, key=lambda rule: (rule.specificity, rule.effective_from), reverse=True)
        self.default = DEFAULT_COST_PER_ESCALATION * DEFAULT_BASELINE_SHARE
        self.splits_by_channel = any(rule.channel for rule in rules)
        self.splits_by_intent = any(rule.intent for rule in rules)
        # One value for all sessions of a day.
        self.is_uniform = not any(any(rule.specificity) for rule in rules)

    @classmethod
    def load(cls) -> Tariff:
        return cls(
            [
                Rule(
                    row.effective_from,
                    row.project_id,
                    row.channel,
                    row.intent,
                    row.cost_per_escalation * row.baseline_share,
                )
                for row in CostSetting.objects.all()
            ]
        )

    def value_of(self, day: date, project_id: int, channel: str, intent: str) -> Decimal:
        """USD that one deflected session of that day is worth, before its LLM cost."""
        for rule in self.rules:
            if rule.fits(day, project_id, channel, intent):
                return rule.value
        return self.default
