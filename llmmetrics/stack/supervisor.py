"""Keeps children running: restarts the one that dies, ends all of them in order."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llmmetrics.stack.processes import group_is_alive, signal_group, wait_for

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0
STEADY_S = 30.0


@dataclass
class Child:
    """One supervised process and how to end it."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0
    process: subprocess.Popen[bytes] | None = None
    delay_s: float = FIRST_DELAY_S
    retry_at: float = 0.0
    started_at: float = 0.0

    def launch(self) -> None:
        self.process = self.start()
        self.started_at = time.monotonic()

    def end(self) -> None:
        """Ask, wait, then kill what is left of the group."""
        if self.process is None:
            return
        process = self.process
        if process.poll() is None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(self.grace_s)
            except subprocess.TimeoutExpired:
                signal_group(process, signal.SIGKILL)
                process.wait(5)
        self.sweep()
        self.process = None

    def sweep(self) -> None:
        """End members of the group that outlived their leader, and wait until they are gone."""
        if self.process is None or not group_is_alive(self.process.pid):
            return
        group = self.process
        # Backends of a killed PostgreSQL end by themselves; give them a moment before the kill.
        wait_for(lambda: not group_is_alive(group.pid), 1.0)
        signal_group(group, signal.SIGKILL)
        wait_for(lambda: not group_is_alive(group.pid), 5.0)


@dataclass
class Supervisor:
    """Children in the order of their start; they end in reverse."""

    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    is_stopping: bool = False

    def add(self, child: Child) -> Child:
        child.launch()
        self.children.append(child)
        return child

    def pids(self) -> dict[str, int]:
        return {child.name: child.process.pid for child in self.children if child.process is not None}

    def tend(self) -> bool:
        """Restart what has died, with a growing delay; True where something was restarted."""
        restarted = False
        now = time.monotonic()
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                if child.process is not None and now - child.started_at > STEADY_S:
                    child.delay_s = FIRST_DELAY_S
                continue
            if not child.retry_at:
                child.retry_at = now + child.delay_s
                child.delay_s = min(child.delay_s * 2, LONGEST_DELAY_S)
                self.say(f"{child.name} ended (code {child.process.returncode}); starting it again")
            if now >= child.retry_at:
                child.sweep()
                child.launch()
                child.retry_at = 0.0
                restarted = True
        return restarted

    def stop(self) -> None:
        self.is_stopping = True
        for child in reversed(self.children):
            child.end()
