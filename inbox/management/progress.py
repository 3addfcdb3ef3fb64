"""A bar for commands that take minutes: on a terminal one line that is written over, elsewhere a line a step."""

from __future__ import annotations

import sys
import time

WIDTH = 30


class Progress:
    def __init__(self) -> None:
        self.started = self.step_started = time.monotonic()
        self.step = ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        kind = step.partition(" ")[0]
        if kind != self.step:
            self.step, self.step_started = kind, now
            if not sys.stderr.isatty() and total > 1:
                sys.stderr.write(f"{self.seconds:6.0f} s  {step}\n")
        if sys.stderr.isatty():
            full, spent = WIDTH * done // max(total, 1), now - self.step_started
            left = f", {spent / done * (total - done):.0f} s left" if done and spent > 1 else ""
            bar = "#" * full + "." * (WIDTH - full)
            sys.stderr.write(f"\r\033[K{step} [{bar}] {100 * done // max(total, 1):3d} %  {done:,} of {total:,}{left}")
            sys.stderr.flush()

    def end(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
