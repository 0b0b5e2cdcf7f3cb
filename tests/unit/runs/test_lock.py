"""One run at a time."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from stockcast.core.errors import LockedError
from stockcast.runs.lock import held

HOLDER = """
import sys, time
from pathlib import Path
from stockcast.runs.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_told_who_holds_it_and_death_frees_it(tmp_path, holder):
    with pytest.raises(LockedError) as caught, held(tmp_path):
        pytest.fail("held twice")
    facts = json.loads((tmp_path / ".lock").read_text())
    assert facts["pid"] == holder.pid
    assert caught.value.exit_code == 5
    for part in (f"pid {holder.pid}", facts["host"], facts["start"]):
        assert part in caught.value.message
    os.kill(holder.pid, signal.SIGKILL)
    with held(tmp_path, wait=30.0):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()


def test_it_waits(tmp_path):
    inside, done = threading.Event(), threading.Event()

    def first():
        with held(tmp_path):
            inside.set()
            done.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(30)
    threading.Timer(0.3, done.set).start()
    with held(tmp_path, wait=30.0):
        assert done.is_set()
    thread.join()


def test_it_is_free_after_an_error_and_says_nothing_then(tmp_path):
    with pytest.raises(KeyError), held(tmp_path / "new"):
        raise KeyError
    assert (tmp_path / "new" / ".lock").read_text() == ""
    with held(tmp_path / "new"):
        pass
