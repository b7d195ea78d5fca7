"""`manage.py import_events FILE…`: the API's events as NDJSON, with progress, resuming where it stopped."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

import zstandard
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.directory import organization_ids
from apps.accounts.models import Project
from apps.core.tenancy import tenant
from apps.events.receive import Verdict, ingest

EVENTS_A_BATCH = 1_000
HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 256 * 1024
SHOW_EVERY_S = 5.0
# What a file raises that is cut off or not what its ending says; gzip's errors are OSErrors.
UNREADABLE = (OSError, EOFError, zlib.error, zstandard.ZstdError)


@dataclass
class Progress:
    """How far one file is. Batches are cut at the same lines every time, so that derived ids repeat."""

    lines: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        self.counts.update(accepted=verdict.accepted, duplicate=verdict.duplicate, rejected=verdict.rejected)
        self.codes.update(str(error["code"]) for error in verdict.errors)


class Unreadable(Exception):
    """A file that is not there, or can not be read to its end; `progress` tells what went in before."""

    def __init__(self, file: Path, reason: str, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        before = f" after {self.progress.lines:,} lines, which were imported" if self.progress.lines else ""
        super().__init__(f"{file}: {reason}{before}.")


class Command(BaseCommand):
    help = "Import events from NDJSON files (.ndjson, .gz, .zst), as POST /api/v1/events would take them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--organization", help="Public id or name; needed where there are several.")
        parser.add_argument("--project", help="Public id or name; the only project without it.")
        parser.add_argument("--historical", action="store_true", help="Take events older than 30 days.")

    def handle(self, *args: Any, **options: Any) -> None:
        organization_id, project_id = find_target(options["organization"], options["project"])
        whole: Counter[str] = Counter()
        codes: Counter[str] = Counter()
        failures: list[str] = []
        for file in options["files"]:
            try:
                importer = Importer(file, organization_id, project_id, historical=options["historical"])
                progress = importer.run()
            except Unreadable as failure:
                failures.append(str(failure))
                progress = failure.progress
            whole.update(progress.counts)
            codes.update(progress.codes)
        self.stdout.write(
            f"accepted {whole['accepted']:,}  duplicate {whole['duplicate']:,}  rejected {whole['rejected']:,}"
        )
        for code, count in codes.most_common():
            self.stdout.write(f"  {code}: {count:,}")
        if failures:
            raise CommandError(" ".join(failures))


def find_target(organization: str | None, project: str | None) -> tuple[int, int]:
    """Ids of the organisation and project that were named, or of the only ones."""
    ids = organization_ids(organization)
    if not ids:
        raise CommandError(f"organization: {organization!r} is not known.")
    found: list[tuple[int, int]] = []
    for organization_id in ids:
        with tenant(organization_id):
            found += [
                (organization_id, row.pk)
                for row in Project.objects.order_by("id")
                if project is None or project in (row.public_id, row.name)
            ]
    if not found:
        raise CommandError(f"project: {project!r} is not known.")
    if len(found) > 1:
        raise CommandError("project: several fit; name one with --organization and --project.")
    return found[0]


class Importer:
    """Sends one file; remembers after each committed batch how many lines are done."""

    def __init__(self, file: Path, organization_id: int, project_id: int, *, historical: bool) -> None:
        if not file.is_file():
            raise Unreadable(file, "there is no such file")
        self.file = file
        self.organization_id = organization_id
        self.project_id = project_id
        self.historical = historical
        self.size = file.stat().st_size
        self.checkpoint = settings.DATA_DIR / "imports" / f"{self._fingerprint()}.json"
        self.begun = time.monotonic()
        self.shown_at = 0.0

    def _fingerprint(self) -> str:
        with self.file.open("rb") as file:
            head = file.read(HEAD_BYTES)
        said = f"{self.size}:{self.project_id}:{self.historical}:".encode() + head
        return hashlib.sha256(said).hexdigest()[:32]

    def run(self) -> Progress:
        progress = self._resume()
        if progress.lines:
            print(f"{self.file.name}: goes on after line {progress.lines:,}", file=sys.stderr)
        self._send_rest(progress)
        self._show(progress, self.size, is_last=True)
        self.checkpoint.unlink(missing_ok=True)
        return progress

    def _send_rest(self, progress: Progress) -> None:
        """Send the batches that are still missing, and remember each."""
        with self.file.open("rb") as raw:
            for lines in self._batches(raw, progress):
                verdict = ingest(
                    organization_id=self.organization_id,
                    project_id=self.project_id,
                    body_events=[line for line in lines if line],
                    historical=self.historical,
                    is_test=False,
                    source="import",
                    key_id=None,
                )
                progress.lines += len(lines)
                progress.add(verdict)
                self._remember(progress)
                self._show(progress, raw.tell())

    def _batches(self, raw: IO[bytes], progress: Progress) -> Iterator[list[bytes]]:
        """The lines that are still missing; raises `Unreadable` where the file breaks off."""
        batch: list[bytes] = []
        try:
            for line in islice(_lines(self.file, raw), progress.lines, None):
                batch.append(line.strip())
                if len(batch) == EVENTS_A_BATCH:
                    yield batch
                    batch = []
        except UNREADABLE as error:
            raise Unreadable(self.file, f"can not be read ({error})", progress) from error
        if batch:
            yield batch

    def _resume(self) -> Progress:
        try:
            held = json.loads(self.checkpoint.read_text())
        except FileNotFoundError:
            return Progress()
        return Progress(held["lines"], Counter(held["counts"]), Counter(held["codes"]))

    def _remember(self, progress: Progress) -> None:
        self.checkpoint.parent.mkdir(exist_ok=True, parents=True)
        temporary = self.checkpoint.with_suffix(".new")
        temporary.write_text(
            json.dumps({"lines": progress.lines, "counts": progress.counts, "codes": progress.codes})
        )
        temporary.replace(self.checkpoint)

    def _show(self, progress: Progress, position: int, *, is_last: bool = False) -> None:
        """A bar on a terminal, a line every few seconds elsewhere."""
        now = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if not is_last and now - self.shown_at < (0.2 if is_terminal else SHOW_EVERY_S):
            return
        self.shown_at = now
        share = position / self.size if self.size else 1.0
        spent = max(now - self.begun, 1e-9)
        left = spent / share * (1 - share) if share else 0
        bar = "█" * round(share * 24)
        text = (
            f"{self.file.name} {bar:<24} {share:4.0%}  {progress.lines:,} lines  "
            f"{progress.lines / spent:,.0f}/s  {left:.0f} s left"
        )
        end = "\n" if is_last or not is_terminal else ""
        print(f"\r{text}" if is_terminal else text, end=end, file=sys.stderr, flush=True)


def _lines(file: Path, raw: IO[bytes]) -> Iterable[bytes]:
    """The file's lines, inflated by its ending."""
    if file.suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if file.suffix in (".zst", ".zstd"):
        return _split(_inflate_zstd(raw))
    return raw


def _inflate_zstd(raw: IO[bytes]) -> Iterator[bytes]:
    """All frames of a zstd file; the library's own reader would take a cut-off one for its end."""
    inflater = zstandard.ZstdDecompressor().decompressobj()
    has_begun = False
    while chunk := raw.read(CHUNK_BYTES):
        while chunk:
            has_begun = True
            yield inflater.decompress(chunk)
            chunk = inflater.unused_data
            if inflater.eof:
                inflater, has_begun = zstandard.ZstdDecompressor().decompressobj(), False
    if has_begun:
        raise EOFError("the zstd stream is cut off")


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
