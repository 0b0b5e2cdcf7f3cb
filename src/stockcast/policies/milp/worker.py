"""The one process that solves, kept for many problems; killed and replaced when it does not answer in time."""

import atexit
import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, final

from stockcast.policies.milp.child import receive, send
from stockcast.policies.milp.problem import Answer, Problem

GRACE = 2.0  # seconds beyond its time limit that a solver has to stop by itself
START = 60.0  # seconds for the process to come up on a machine that is busy
CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from stockcast.policies.milp.child import main; main()"
DIED = "failed: the solver's process ended"
KILLED = "killed at its time limit"


class Solver(ABC):
    """What answers a problem: the process below, or a test's stand-in."""

    @abstractmethod
    def ask(self, name: str, problem: Problem, time_limit: float) -> Answer:
        """Give the named solver's answer within a time limit."""


@final
class Worker(Solver):
    """A child process that solves one problem at a time.

    It starts with the first problem (or :meth:`start`) and stays; one that hangs beyond its time limit is killed with
    all it started, and the next problem gets a fresh one.

    Parameters
    ----------
    command
        What to run, for tests; a Python with this module's path by default.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command) if command else [sys.executable, "-c", CODE, json.dumps(sys.path)]
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[object] = queue.Queue()
        self._ready = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the process without waiting for it: it loads what it needs while the caller goes on."""
        if self._process is not None and self._process.poll() is None:
            return
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._ready = False
        self._answers = queue.Queue()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | one_thread,
            start_new_session=True,  # a group of its own: killed together with the solver it started
        )
        threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()

    def ask(self, name: str, problem: Problem, time_limit: float) -> Answer:
        """Give the named solver's answer; a process that ends or hangs is an answer too."""
        began = time.monotonic()

        def without(status: str) -> Answer:
            self.close()
            return Answer(name, status, None, problem.floor, time.monotonic() - began)

        with self._lock:
            try:
                self.start()
                if not self._ready:
                    if self._answers.get(timeout=min(START, time_limit + GRACE)) != "ready":
                        return without(DIED)
                    self._ready = True
                process: Any = self._process
                send(process.stdin, (name, problem, time_limit))
                found = self._answers.get(timeout=time_limit + GRACE)
            except queue.Empty:
                return without(KILLED)
            except OSError:
                return without(DIED)
            if not isinstance(found, Answer):
                return without(DIED)
            return found

    def close(self) -> None:
        """Kill the process and everything that it started."""
        process, self._process, self._ready = self._process, None, False
        if process is None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


def _listen(stream: Any, answers: "queue.Queue[object]") -> None:
    """Pass on what the process says; its end is told as None."""
    found: object | None = "begin"
    while found is not None:
        try:
            found = receive(stream)
        except (OSError, ValueError, EOFError, pickle.PickleError):  # closed meanwhile, or not what was asked for
            found = None
        answers.put(found)


_kept: list[Worker] = []


def kept(count: int = 1) -> list[Worker]:
    """Give the workers of this process, closed when Python ends."""
    while len(_kept) < max(count, 1):
        _kept.append(Worker())
        atexit.register(_kept[-1].close)
    return _kept[: max(count, 1)]
