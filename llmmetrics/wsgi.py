"""The WSGI application that gunicorn serves. It does not start on a database that mixes tenants.

gunicorn loads it once and forks: a killed web process is back within a moment, and all of them share
memory. Whatever was connected for the checks is closed again, because no connection survives a fork.
"""

from __future__ import annotations

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
