"""Child processes that end with their parent, each in a process group of its own."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 20 * 2**20
_libc = ctypes.CDLL(None, use_errno=True)


def dies_with_parent(death_signal: int, nice: int = 0) -> Callable[[], None]:
    """A function for the child to run before exec: get `death_signal` when the parent dies."""

    def prepare() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if nice:
            os.nice(nice)

    return prepare


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
    """Start a child in its own session, its output appended to `log` (begun anew past 20 MiB)."""
    is_large = log.exists() and log.stat().st_size > LOG_LIMIT_BYTES
    entry = pwd.getpwnam(user) if user else None
    with log.open("wb" if is_large else "ab") as output:
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
