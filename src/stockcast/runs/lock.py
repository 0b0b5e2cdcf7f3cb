"""One run at a time: a lock that the operating system holds, and frees when its holder ends, however it ends."""

import errno
import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from stockcast.core.errors import LockedError
from stockcast.report.disk import reaching

NAME = ".lock"
_PAUSE = 0.1  # seconds between two tries


@contextmanager
def held(folder: Path, *, wait: int | float = 0.0) -> Generator[None, None, None]:
    """Hold the lock of an output folder for as long as the block runs; make the folder where it is missing.

    The lock is ``flock`` on ``<folder>/.lock``. Who holds it (pid, host, start, command) is written inside, for the
    message of the one that comes second; the file stays when the lock is free, and says nothing then.

    Parameters
    ----------
    wait
        Seconds to wait for another holder.

    Raises
    ------
    LockedError
        If another run still holds the lock after that time.
    ResourceError
        If the folder cannot be made or the lock file not be written.
    """
    path = folder / NAME
    with reaching(folder, "make the folder"):
        folder.mkdir(parents=True, exist_ok=True)
    with reaching(path, "lock"):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _acquire(handle, path, wait)
        with reaching(path, "write"):
            os.ftruncate(handle, 0)
            os.pwrite(handle, _about_me(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, wait: int | float) -> None:
    until = time.monotonic() + wait
    while True:
        with reaching(path, "lock"):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
        left = until - time.monotonic()
        if left <= 0:
            raise _locked(handle, path)
        time.sleep(min(_PAUSE, left))


def _about_me() -> bytes:
    facts = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "start": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    return json.dumps(facts, ensure_ascii=False).encode()


def _locked(handle: int, path: Path) -> LockedError:
    try:
        facts = json.loads(os.pread(handle, 4096, 0))
        holder = f"pid {facts['pid']} on {facts['host']}, since {facts['start']}"
        details = [f"it runs: {facts['command']}"]
    except (OSError, ValueError, KeyError, TypeError):  # caught between locking and writing
        holder, details = "its holder has not signed yet", []
    return LockedError(
        f"another run holds the lock {path} ({holder})",
        code="SC-E004",
        details=details,
        help="wait for it (--wait SECONDS), or end that process; the lock is free as soon as it has ended",
    )
