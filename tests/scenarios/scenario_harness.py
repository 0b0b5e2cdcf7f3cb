"""Runs one scenario: a folder with a ``case.yml``, a copy of a project, a command line, and what must come of it.

A case is data, so that one can be added without Python. Its keys::

    id: C03                      # the row of the table of bad inputs and faults
    note: one sentence
    project: minimal             # a folder of tests/scenarios/projects, copied
    files: {data/x.csv: text}    # written over the copy; {base64: …} for bytes, null deletes
    append: {file: text}
    replace: {file: [[old, new]]}
    env: {LC_ALL: C}             # given: the command runs as a process of its own, with these variables (null unsets)
    before: [[run]]              # command lines that must exit 0 first
    place_orders: true           # then the newest run's orders join data/open_orders.csv, as sent
    wrong: pack                  # one of WRONG: a bug of our own that the command runs with
    hold_lock: true              # another holder has the lock; a number: it lets go after that many seconds
    deny_writes: [runs]          # the system forbids writing under these folders
    argv: [check]
    expect:
      exit: 2                    # 0 by default
      stderr_contains: […]       # and stdout_contains, not_contains (in neither)
      kept: true                 # the published runs are untouched, byte for byte
      same_bytes: true           # every file but manifest.json is that of the newest run before
      issues: [{code: …, line: 4}]      # rows of issues.csv that must be there
      rows: {sales: {read: 5}}   # of manifest.json; and counts: {order_lines: 0}
      json: {status: failed}     # stdout is one JSON object, with these values (a.b reaches inside)
      files: {runs/x: …}         # null: must not exist; text: must be contained
"""

import base64
import csv
import errno
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).parent
KNOWN = {
    "id",
    "note",
    "project",
    "files",
    "append",
    "replace",
    "env",
    "before",
    "place_orders",
    "wrong",
    "hold_lock",
    "deny_writes",
    "argv",
    "expect",
}
EXPECTED = {
    "exit",
    "stderr_contains",
    "stdout_contains",
    "not_contains",
    "kept",
    "same_bytes",
    "issues",
    "rows",
    "counts",
    "json",
    "files",
}
LEFT_ASIDE = (".tmp", ".stockcast-staging-", ".stockcast-replaced-", ".latest.json.next")


@dataclass
class Ran:
    exit: int
    stdout: str
    stderr: str


def cases():
    return sorted(HERE.glob("*/case.yml"))


def load(path):
    case = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    assert set(case) <= KNOWN, f"{path}: unknown keys {set(case) - KNOWN}"
    assert set(case["expect"]) <= EXPECTED, f"{path}: unknown keys {set(case['expect']) - EXPECTED}"
    return case


def make_project(case, folder):
    """Copy the project, and lay the case's files over it."""
    if case.get("project"):
        shutil.copytree(HERE / "projects" / case["project"], folder, dirs_exist_ok=True)
    for name, content in (case.get("files") or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        elif isinstance(content, dict):
            path.write_bytes(base64.b64decode(content["base64"]))
        else:
            path.write_bytes(content.encode())
    for name, text in (case.get("append") or {}).items():
        with (folder / name).open("ab") as file:
            file.write(text.encode())
    for name, pairs in (case.get("replace") or {}).items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, f"{name} does not hold {old!r}"
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")


def command(argv, folder, env=None):
    """Run one command line in a folder: in this process, or as a process of its own where ``env`` is given."""
    words = [str(word) for word in argv]
    if env is not None:
        whole = {name: value for name, value in {**os.environ, **env}.items() if value is not None}
        code = "import sys; from stockcast.cli import main; sys.exit(main())"
        run = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=folder, env=whole, capture_output=True, timeout=240, check=False
        )
        return Ran(run.returncode, run.stdout.decode("utf-8", "replace"), run.stderr.decode("utf-8", "replace"))
    from stockcast.cli import main

    before, out, err = Path.cwd(), io.StringIO(), io.StringIO()
    os.chdir(folder)
    try:
        with no_sockets(), redirect_stdout(out), redirect_stderr(err):
            code = main(words)
    finally:
        os.chdir(before)
    return Ran(code, out.getvalue(), err.getvalue())


