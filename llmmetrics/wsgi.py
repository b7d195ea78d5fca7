"""The WSGI application that gunicorn serves. It does not start on a database that mixes tenants."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from llmmetrics.boot import refuse_unsafe_database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmmetrics.settings")

application = get_wsgi_application()
refuse_unsafe_database()
