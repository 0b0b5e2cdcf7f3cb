"""Bytes to files: every call to the operating system that a run's output makes, and what its failure is called."""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from stockcast.core.errors import ResourceError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def resource_error(path: Path | str, doing: str, error: OSError) -> ResourceError:
    """Give the error of exit 6 for a failed call of the operating system, naming the path and the reason.

    Examples
    --------
    >>> resource_error("runs", "write", OSError(errno.ENOSPC, "No space left on device")).message
    'runs: cannot write: No space left on device'
    """
    code, remedy = "SC-E003", "look at the disk or the network share, then run again"
    if error.errno in FULL:
        code, remedy = "SC-E001", "free space there, or choose another output.dir or --out"
    elif error.errno in FORBIDDEN:
        code, remedy = "SC-E002", "give write permission there, or choose another output.dir or --out"
    return ResourceError(f"{path}: cannot {doing}: {error.strerror or error}", code=code, help=remedy)


@contextmanager
def reaching(path: Path | str, doing: str) -> Generator[None, None, None]:
    """Turn an OSError inside the block into a ResourceError about ``path``.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    try:
        yield
    except OSError as error:
        raise resource_error(error.filename or path, doing, error) from error


def write_file(path: Path, *pieces: bytes | memoryview, durable: bool = False) -> None:
    """Write a new file, or write an old one anew, with the permissions that the umask leaves.

    Parameters
    ----------
    pieces
        The content, in order.
    durable
        Whether to wait until the disk has it. Publishing does so for all files of a run at once.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    with reaching(path, "write"):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            for piece in pieces:
                rest = memoryview(piece).cast("B")
                while len(rest):
                    rest = rest[os.write(handle, rest) :]
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place at once: a reader sees the old content or the new, after a power cut too.

    Raises
    ------
    ResourceError
        If the operating system refuses; the old file is untouched then.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with reaching(path, "write"):
        try:
            write_file(draft, content, durable=True)
            os.replace(draft, path)
        except (OSError, ResourceError):
            draft.unlink(missing_ok=True)
            raise
        sync(path.parent)


def sync(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's entries.

    Raises
    ------
    OSError
        If it cannot.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a folder, and need not
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait until the disk has all files and folders under a folder, the innermost first.

    Raises
    ------
    OSError
        If it cannot.
    """
    for place, _, names in os.walk(folder, topdown=False):
        for name in sorted(names):
            sync(Path(place, name))
        sync(Path(place))
