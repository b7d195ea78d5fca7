"""What the demo's support assistant talks about: intents with their tools, words and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Intent:
    """One kind of request. `solved` is the chance that the assistant resolves it alone.

    `{n}` in a text stands for an order, invoice or error number.
    """

    name: str
    weight: int
    feature: str
    team: str
    tools: tuple[str, ...]
    solved: float
    questions: tuple[str, ...]
    answers: tuple[str, ...]

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
    Intent(
        "order_status", 30, "orders", "commerce", ("get_order",), 0.95,
        (
            "Where is my order?",
            "Has order {n} shipped yet?",
            "My parcel should have come yesterday.",
            "Can you track order {n} for me?",
            "The tracking page has not changed for two days.",
            "When will order {n} arrive?",
            "I need the parcel before Friday, is that possible?",
            "The carrier says delivered, but I have nothing here.",
            "Can I still change the address of order {n}?",
            "Only half of order {n} has arrived.",
            "Which carrier brings order {n}?",
            "Please send order {n} to a pick-up point instead.",
        ),
        (
            "Order {n} left our warehouse yesterday and arrives tomorrow.",
            "It is with the carrier; the link in your confirmation shows where.",
            "The delivery was put off by a day because of the weather.",
            "I changed the address. You will get a new confirmation in a minute.",
            "The second parcel of order {n} follows on Thursday.",
            "A neighbour has signed for it; the name is on the delivery note.",
        ),
    ),
    Intent(
        "refund", 18, "refunds", "commerce", ("get_order", "refund"), 0.86,
        (
            "I want my money back for order {n}.",
            "How long does a refund take?",
            "The shoes do not fit.",
            "I sent the jacket back two weeks ago and have no refund yet.",
            "Can I return something without the box?",
            "Order {n} arrived broken.",
            "You refunded the wrong amount.",
            "Do I have to pay for the return?",
            "I would rather have a voucher than the money.",
            "I returned two items of order {n}, but only one was refunded.",
            "How do I print the return label?",
            "Can I return a sale item?",
        ),
        (
            "The refund of order {n} is on its way; banks take three to five days.",
            "You can send them back for free within 30 days.",
            "I am sorry that it arrived broken. I have started the refund.",
            "The label is in your account under Returns.",
            "The missing part of the refund was booked just now.",
            "A voucher works too; it is in your inbox.",
        ),
    ),
    Intent(
        "billing", 16, "billing", "finance", ("get_invoice",), 0.85,
        (
            "Why was I charged twice?",
            "I need an invoice for {n}.",
            "Please change my payment method.",
            "What is this fee on my statement?",
            "My card was declined, but it works elsewhere.",
            "Can you put our VAT number on invoice {n}?",
            "When is the next payment due?",
            "I was charged after I cancelled.",
            "Can I pay once a year instead of monthly?",
            "The discount code was not applied.",
            "Please send the invoices to our accountant.",
            "Invoice {n} has the wrong address.",
        ),
        (
            "One of the two is a reservation and disappears by itself.",
            "Invoice {n} is attached.",
            "I have updated the payment method; the next charge is on the first.",
            "The fee covers express delivery.",
            "Your bank asks for a confirmation; please look into its app.",
            "I corrected the address and sent invoice {n} again.",
        ),
    ),
    Intent(
        "technical_issue", 16, "troubleshooting", "platform", ("search_kb",), 0.78,
        (
            "The app crashes when I open it.",
            "I cannot log in on my phone.",
            "It says error {n}.",
            "The page stays white after the update.",
            "I never get the confirmation code.",
            "The scanner does not recognise my card.",
            "Notifications arrive hours late.",
            "My history is empty since yesterday.",
            "The export stops at half.",
            "How do I reset my password?",
            "The map does not load on my tablet.",
            "Error {n} comes back after every restart.",
        ),
        (
            "Please update to the latest version, then restart.",
            "Error {n} means that the session has expired; signing in again helps.",
            "The code may be in your junk folder; I have sent a new one.",
            "Please allow notifications in the settings of your phone.",
            "Your history is back; a sync was stuck.",
            "Large exports work better by month; I have started one for you.",
        ),
    ),
    Intent(
        "product_question", 14, "catalogue", "commerce", ("search_kb",), 0.93,
        (
            "Does it come in blue?",
            "Is the battery included?",
            "What is the difference between the two?",
            "How long is the warranty?",
            "Will it be in stock again?",
            "Does it work with the older charger?",
            "Is it waterproof?",
            "What size should I take at 1.80 m?",
            "Where is it made?",
            "Can I wash it at 60 degrees?",
            "Is there a version without a screen?",
            "Which one would you take for hiking?",
        ),
        (
            "Yes, in blue and grey.",
            "The larger one has twice the battery life.",
            "The warranty is two years, three with registration.",
            "It is back in stock next week; I can tell you when.",
            "It stands rain, but not diving.",
            "Most people of your height take a large one.",
        ),
    ),
    Intent(
        "cancel_account", 6, "account", "platform", ("create_ticket",), 0.62,
        (
            "Please delete my account.",
            "How do I cancel my plan?",
            "I want to cancel before the next payment.",
            "Stop all e-mails, please.",
            "I moved abroad and do not need it any more.",
            "Can I pause instead of cancelling?",
            "What happens to my data when I leave?",
            "I cancelled last month and it still runs.",
            "Please end the trial today.",
            "I have two accounts; close the older one.",
            "It is too expensive for me.",
            "Who can cancel for our whole team?",
        ),
        (
            "I can cancel it at the end of the month.",
            "Your request has been noted as ticket {n}.",
            "A pause of up to three months is possible.",
            "Your data are deleted 30 days after the end.",
            "The older account is closed.",
            "Only the owner can cancel for a team; I have sent them a link.",
        ),
    ),
)  # fmt: skip

COMPLAINTS: Final = (
    "No, that is not what I asked.",
    "This still does not work!",
    "I already told you that.",
    "This is useless, I want to talk to a person.",
    "You keep sending me the same answer.",
    "That is wrong, look at it again.",
)
THANKS: Final = ("Thanks, that helps.", "Great, thank you!", "Perfect.", "Super, that was quick.")
FOLLOW_UPS: Final = (
    "And how long will that take?",
    "Can you send it by e-mail?",
    "What about the other one?",
    "Okay, and then?",
    "Where exactly do I find that?",
    "Does that cost anything?",
)

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
