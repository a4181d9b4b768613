"""Runs inputs one after the other under a limit of time and of memory, and keeps what breaks something."""

from __future__ import annotations

import faulthandler
import hashlib
import json
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

from shrink import shrunken

SECONDS = 5  # of this process's time for one command on one input: how busy the machine is does not matter
HUNG = 120  # seconds after which a process is ended that does not answer, as inside of one regular expression
MEMORY = 1 << 30
SHRINKING = 60  # seconds spent on making a finding smaller
EVERY = 1000  # inputs between two lines that say how far the run is


def next_command() -> None:
    """Gives the command that begins now the whole time, as it would have in a process of its own."""
    if signal.getitimer(signal.ITIMER_PROF)[0]:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)


class TooSlow(BaseException):
    """An input took longer than SECONDS. No `except Exception` stops it."""


@dataclass
class Report:
    """What a process has to say at its end. Times in seconds, memory in bytes."""

    inputs: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    slowest_input: str = ""
    peak: int = 0
    findings: list[str] = field(default_factory=list)


class Watch:
    """`run` takes an input and says what became of it; `strict` does too, and leaves out no step.

    `watch(content)` counts an input once. A finding goes to `folder`, as small as it gets, with its traceback beside.
    """

    def __init__(
        self, name: str, count: int, folder: Path, run: Callable[[bytes], str], strict: Callable[[bytes], str]
    ) -> None:
        self.name, self.count, self.folder, self.run, self.strict = name, count, folder, run, strict
        self.report = Report()
        self._seen: set[bytes] = set()
        self._kinds: set[str] = set()
        self._began = time.monotonic()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGPROF, _stop)

    @property
    def enough(self) -> bool:
        return self.report.inputs >= self.count

    def __call__(self, content: bytes) -> None:
        digest = hashlib.blake2b(content, digest_size=8).digest()
        if self.enough or digest in self._seen:
            return
        self._seen.add(digest)
        start = time.process_time()
        error = self._failure(content, self.run)
        taken = time.process_time() - start
        report = self.report
        report.inputs += 1
        if taken > report.slowest:
            report.slowest, report.slowest_input = taken, content.decode(errors="replace")[:2000]
        if error is not None:
            self._keep(content, error)
        if report.inputs % EVERY == 0 or self.enough:
            self._say()

    def _failure(self, content: bytes, run: Callable[[bytes], str]) -> BaseException | None:
        """What an input raised."""
        faulthandler.dump_traceback_later(HUNG, exit=True)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            outcome = run(content)
            self.report.outcomes[outcome] = self.report.outcomes.get(outcome, 0) + 1
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also TooSlow, SystemExit and what else there may be
            return error
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.cancel_dump_traceback_later()
        return None

    def _keep(self, content: bytes, error: BaseException) -> None:
        """Writes a finding of a kind that has not been met."""
        kind = _kind(error)
        if kind in self._kinds:
            return
        self._kinds.add(kind)
        outcomes = dict(self.report.outcomes)

        def breaks(other: bytes) -> bool:
            again = self._failure(other, self.strict)
            return again is not None and _kind(again) == kind

        small = shrunken(content, breaks, SHRINKING)
        self.report.outcomes = outcomes
        digest = hashlib.blake2b(small, digest_size=4).hexdigest()
        path = self.folder / f"{type(error).__name__}-{digest}.arch"
        path.write_bytes(small)
        path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        self.report.findings.append(f"{path.name}: {kind}: {str(error)[:200]}")
        print(f"fuzz {self.name}: FOUND {path}: {kind}", file=sys.stderr, flush=True)

    def _say(self) -> None:
        report = self.report
        report.peak = _peak()
        outcomes = ", ".join(f"{count:,} {what}" for what, count in sorted(report.outcomes.items()))
        print(
            f"fuzz {self.name}: {report.inputs:,} of {self.count:,} in {time.monotonic() - self._began:.0f} s:"
            f" {outcomes}; slowest {report.slowest:.2f} s, peak {report.peak >> 20} MB",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        """The report, as one line of JSON."""
        print(json.dumps(asdict(self.report)), flush=True)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def _kind(error: BaseException) -> str:
    """The error's type and where in archdsl it came up, which for what is too slow would be anywhere."""
    if isinstance(error, (TooSlow, MemoryError)):
        return type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "tests" not in frame.filename and "site-packages" not in frame.filename]
    last = (ours or frames)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, `{last.name}`"


def _peak() -> int:
    """Bytes of memory that this program has used at most. (`ru_maxrss` counts what started it too.)"""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmHWM"))
