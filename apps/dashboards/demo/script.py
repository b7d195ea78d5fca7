"""What the demo's support assistant talks about: intents with their tools, words and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Intent:
    """One kind of request. `solved` is the chance that the assistant resolves it alone."""

    name: str
    weight: int
    feature: str
    team: str
    tools: tuple[str, ...]
    solved: float
    questions: tuple[str, ...]
    answers: tuple[str, ...]


INTENTS: Final = (
    Intent("order_status", 30, "orders", "commerce", ("get_order",), 0.93,
           ("Where is my order?", "Has order {n} shipped yet?", "My parcel should have come yesterday."),
           ("Order {n} left our warehouse yesterday and arrives tomorrow.", "It is with the carrier; the link shows where.")),
    Intent("refund", 18, "refunds", "commerce", ("get_order", "refund"), 0.82,
           ("I want my money back for order {n}.", "How long does a refund take?", "The shoes do not fit."),
           ("The refund of order {n} is on its way; banks take three to five days.", "You can send them back for free.")),
    Intent("billing", 16, "billing", "finance", ("get_invoice",), 0.80,
           ("Why was I charged twice?", "I need an invoice for {n}.", "Please change my payment method."),
           ("One of the two is a reservation and disappears by itself.", "Invoice {n} is attached.")),
    Intent("technical_issue", 16, "troubleshooting", "platform", ("search_kb",), 0.72,
           ("The app crashes when I open it.", "I cannot log in on my phone.", "It says error {n}."),
           ("Please update to the latest version, then restart.", "Error {n} means that the session has expired.")),
    Intent("product_question", 14, "catalogue", "commerce", ("search_kb",), 0.90,
           ("Does it come in blue?", "Is the battery included?", "What is the difference between the two?"),
           ("Yes, in blue and grey.", "The larger one has twice the battery life.")),
    Intent("cancel_account", 6, "account", "platform", ("create_ticket",), 0.55,
           ("Please delete my account.", "How do I cancel my plan?"),
           ("I can cancel it at the end of the month.", "Your request has been noted.")),
)

COMPLAINTS: Final = (
    "No, that is not what I asked.",
    "This still does not work!",
    "I already told you that.",
    "This is useless, I want to talk to a person.",
)
THANKS: Final = ("Thanks, that helps.", "Great, thank you!", "Perfect.")
FOLLOW_UPS: Final = ("And how long will that take?", "Can you send it by e-mail?", "What about the other one?", "Okay, and then?")

# provider, model, weight, median latency (ms), median time to first token (ms)
MODELS: Final = (
    ("openai", "gpt-4o", 34, 2300, 520),
    ("openai", "gpt-4o-mini", 40, 1200, 340),
    ("anthropic", "claude-sonnet-4-5", 20, 2700, 680),
    ("google", "gemini-2.0-flash", 6, 900, 300),
)
CHANNELS: Final = (("web", 55), ("mobile", 33), ("email", 12))
SEGMENTS: Final = (("free", 60), ("pro", 30), ("enterprise", 10))
TOOL_MS: Final = {"get_order": 180, "refund": 420, "get_invoice": 240, "search_kb": 350, "create_ticket": 310}
CUSTOMERS: Final = tuple(f"customer-{number:02d}" for number in range(1, 25))
