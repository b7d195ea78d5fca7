"""The embedded stack: PostgreSQL and Redis from wheels, under DATA_DIR, without touching the machine."""

from __future__ import annotations
