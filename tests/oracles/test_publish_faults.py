"""Every call that publishing makes of the operating system fails once, and is the last once: KEEP, or the new whole.

The invariant, after any fault: the run that stood there is byte-identical, or the new one is complete; ``latest.json``
names a run that verifies (after the next run's recovery where a kill fell between two renames); the next run succeeds
and leaves nothing aside.
"""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stockcast.core.errors import ResourceError
from stockcast.report.disk import write_file
from stockcast.runs import manifest, publish
from stockcast.runs.publish import Publication, latest

CALLS = ("open", "write", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir")


@contextmanager
def counted(act: Callable[[str, int], None]) -> Generator[list[str], None, None]:
    """Call ``act(name, count)`` before every call of the operating system; give the names so far."""
    seen: list[str] = []
    real = {name: getattr(os, name) for name in CALLS}
    exchange = publish._exchange

    def before(name, function):
        def call(*args, **options):
            seen.append(name)
            act(name, len(seen))
            return function(*args, **options)

        return call

    for name, function in real.items():
        setattr(os, name, before(name, function))
    publish._exchange = before("rename", exchange)
    try:
        yield seen
    finally:
        for name, function in real.items():
            setattr(os, name, function)
        publish._exchange = exchange


def make(base: Path, run_id: str, text: bytes) -> None:
    with Publication(base, run_id) as folder:
        write_file(folder / "plan.csv", text)
        write_file(folder / "orders.csv", text)
        manifest.write(folder, manifest.Manifest(run_id=run_id, as_of="2026-11-22", status="ok", seed=7))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def whole(folder: Path, text: bytes) -> bool:
    return manifest.verify(folder) == [] and (folder / "plan.csv").read_bytes() == text


def assert_next_run_succeeds(base: Path, run_id: str) -> None:
    make(base, run_id, b"next")
    assert latest(base) == base / run_id
    assert whole(base / run_id, b"next")
    assert [path.name for path in base.iterdir() if path.name[0] == "."] == []


def names_a_run_as_it_stands(base: Path) -> bool:
    return publish._names_a_run(base / publish.LATEST)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("new", ["r1", "r2"])
@pytest.mark.parametrize("exchange", [True, False])
def test_each_call_fails_once(tmp_path, monkeypatch, number, new, exchange):
    if not exchange:
        monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    at, failures = 0, 0
    while True:
        at += 1
        base = tmp_path / str(at)
        make(base, "r1", b"old")
        before = snapshot(base)

        def fail(name, count, at=at):
            if count == at:
                raise OSError(number, os.strerror(number))

        refused: ResourceError | None = None
        with counted(fail) as seen:
            try:
                make(base, new, b"new")
            except ResourceError as error:
                refused = error
        if len(seen) < at:
            break
        failures += refused is not None
        if refused is not None:
            assert refused.exit_code == 6
            assert os.strerror(number) in refused.message
            after = snapshot(base)
            assert {name: after.get(name) for name in before} == before
            assert not (base / "r2").exists()
            assert names_a_run_as_it_stands(base)
        else:  # only while clearing away after everything stood, or making the output folder, which stands
            assert seen[at - 1] not in ("write", "fsync", "replace")
            assert whole(base / new, b"new")
            assert latest(base) == base / new
        assert_next_run_succeeds(base, new)
    assert failures >= 15


FORKED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_publish_faults import counted, make
from stockcast.runs import publish
root, new, way = Path(sys.argv[1]), sys.argv[3], sys.argv[4]
if way == "renames":
    publish._exchange = lambda one, other: False
at = 0
while True:
    at += 1
    make(root / str(at), "r1", b"old")
    child = os.fork()  # one interpreter for all the kills: starting one each would take minutes
    if child == 0:
        def act(name, count):
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
        with counted(act):
            make(root / str(at), new, b"new")
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
print(at)
"""


@pytest.mark.parametrize("way", ["exchange", "renames"])
@pytest.mark.parametrize("new", ["r1", "r2"])
def test_killed_before_each_call(tmp_path, new, way):
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(tmp_path), here, new, way], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kills = int(done.stdout) - 1
    assert kills >= 15
    outcomes = set()
    for at in range(1, kills + 1):
        base = tmp_path / str(at)
        exists = (base / "r1").exists()
        assert exists or way == "renames"  # without an exchange a moment has neither; recovery brings it back
        if exists:
            old, fresh = whole(base / "r1", b"old"), whole(base / "r1", b"new")
            assert old or fresh
            outcomes.add(fresh)
        if (base / "r2").exists():
            assert whole(base / "r2", b"new")
        publish.recover(base)
        assert names_a_run_as_it_stands(base)
        assert manifest.verify(latest(base)) == []
        assert_next_run_succeeds(base, new)
    assert outcomes == ({True, False} if new == "r1" else {False})


PUBLISHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_publish_faults import make
print("ready", flush=True)
sys.stdin.readline()
for at in range(20):
    make(Path(sys.argv[1]), sys.argv[3], f"{sys.argv[4]}{at}".encode())
"""


@pytest.mark.parametrize("names", [("r1", "r1"), ("r1", "r2")])
def test_two_processes_publish_at_once(tmp_path, names):
    here = str(Path(__file__).parent)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, str(tmp_path), here, name, f"p{at}-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for at, name in enumerate(names)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        _, complaint = child.communicate(timeout=120)
        assert child.returncode == 0, complaint
    for name in set(names):
        assert manifest.verify(tmp_path / name) == []
        assert (tmp_path / name / "plan.csv").read_bytes()[-3:] == b"-19"
    assert names_a_run_as_it_stands(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name[0] == "."] == []
