"""What has to hold before the site serves anything, and the one command that makes it hold.

`python -m llmmetrics.boot` stands between a running database and a running site: it migrates, checks
and collects static files in one process, which starts Django once instead of three times.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command


def unsafe_database() -> list[str]:
    """Why the application's database role would not keep tenants apart; empty when it does."""
    found = checks.run_checks(tags=["tenancy"], databases=["default"])
    return [f"{message.msg} {message.hint or ''}".strip() for message in found if message.is_serious()]


def refuse_unsafe_database() -> None:
    """Raises ImproperlyConfigured rather than serve tenants that are not kept apart."""
    reasons = unsafe_database()
    if reasons:
        raise ImproperlyConfigured(" ".join(reasons))


def collect_static() -> None:
    """Collect and compress static files, unless none has changed since the last time (2 s of a start)."""
    known = settings.DATA_DIR / "static-sources"
    files = [storage.path(name) for finder in get_finders() for name, storage in finder.list([])]
    sources = "".join(f"{file} {Path(file).stat().st_mtime_ns}\n" for file in sorted(files))
    if known.exists() and known.read_text() == sources and Path(settings.STATIC_ROOT).is_dir():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    known.write_text(sources)


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llmmetrics.settings")
    try:
        django.setup()
        call_command("migrate", database="owner", verbosity=0)
        call_command("check", databases=["default"])
        collect_static()
    except (CommandError, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
