"""`manage.py import_events`: files of any encoding, an interruption, and files that can not be read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.core.management import CommandError, call_command

from apps.accounts.models import Project
from apps.accounts.provision import Provisioned
from apps.core.tenancy import tenant
from apps.events.management.commands import import_events
from apps.events.models import Batch

COUNT = 2_500
MANY = b'{"event": "x"}\n' * 9_999


@pytest.fixture
def lines(now: datetime) -> bytes:
    """Events without ids, in fours alike, so that their ids come from content and occurrence."""
    events = [
        {
            "event": "feature_used",
            "timestamp": (now - timedelta(minutes=number // 4)).isoformat(),
            "user_id": "u1",
            "name": "export",
        }
        for number in range(COUNT)
    ]
    return "\n".join(map(json.dumps, events)).encode()


def stored(made: Provisioned) -> tuple[int, int]:
    """Accepted and duplicate events in the ledger."""
    with tenant(made.organization.id):
        counts = list(Batch.objects.values_list("accepted", "duplicate"))
    return sum(one for one, _ in counts), sum(one for _, one in counts)


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".zst", zstandard.compress),
        (".zst", lambda plain: zstandard.compress(plain[:99_999]) + zstandard.compress(plain[99_999:])),
    ],
)
def test_imports_plain_gzip_and_zstd(
    organization: Provisioned, lines: bytes, tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / f"events.ndjson{ending}"
    file.write_bytes(pack(lines))
    call_command("import_events", str(file), organization=organization.organization.public_id)
    assert stored(organization) == (COUNT, 0)


def test_goes_on_after_an_interruption_without_sending_anything_twice(
    organization: Provisioned,
    lines: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(lines)
    door, calls = import_events.ingest, []

    def interrupted(**arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return door(**arguments)

    monkeypatch.setattr(import_events, "ingest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call_command("import_events", str(file), organization=organization.organization.public_id)
    capsys.readouterr()
    call_command("import_events", str(file), organization=organization.organization.public_id)
    said = capsys.readouterr()
    assert stored(organization) == (COUNT, 0)
    assert "goes on after line 1,000" in said.err
    assert f"accepted {COUNT:,}  duplicate 0  rejected 0" in said.out


def test_tells_why_events_were_rejected(
    organization: Provisioned, tmp_path: Path, capsys: pytest.CaptureFixture[str], now: datetime
) -> None:
    file = tmp_path / "events.ndjson"
    old = (now - timedelta(days=60)).isoformat()
    file.write_text(f'{{"event": "x", "timestamp": "{old}"}}\n\nnot json\n{{"timestamp": 1}}\n')
    call_command("import_events", str(file), organization=organization.organization.public_id)
    said = capsys.readouterr().out
    assert "accepted 0  duplicate 0  rejected 3" in said
    assert "timestamp_too_old: 1" in said
    call_command(
        "import_events", str(file), organization=organization.organization.public_id, historical=True
    )
    assert "accepted 1  duplicate 0  rejected 2" in capsys.readouterr().out


def test_asks_for_a_project_where_there_are_several(organization: Provisioned, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("")
    with tenant(organization.organization.id):
        other = Project(name="Other")
        other.save()
    with pytest.raises(CommandError, match="--project"):
        call_command("import_events", str(file), organization=organization.organization.public_id)
    call_command(
        "import_events",
        str(file),
        organization=organization.organization.public_id,
        project=other.public_id,
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.ndjson.gz", gzip.compress(b'{"event": "x"}\n' * 9_999)[:-20]),
        ("no.ndjson.zst", b"not zstd at all"),
    ],
)
def test_names_a_file_that_can_not_be_read(
    organization: Provisioned, tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CommandError, match=name):
        call_command("import_events", str(file), organization=organization.organization.public_id)


def test_names_a_file_that_is_not_there(organization: Provisioned, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent\.ndjson: there is no such file"):
        call_command(
            "import_events", str(tmp_path / "absent.ndjson"), organization=organization.organization.public_id
        )
