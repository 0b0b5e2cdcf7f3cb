import subprocess
import sys

import pytest

from stockcast.core import deadline


@pytest.mark.parametrize(("seconds", "struck"), [(-1.0, "True"), (600.0, "False"), (None, "False")])
def test_workers_know_the_deadline_of_the_run(seconds, struck):
    deadline.give(seconds)
    try:
        code = "from stockcast.core import deadline; print(deadline.struck())"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert child.stdout.strip() == struck
        assert str(deadline.struck()) == struck
    finally:
        deadline.give(None)
