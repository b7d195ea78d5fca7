"""The WSGI application that gunicorn serves. It does not start on a database that mixes tenants.

gunicorn loads it once and forks: a killed web process is back within a moment, and all of them share
memory. Whatever was connected for the checks is closed again, because no connection survives a fork.
"""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.urls import get_resolver

from llmmetrics.boot import refuse_unsafe_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmmetrics.settings")

application = get_wsgi_application()
refuse_unsafe_database()
get_resolver().url_patterns  # noqa: B018  Imports every view before the fork.
for connection in connections.all(initialized_only=True):
    connection.close()
    if isinstance(connection, DatabaseWrapper):
        connection.close_pool()
# What was imported lives for ever: the collector need not look at it again in every process, and shared
# pages stay shared. A request of 500 events makes some 10,000 objects, which go by their count alone.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)
