"""Ready snippets for sending events, with host and key filled in; each runs as it stands."""

from __future__ import annotations

from dataclasses import dataclass

CURL = """curl -sS {host}/api/v1/events \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"events": [
    {{"event": "llm_query_sent", "timestamp": "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'", "session_id": "first-session", "user_id": "me"}},
    {{"event": "llm_response_generated", "timestamp": "'$(date -u +%Y-%m-%dT%H:%M:%SZ)'", "session_id": "first-session", "user_id": "me",
      "provider": "openai", "model": "gpt-4o-mini", "input_tokens": 420, "output_tokens": 80, "latency_ms": 930, "status": "ok"}}
  ]}}'
"""

PYTHON = """import json, urllib.request
from datetime import datetime, timezone

def send(*events):
    now = datetime.now(timezone.utc).isoformat()
    body = json.dumps({{"events": [{{"timestamp": now, **event}} for event in events]}}).encode()
    request = urllib.request.Request("{host}/api/v1/events", data=body, headers={{
        "Authorization": "Bearer {key}", "Content-Type": "application/json"}})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)

print(send(
    {{"event": "llm_query_sent", "session_id": "first-session", "user_id": "me"}},
    {{"event": "llm_response_generated", "session_id": "first-session", "user_id": "me", "provider": "openai",
     "model": "gpt-4o-mini", "input_tokens": 420, "output_tokens": 80, "latency_ms": 930, "status": "ok"}},
))
"""

JAVASCRIPT = """const send = async (...events) => {{
  const timestamp = new Date().toISOString();
  const answer = await fetch("{host}/api/v1/events", {{
    method: "POST",
    headers: {{ Authorization: "Bearer {key}", "Content-Type": "application/json" }},
    body: JSON.stringify({{ events: events.map((event) => ({{ timestamp, ...event }})) }}),
  }});
  return answer.json();
}};

send(
  {{ event: "llm_query_sent", session_id: "first-session", user_id: "me" }},
  {{ event: "llm_response_generated", session_id: "first-session", user_id: "me", provider: "openai",
    model: "gpt-4o-mini", input_tokens: 420, output_tokens: 80, latency_ms: 930, status: "ok" }},
).then(console.log);
"""

OPENTELEMETRY = """# The OpenTelemetry door opens with a coming release; these settings will be the ones it takes.
OTEL_EXPORTER_OTLP_ENDPOINT={host}/api/v1/otlp
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20{key}
"""


@dataclass(frozen=True, slots=True)
class Tab:
    """One snippet in the tabs."""

    id: str
    title: str
    text: str

    @property
    def snippet_id(self) -> str:
        return f"{self.id}-text"


def snippets(host: str, key: str) -> list[Tab]:
    """All snippets for a key; `key` may be a placeholder where it can not be shown any more."""
    texts = {"curl": CURL, "Python": PYTHON, "JavaScript": JAVASCRIPT, "OpenTelemetry": OPENTELEMETRY}
    return [
        Tab(f"tab-{title.lower()}", title, text.format(host=host, key=key)) for title, text in texts.items()
    ]
