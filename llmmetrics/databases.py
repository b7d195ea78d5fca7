"""Which database, as which of the three roles: from the environment, else from what `make up` wrote."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

ALIASES = ("default", "owner", "operator")


def read_stack(data_dir: Path) -> dict[str, Any]:
    """What `make up` wrote about its servers; empty where it never ran."""
    try:
        return dict(json.loads((data_dir / "stack.json").read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return {}


def find_urls(env: environ.Env, stack: dict[str, Any], *, is_standalone: bool) -> dict[str, str]:
    """URLs of the three roles: derived ones where DATABASE_URL is the administrator's that `up` was given."""
    given = env.str("DATABASE_URL", default="")
    if given and hashlib.sha256(given.encode()).hexdigest() != stack.get("database_source", ""):
        return {
            "default": given,
            "owner": env.str("DATABASE_OWNER_URL", default=given),
            "operator": env.str("DATABASE_OPERATOR_URL", default=given),
        }
    if "databases" in stack:
        return {alias: str(stack["databases"][alias]) for alias in ALIASES}
    if is_standalone:
        return dict.fromkeys(ALIASES, "postgresql://localhost/none")
    raise ImproperlyConfigured(
        "DATABASE_URL is not set and DATA_DIR has no stack.json: start the stack with `make up` first."
    )


def configure(env: environ.Env, urls: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Django's DATABASES. Only the application's own role is pooled; tests know one database."""
    databases = {alias: _database(env, urls[alias], is_pooled=alias == "default") for alias in ALIASES}
    for alias in ("owner", "operator"):
        databases[alias]["TEST"] = {"MIRROR": "default"}
    return databases


def _database(env: environ.Env, url: str, *, is_pooled: bool) -> dict[str, Any]:
    database: dict[str, Any] = env.db_url_config(url)
    options: dict[str, Any] = {**database.get("OPTIONS", {}), "connect_timeout": 3}
    if is_pooled:
        options["pool"] = {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=20),
            "timeout": 3,
            "max_idle": 120,
        }
        database["CONN_MAX_AGE"] = 0
    package = "django_prometheus" if is_pooled else "django"
    return {
        **database,
        "ENGINE": f"{package}.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
