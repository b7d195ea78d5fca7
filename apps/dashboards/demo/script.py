"""What the demo's support assistant is asked for, with tools and weights; models, channels, customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.dashboards.demo.voices.english import ENGLISH
from apps.dashboards.demo.voices.german import GERMAN
from apps.dashboards.demo.voices.spanish import SPANISH


@dataclass(frozen=True)
class Intent:
    """One kind of request. `solved` is the chance that the assistant resolves it alone."""

    name: str
    weight: int
    feature: str
    team: str
    tools: tuple[str, ...]
    solved: float

    @property
    def is_looked_up(self) -> bool:
        """True where answers come from the knowledge base."""
        return "search_kb" in self.tools


@dataclass(frozen=True)
class Model:
    """A model with its share of the traffic and its median times."""

    provider: str
    name: str
    version: str
    weight: int
    latency_ms: int
    ttft_ms: int


INTENTS: Final = (
    Intent("order_status", 30, "orders", "commerce", ("get_order",), 0.95),
    Intent("refund", 18, "refunds", "commerce", ("get_order", "refund"), 0.86),
    Intent("billing", 16, "billing", "finance", ("get_invoice",), 0.85),
    Intent("technical_issue", 16, "troubleshooting", "platform", ("search_kb",), 0.78),
    Intent("product_question", 14, "catalogue", "commerce", ("search_kb",), 0.93),
    Intent("cancel_account", 6, "account", "platform", ("create_ticket",), 0.62),
)
VOICES: Final = ((ENGLISH, 88), (GERMAN, 7), (SPANISH, 5))
MODELS: Final = (
    Model("openai", "gpt-4o", "gpt-4o-2024-08-06", 34, 2300, 520),
    Model("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", 40, 1200, 340),
    Model("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", 20, 2700, 680),
    Model("google", "gemini-2.0-flash", "gemini-2.0-flash-001", 6, 900, 300),
)
CHANNELS: Final = (("web", 55), ("mobile", 33), ("email", 12))
SEGMENTS: Final = (("free", 60), ("pro", 30), ("enterprise", 10))
TOOL_MS: Final = {"get_order": 180, "refund": 420, "get_invoice": 240, "search_kb": 350, "create_ticket": 310}
CUSTOMERS: Final = tuple(f"customer-{number:02d}" for number in range(1, 25))