@contextmanager
def no_sockets():
    """Fail if anything reaches for the network (pipes between our own processes are none)."""
    real, reached = socket.socket.connect, []

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            reached.append(address)
            raise OSError(errno.ENETUNREACH, "no network in a scenario")
        return real(self, address)

    socket.socket.connect = connect
    try:
        yield
    finally:
        socket.socket.connect = real
    assert not reached, f"outbound sockets: {reached}"


@contextmanager
def lock_held(folder, how):
    """Hold the project's lock from elsewhere; a number lets go after that many seconds."""
    from stockcast.runs.lock import held

    taken, let_go = threading.Event(), threading.Event()

    def hold():
        with held(folder, wait=0.0):
            taken.set()
            let_go.wait(None if how is True else float(how))

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(30), "the scenario could not take the lock"
    try:
        yield
    finally:
        let_go.set()
        holder.join()


@contextmanager
def writes_denied(folders):
    """Let the system forbid every write under some folders, for root too."""
    roots = [str(folder.resolve()) for folder in folders]
    real = {name: getattr(os, name) for name in ("open", "mkdir", "rename", "replace")}

    def guarded(name):
        def call(path, *rest, **named):
            writing = name != "open" or (rest and rest[0] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if writing and any(os.path.realpath(path).startswith(root) for root in roots):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real[name](path, *rest, **named)

        return call

    for name in real:
        setattr(os, name, guarded(name))
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def place_orders(folder, output):
    """Add the newest run's orders to the open orders, as a buyer's system would once they are sent."""
    note = json.loads((output / "latest.json").read_text(encoding="utf-8"))
    with (output / note["run_id"] / "orders.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines, "the run before ordered nothing"
    path = folder / "data" / "open_orders.csv"
    with path.open(encoding="utf-8", newline="") as file:
        open_before = list(csv.DictReader(file))
    names = ["order_id", "sku", "quantity", "expected_date", "order_date", "supplier", "status"]
    rows = [{name: row.get(name, "") for name in names} for row in open_before]
    for line in lines:
        sent = {"quantity": line["order_quantity"], "expected_date": line["expected_receipt_date"], "status": "sent"}
        rows.append({name: line.get(name, "") for name in names} | sent)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _off_by_one(planned):
    """Give a plan whose first order is one unit more than its packs hold."""
    quantity = planned.plan.order_quantity.copy()
    quantity[quantity.nonzero()[0][0]] += 1.0
    return replace(planned, plan=replace(planned.plan, order_quantity=quantity))


def _below_moq(planned):
    """Give a plan whose first order is a single pack less than its minimum."""
    quantity = planned.plan.order_quantity.copy()
    quantity[quantity.nonzero()[0][0]] = 6.0  # of 007: a pack of 6, a minimum of 12
    return replace(planned, plan=replace(planned.plan, order_quantity=quantity))


def _tenfold(planned):
    """Give a plan of ten times as much of everything, as after a mistaken unit."""
    return replace(planned, plan=replace(planned.plan, order_quantity=planned.plan.order_quantity * 10.0))


WRONG = {"pack": _off_by_one, "moq": _below_moq, "tenfold": _tenfold}


@contextmanager
def wrong_plan(name):
    """Let the policies give a plan that one of our own bugs might have made."""
    from stockcast import policies

    real = policies.plan
    policies.plan = lambda *given, **named: WRONG[name](real(*given, **named))
    try:
        yield
    finally:
        policies.plan = real


def latest_files(output):
    """Give the bytes of the newest run's files, without its manifest."""
    note = json.loads((output / "latest.json").read_text(encoding="utf-8"))
    run = output / note["run_id"]
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


def output_folder(folder):
    """Give the output folder, by the config if it can be read."""
    from stockcast.core.errors import StockcastError
    from stockcast.runs.config import load as load_config

    try:
        config = load_config(folder / "stockcast.yml")
    except (StockcastError, OSError):
        return folder / "runs"
    return config.root / config.output.dir


def published(folder):
    """Give the hash of every published file; the lock and what a failed check left to read are no runs."""
    if not folder.is_dir():
        return {}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.relative_to(folder).parts[0] != "failed"
    }


def run(path, folder):
    """Carry out a case in an empty folder and check everything that it and every case must hold."""
    case = load(path)
    make_project(case, folder)
    for argv in case.get("before") or []:
        ready = command(argv, folder)
        assert ready.exit == 0, f"{argv} exited {ready.exit}: {ready.stderr}"
    output = output_folder(folder)
    if case.get("place_orders"):
        place_orders(folder, output)
    before = published(output)
    newest = latest_files(output) if case["expect"].get("same_bytes") else {}
    with ExitStack() as stack:
        if case.get("wrong"):
            stack.enter_context(wrong_plan(case["wrong"]))
        if case.get("hold_lock"):
            stack.enter_context(lock_held(output, case["hold_lock"]))
        if case.get("deny_writes"):
            stack.enter_context(writes_denied([folder / name for name in case["deny_writes"]]))
        ran = command(case["argv"], folder, case.get("env"))
    check_expected(case["expect"], ran, folder, output)
    check_always(ran, folder, output)
    if newest:
        now = latest_files(output)
        assert set(now) == set(newest)
        assert not [name for name, content in now.items() if content != newest[name]]
    if case["expect"].get("kept") or ran.exit not in (0, 4, 7):
        assert published(output) == before, "a published run changed"


def check_expected(expect, ran, folder, output):
    told = f"\n--- stdout\n{ran.stdout}\n--- stderr\n{ran.stderr}"
    assert ran.exit == expect.get("exit", 0), f"exit {ran.exit}{told}"
    for text in expect.get("stderr_contains") or []:
        assert text in ran.stderr, f"{text!r} is not in stderr{told}"
    for text in expect.get("stdout_contains") or []:
        assert text in ran.stdout, f"{text!r} is not in stdout{told}"
    for text in expect.get("not_contains") or []:
        assert text not in ran.stdout + ran.stderr, f"{text!r} was shown{told}"
    for wanted in expect.get("issues") or []:
        rows = issues(output)
        assert any(all(row.get(key, "") == str(value) for key, value in wanted.items()) for row in rows), (
            f"no issue {wanted} in {rows}"
        )
    for table, wanted in (expect.get("rows") or {}).items():
        found = manifest(output)["rows"][table]
        assert {key: found[key] for key in wanted} == wanted
    if expect.get("counts"):
        found = manifest(output)["counts"]
        assert {key: found.get(key) for key in expect["counts"]} == expect["counts"]
    if expect.get("json"):
        whole = json.loads(ran.stdout)
        for key, value in expect["json"].items():
            found = whole
            for part in key.split("."):
                found = found[part]
            assert found == value, f"{key}: {found!r}"
    for name, text in (expect.get("files") or {}).items():
        assert (folder / name).exists() == (text is not None), name
        if text:
            assert text in (folder / name).read_text(encoding="utf-8")


def check_always(ran, folder, output):
    """Hold what every command must hold, whatever the case."""
    assert "Traceback" not in ran.stdout + ran.stderr, ran.stderr
    assert len(ran.stderr.splitlines()) <= 40, ran.stderr
    if ran.exit not in (0, 130, 143):
        assert "error[SC-" in ran.stderr
        assert "stockcast explain --code SC-" in ran.stderr
    aside = [path for path in folder.rglob("*") if path.name.startswith(LEFT_ASIDE) or ".tmp" in path.name]
    assert not aside, f"left aside: {aside}"
    if (output / "latest.json").exists():
        note = json.loads((output / "latest.json").read_text(encoding="utf-8"))
        content = (output / note["run_id"] / "manifest.json").read_bytes()
        assert hashlib.sha256(content).hexdigest() == note["manifest_sha256"], "latest.json names another manifest"


def manifest(output):
    note = json.loads((output / "latest.json").read_text(encoding="utf-8"))
    return json.loads((output / note["run_id"] / "manifest.json").read_text(encoding="utf-8"))


def issues(output):
    """Give the rows of issues.csv: of the check that failed last, else of the newest run."""
    failed = output / "failed" / "issues.csv"
    path = failed if failed.exists() else output / manifest(output)["run_id"] / "issues.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
