"""Keeps children running: restarts the one that dies, ends all of them in order, lets nothing escape."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llmmetrics.stack import processes
from llmmetrics.stack.processes import group_is_alive, signal_group, wait_for

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0
STEADY_S = 30.0
LEFTOVER_GRACE_S = 0.5
KILL_GRACE_S = 10.0


@dataclass
class Child:
    """One supervised process and how to end it. Servers end after what uses them."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0
    is_server: bool = False
    process: subprocess.Popen[bytes] | None = None
    delay_s: float = FIRST_DELAY_S
    retry_at: float = 0.0
    started_at: float = 0.0

    def launch(self) -> None:
        self.process = self.start()
        self.started_at = time.monotonic()

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def end(self) -> None:
        """Wait for the end that was asked for, then kill."""
        if self.process is None:
            return
        try:
            self.process.wait(self.grace_s)
        except subprocess.TimeoutExpired:
            signal_group(self.process, signal.SIGKILL)
            self.process.wait(KILL_GRACE_S)

    def sweep(self) -> None:
        """End members of the group that outlived their leader, and wait until they are gone."""
        if self.process is None or not group_is_alive(self.process.pid):
            return
        group = self.process
        signal_group(group, signal.SIGTERM)
        wait_for(lambda: not group_is_alive(group.pid), LEFTOVER_GRACE_S)
        signal_group(group, signal.SIGKILL)
        wait_for(lambda: not group_is_alive(group.pid), KILL_GRACE_S)


@dataclass
class Supervisor:
    """Children in the order of their start.

    With `adopts`, the process has called `processes.adopt_orphans()`: what a dead child leaves behind
    in whatever process group (PostgreSQL's backends each have their own) comes to us and is ended.
    `errands` are children that nobody restarts.
    """

    say: Callable[[str], None]
    adopts: bool = False
    children: list[Child] = field(default_factory=list)
    errands: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self, child: Child) -> Child:
        child.launch()
        self.children.append(child)
        return child

    def pids(self) -> dict[str, int]:
        return {child.name: child.process.pid for child in self.children if child.process is not None}

    def tend(self) -> bool:
        """Restart what has died, with a growing delay; True where something was restarted."""
        restarted = [child.name for child in self.children if self._tend(child, time.monotonic())]
        return bool(restarted)

    def _tend(self, child: Child, now: float) -> bool:
        if child.process is None:
            return False
        if child.process.poll() is None:
            if now - child.started_at > STEADY_S:
                child.delay_s = FIRST_DELAY_S
            return False
        if not child.retry_at:
            child.retry_at = now + child.delay_s
            child.delay_s = min(child.delay_s * 2, LONGEST_DELAY_S)
            self.say(f"{child.name} ended (code {child.process.returncode}); starting it again")
        if now < child.retry_at:
            return False
        self._sweep([child])
        child.launch()
        child.retry_at = 0.0
        return True

    def stop(self) -> None:
        """End everything: the application at once, then the servers that it stands on."""
        for errand in self.errands:
            if errand.poll() is None:
                signal_group(errand, signal.SIGTERM)
        for is_server in (False, True):
            ending = [child for child in reversed(self.children) if child.is_server == is_server]
            for child in ending:
                child.ask_to_end()
            for child in ending:
                child.end()
            self._sweep(ending)

    def _sweep(self, ended: list[Child]) -> None:
        """End what the ended children left behind: all adopted orphans, else what is in their groups."""
        if not self.adopts:
            for child in ended:
                child.sweep()
            return
        for number, grace_s in ((signal.SIGTERM, LEFTOVER_GRACE_S), (signal.SIGKILL, KILL_GRACE_S)):
            for pid in self._leftovers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if wait_for(lambda: not self._leftovers(), grace_s):
                return

    def _leftovers(self) -> set[int]:
        """Living children that are not ours by start; those that have ended are collected on the way."""
        known = set(self.pids().values()) | {errand.pid for errand in self.errands}
        found = {pid: state for pid, state in processes.children().items() if pid not in known}
        for pid, state in found.items():
            if state == "Z":
                os.waitpid(pid, os.WNOHANG)
        return {pid for pid, state in found.items() if state != "Z"}
