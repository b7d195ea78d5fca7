"""How people use the assistant: depth, endings, returns, what they do with answers."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import NO_EVENT_KIND, Direction, Metric
from apps.metrics.measures import generations as g
from apps.metrics.measures import people as p
from apps.metrics.measures import sessions as s
from apps.metrics.measures.measure import Measure

LENS: Final = "Engagement"
ROLES: Final = ("product", "executive")
SESSIONS: Final = "llm_query_sent or llm_response_generated with session_id or user_id"


def share(
    key: str,
    title: str,
    about: str,
    direction: Direction,
    part: Measure,
    whole: Measure,
    needs: str,
    also: tuple[str, ...] = (),
) -> Metric:
    """Counts ÷ counts."""
    return Metric(
        key, title, about, LENS, "ratio", direction, f.Share(part, whole), ROLES, also=also, needs=needs
    )


METRICS: Final = (
    Metric(
        "messages_per_session",
        "Messages per session",
        "User and assistant messages a session started.",
        LENS,
        "count",
        "none",
        f.Mean(s.messages, s.message_squares, s.sessions),
        ROLES,
        needs=SESSIONS,
    ),
    Metric(
        "conversation_depth",
        "Conversation depth",
        "Turns a session started; a turn is one user message with all that answers it.",
        LENS,
        "count",
        "none",
        f.Mean(s.turns, s.turn_squares, s.sessions),
        ROLES,
        needs="llm_query_sent",
    ),
    Metric(
        "session_duration_p50",
        "Session duration p50",
        "Median time from the first message to the last event of a session, ratings and evaluations apart.",
        LENS,
        "ms",
        "none",
        f.Percentile(s.duration, 0.50),
        ROLES,
        needs=SESSIONS,
    ),
    share(
        "completion_rate",
        "Completion rate",
        "Closed sessions that end resolved.",
        "up",
        s.completed,
        s.closed_sessions,
        SESSIONS,
    ),
    share(
        "abandonment_rate",
        "Abandonment rate",
        "Closed sessions that end abandoned; with group_by=last_turn, by the number of the turn they end with.",
        "down",
        s.abandoned,
        s.closed_sessions,
        SESSIONS,
        also=("last_turn",),
    ),
    share(
        "abandonment_after_response_rate",
        "Abandoned after an answer",
        "Closed sessions that end abandoned and whose last message is a response.",
        "down",
        s.abandoned_after_response,
        s.closed_sessions,
        SESSIONS,
        also=("last_turn",),
    ),
    share(
        "refinement_rate",
        "Refinement rate",
        "Turns that rephrase or narrow the turn before, of the turns after the first that could be read.",
        "down",
        s.refined_turns,
        s.comparable_turns,
        "query_text in a language that is read",
    ),
    share(
        "context_retention",
        "Context retention",
        "Turns that need not repeat facts given earlier, of the turns after the first that could be read.",
        "up",
        s.retaining_turns,
        s.comparable_turns,
        "query_text in a language that is read",
    ),
    share(
        "follow_up_rate",
        "Follow-up rate",
        "Sessions with two turns or more, of those with one or more.",
        "none",
        s.followed_up,
        s.with_turns,
        "llm_query_sent",
    ),
    share(
        "restart_rate",
        "Restart rate",
        "Closed sessions that are not resolved and whose user starts another within 5 minutes, of all such of known users.",
        "down",
        s.restarted,
        s.not_resolved,
        "user_id",
    ),
    share(
        "return_session_rate",
        "Returning sessions",
        "Sessions of users with an earlier session in the same project in the 30 days before, of all sessions with a user.",
        "up",
        s.recurring,
        s.of_users,
        "user_id",
    ),
    share(
        "copy_rate",
        "Copy rate",
        "Responses that were copied, of all responses.",
        "up",
        g.copied,
        g.responses,
        "response_copied",
    ),
    share(
        "share_rate",
        "Share rate",
        "Responses that were shared, of all responses.",
        "up",
        g.shared,
        g.responses,
        "response_shared",
    ),
    Metric(
        "feature_adoption",
        "Feature adoption",
        "Users of a feature, of all active users; by feature with group_by=feature.",
        LENS,
        "ratio",
        "up",
        f.PeopleShare(p.adopters, p.everyone),
        ROLES,
        without=NO_EVENT_KIND,
        needs="feature on any event, or feature_used",
    ),
)
