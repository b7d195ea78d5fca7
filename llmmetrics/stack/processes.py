"""Child processes that end with their parent, each in a process group of its own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOG_LIMIT_BYTES = 20 * 2**20
_libc = ctypes.CDLL(None, use_errno=True)


def dies_with_parent(death_signal: int, nice: int = 0) -> Callable[[], None]:
    """A function for the child to run before exec: get `death_signal` when the parent dies."""

    def prepare() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if nice:
            step_back(nice)

    return prepare


def step_back(nice: int) -> None:
    """Let other processes go first. Linux weighs whole sessions against each other where autogroups are on:
    there niceness inside a session of one's own changes nothing, and the session itself has to step back."""
    os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(nice))


def start(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    death_signal: int = signal.SIGTERM,
    nice: int = 0,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in its own session, its output appended to `log`."""
    entry = pwd.getpwnam(user) if user else None
    with log.open("ab") as output:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            user=entry.pw_uid if entry else None,
            group=entry.pw_gid if entry else None,
            extra_groups=[] if entry else None,
            start_new_session=True,
            preexec_fn=dies_with_parent(death_signal, nice),
            cwd=cwd or Path("/"),
        )


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the child's whole group; a group that is gone is no error."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def adopt_orphans() -> None:
    """Make this process the new parent of grandchildren whose parent dies, so that none escapes."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> dict[int, str]:
    """Direct children and their state (`Z`: ended). `/proc/<pid>/stat` is `pid (name) state parent …`."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == os.getpid():
            found[int(stat.parent.name)] = state
    return found


def trim(log: Path) -> None:
    """Keep a log that has grown past the limit as `<name>.1` and begin it anew; writers append on."""
    if log.stat().st_size > LOG_LIMIT_BYTES:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, for a message that says why something failed."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else ""


def wait_for(condition: Callable[[], bool], seconds: float, interval: float = 0.05) -> bool:
    """Wait until the condition holds; False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(interval)
    return condition()


def free_port(wanted: int | None = None) -> int:
    """A loopback port that can be bound now: the wanted one if it is free, else any."""
    for port in (wanted, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("No free loopback port.")


def port_is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.3)
        return probe.connect_ex(("127.0.0.1", port)) == 0
