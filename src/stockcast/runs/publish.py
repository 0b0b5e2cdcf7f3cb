"""All of a run or nothing: its files are made aside, and take their place in one step.

A run is written into a staging folder beside its place, synced to disk, and renamed to it; where an earlier run of the
same name stands there, the two change places at once. ``latest.json`` follows with one rename. A kill at any moment
leaves the earlier run or the whole new one; what is left aside, the next run clears away or brings to its end.
"""

import ctypes
import errno
import fcntl
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, final

from stockcast.core.errors import InvariantError, UsageError
from stockcast.core.findings import Issue
from stockcast.report.disk import reaching, replace_file, resource_error, sync, sync_tree, write_file
from stockcast.runs import manifest

LATEST = "latest.json"
FAILED = "failed"
_STAGING, _NEXT, _ASIDE = ".stockcast-staging-", ".latest.json.next", ".stockcast-replaced-"
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


@final
class Publication:
    """A context that gives a staging folder, and publishes what was written there when the block ends well.

    The block must write ``manifest.json`` last (:func:`stockcast.runs.manifest.write`). If it raises, the staging
    folder is removed and nothing changes. Hold the lock of ``base`` around it.

    Parameters
    ----------
    base
        The output folder; the run goes to ``base/run_id`` and ``base/latest.json`` names it.
    run_id
        The name of the run.
    out
        A folder to publish to instead: absent, empty or an earlier run; ``latest.json`` stays as it is then.
    name_it
        Whether ``latest.json`` shall name the run; not for one that is held back.
    keep
        How many runs to leave in ``base``; the oldest beyond them go. None keeps all.

    Raises
    ------
    UsageError
        If ``out`` holds anything else (exit 2).
    InvariantError
        If a run that is not to be named would replace the one that ``latest.json`` names.
    ResourceError
        If the operating system refuses at any step (exit 6); what was published before is untouched.
    """

    def __init__(
        self, base: Path, run_id: str, out: Path | None = None, *, keep: int | None = None, name_it: bool = True
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", run_id):
            raise UsageError(f"{run_id!r} cannot name a run: letters, digits, dots, dashes and underscores only")
        self.base = base
        self.run_id = run_id
        self.keep = keep
        self.out = out
        self.name_it = name_it and out is None
        self.target = base / run_id if out is None else Path(os.path.realpath(out))
        self.staging = self.target.parent / f"{_STAGING}{run_id}-{os.getpid()}"
        self._alive = -1

    def __enter__(self) -> Path:
        """Clear away what dead runs left, and make the staging folder."""
        parent = self.target.parent
        if self.out is not None:
            check_out(self.out)
        if self.out is None and not self.name_it and latest(self.base) == self.target:
            raise InvariantError(f"{self.run_id} would replace the newest run unnamed", code="SC-B013")
        with reaching(parent, "make the folder"):
            parent.mkdir(parents=True, exist_ok=True)
        with reaching(self.staging, "make the folder"):
            entry = _exclusive(parent)
            try:
                recover(parent)
                if self.staging.exists():  # of a dead process with this pid: recover leaves it where it cannot lock
                    shutil.rmtree(self.staging)
                self.staging.mkdir()
                self._alive = _lock_folder(self.staging)
            finally:
                os.close(entry)
        return self.staging

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish, or remove the staging folder."""
        try:
            if error is None:
                self._publish()
            elif isinstance(error, OSError) and (error.errno in _DISK or str(self.staging) in str(error.filename)):
                raise resource_error(error.filename or self.target, "write", error) from error
        finally:
            shutil.rmtree(self.staging, ignore_errors=True)
            if self._alive >= 0:
                os.close(self._alive)
                self._alive = -1
        if error is None:
            self._tidy()

    def _publish(self) -> None:
        manifest.read(self.staging)  # a run without one is no run
        if self.out is not None:
            check_out(self.out)
        with reaching(self.target, "publish"):
            sync_tree(self.staging)
            entry = _exclusive(self.target.parent)
            try:
                self._switch()
            finally:
                os.close(entry)

    def _switch(self) -> None:
        """Put the run in its place and name it; what was done is undone in reverse where a step fails."""
        name, draft = self.base / LATEST, self.base / _NEXT
        with ExitStack() as undo:
            if self.name_it:
                before = name.read_bytes() if name.exists() else None
                undo.callback(draft.unlink, missing_ok=True)
                write_file(draft, self._note(), durable=True)
            replaced = _put_in_place(self.staging, self.target)
            undo.callback(_take_back, self.staging, self.target, replaced=replaced)
            sync(self.target.parent)
            if self.name_it:
                undo.callback(_restore, name, before)
                os.replace(draft, name)
                sync(self.base)
            undo.pop_all()

    def _note(self) -> bytes:
        digest = manifest.file_hash(self.staging / manifest.NAME)
        note = {"run_id": self.run_id, "manifest_sha256": digest, "path": self.run_id}
        return f"{json.dumps(note, indent=2)}\n".encode()

    def _tidy(self) -> None:
        if self.out is None:
            shutil.rmtree(self.base / FAILED, ignore_errors=True)
            if self.keep is not None:
                with suppress(OSError):  # the run is published already
                    prune(self.base, self.keep)


def check_out(out: Path) -> None:
    """Raise unless ``--out`` names a folder that may be replaced: absent, empty, or an earlier run.

    Raises
    ------
    UsageError
        If it is a file, or a folder with anything else in it (exit 2).
    ResourceError
        If it cannot be looked at.
    """
    with reaching(out, "look at"):
        if not out.exists() and not out.is_symlink():
            return
        if out.is_dir() and (manifest.is_run(out) or next(out.iterdir(), None) is None):
            return
    what = "holds files that are not a run of stockcast" if out.is_dir() else "is not a folder"
    raise UsageError(
        f"--out {out}: {what}", code="SC-E005", help="name a folder that is absent, empty, or an earlier run"
    )


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at once; False where the system has no such call."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    at_cwd, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if call(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _put_in_place(staging: Path, target: Path) -> bool:
    """Rename the staging folder to its place; True where an earlier run now stands in the staging folder."""
    if not target.exists() or (target.is_dir() and next(target.iterdir(), None) is None):
        os.rename(staging, target)  # over an empty folder too
        return False
    if not _exchange(staging, target):
        aside = target.parent / f"{_ASIDE}{target.name}"
        with ExitStack() as undo:  # killed between these, recover() brings the run back or finishes
            os.rename(target, aside)
            undo.callback(os.rename, aside, target)
            os.rename(staging, target)
            undo.callback(os.rename, target, staging)
            os.rename(aside, staging)
            undo.pop_all()
    return True


def _take_back(staging: Path, target: Path, *, replaced: bool) -> None:
    if not replaced:
        os.rename(target, staging)
    elif not _exchange(staging, target):
        aside = target.parent / f"{_ASIDE}{target.name}"
        os.rename(staging, aside)
        os.rename(target, staging)
        os.rename(aside, target)


def _restore(name: Path, before: bytes | None) -> None:
    if before is None:
        name.unlink(missing_ok=True)
    elif name.read_bytes() != before:
        replace_file(name, before)


def _exclusive(parent: Path) -> int:
    """Lock a folder against other processes that clear it or make a staging folder in it; give the handle."""
    handle = os.open(parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in (errno.EBADF, errno.ENOTSUP, errno.ENOLCK):  # network shares cannot lock a folder
            os.close(handle)
            raise
    return handle


def _lock_folder(folder: Path) -> int:
    """Lock a staging folder for as long as its process lives; give the handle, or −1 if that cannot be had now."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EBADF, errno.ENOTSUP, errno.ENOLCK):
            raise
        return -1
    return handle


def recover(parent: Path) -> None:
    """Bring what killed runs left in a folder to its end: finish ``latest.json``, bring back, clear away.

    The caller holds the lock of the folder itself. A staging folder that is locked belongs to a living process, and
    stays.

    Raises
    ------
    OSError
        If the operating system refuses.
    """
    for aside in sorted(parent.glob(f"{_ASIDE}*")):
        target = parent / aside.name.removeprefix(_ASIDE)
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.rename(aside, target)
    draft = parent / _NEXT
    if draft.exists():
        if _names_a_run(draft):
            os.replace(draft, parent / LATEST)
            sync(parent)
        else:
            draft.unlink()
    for staging in sorted(parent.glob(f"{_STAGING}*")):
        try:
            handle = _lock_folder(staging)
        except FileNotFoundError:
            continue  # its process published it since the folder was read
        if handle >= 0:
            try:
                shutil.rmtree(staging, ignore_errors=True)
            finally:
                os.close(handle)


def _names_a_run(note: Path) -> bool:
    """Tell whether a draft of ``latest.json`` is whole and names a run that stands there as it says."""
    try:
        facts = json.loads(note.read_bytes())
        found = manifest.file_hash(note.parent / facts["path"] / manifest.NAME)
    except (ValueError, KeyError, TypeError, FileNotFoundError):
        return False
    return bool(found == facts["manifest_sha256"])


def latest(base: Path) -> Path | None:
    """Give the folder of the newest run that was published in an output folder, or None.

    Raises
    ------
    UsageError
        If ``latest.json`` cannot be read or names no run.
    """
    path = base / LATEST
    try:
        facts: Any = json.loads(path.read_bytes())
        folder = base / str(facts["path"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path}: cannot be read", code="SC-E006", help="publish a run again") from None
    manifest.read(folder)
    return folder


def prune(base: Path, keep: int) -> list[str]:
    """Remove the oldest runs beyond ``keep``, by the time of their manifest; never the one that is the latest.

    What cannot be removed stays: a full disk or a missing permission is no reason to fail a run that is published.
    """
    newest = latest(base)
    runs = [folder for folder in base.iterdir() if folder.name[0] != "." and folder.is_dir() and folder != newest]
    runs = [folder for folder in runs if manifest.is_run(folder)]
    runs.sort(key=lambda folder: ((folder / manifest.NAME).stat().st_mtime_ns, folder.name), reverse=True)
    gone = []
    for folder in runs[max(keep - (newest is not None), 0) :]:
        doomed = base / f"{_STAGING}pruned-{folder.name}"
        try:
            os.rename(folder, doomed)  # in one step: half a run is never seen
            shutil.rmtree(doomed, ignore_errors=True)
        except OSError:
            continue
        gone.append(folder.name)
    return gone


def publish_issues(base: Path, issues: Sequence[Issue]) -> Path:
    """Write the issues of a check that failed to ``base/failed/issues.csv``, and give its path.

    Nothing else is touched; the next run that is published takes it away.

    Raises
    ------
    ResourceError
        If the operating system refuses.
    """
    from stockcast.report.files import to_arrow, to_csv  # pyarrow, which a run that stops early need not load
    from stockcast.report.tables import issues_table

    folder = base / FAILED
    with reaching(folder, "make the folder"):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / "issues.csv"
    replace_file(path, b"".join(to_csv(to_arrow(issues_table(issues)))))
    return path
