"""All of a run or nothing, seen from outside."""

import json
import os
import stat
from pathlib import Path

import pytest

from stockcast.core.errors import InvariantError, ResourceError, UsageError
from stockcast.core.findings import Issue
from stockcast.runs import manifest, publish
from stockcast.runs.publish import Publication, latest, prune, publish_issues


def make(base: Path, run_id: str, text: str = "a", *, out: Path | None = None, keep: int | None = None) -> Path:
    publication = Publication(base, run_id, out, keep=keep)
    with publication as folder:
        (folder / "plan.csv").write_text(text)
        (folder / "forecast").mkdir()
        (folder / "forecast" / "level.npy").write_text(text)
        manifest.write(folder, manifest.Manifest(run_id=run_id, as_of="2026-11-22", status="ok", seed=7))
    return publication.target


def snapshot(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_run_stands_whole_and_latest_names_it(tmp_path):
    base = tmp_path / "shop" / "runs"
    target = make(base, "r1")
    assert target == base / "r1"
    assert manifest.verify(target) == []
    assert sorted(manifest.read(target).outputs) == ["forecast/level.npy", "plan.csv"]
    note = json.loads((base / "latest.json").read_text())
    assert note == {"run_id": "r1", "path": "r1", "manifest_sha256": manifest.file_hash(target / "manifest.json")}
    assert latest(base) == target
    assert sorted(p.name for p in base.iterdir()) == ["latest.json", "r1"]


@pytest.mark.parametrize("exchange", [True, False])
def test_an_equal_named_run_is_replaced_as_a_whole(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    make(tmp_path, "r1", "old")
    (tmp_path / "r1" / "stray.txt").write_text("stays not")
    make(tmp_path, "r1", "new")
    assert snapshot(tmp_path / "r1")["plan.csv"] == b"new"
    assert manifest.verify(tmp_path / "r1") == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest.json", "r1"]


def test_a_block_that_raises_changes_nothing(tmp_path):
    make(tmp_path, "r1")
    before = snapshot(tmp_path)

    def half() -> None:
        with Publication(tmp_path, "r1") as folder:
            (folder / "plan.csv").write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert snapshot(tmp_path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest.json", "r1"]


def test_a_run_without_a_manifest_is_not_published(tmp_path):
    with pytest.raises(UsageError, match="no manifest"), Publication(tmp_path, "r1") as folder:
        (folder / "plan.csv").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_out_takes_absent_empty_or_a_run_and_leaves_latest_alone(tmp_path):
    base, out = tmp_path / "runs", tmp_path / "to" / "plan"
    make(base, "r1")
    before = snapshot(base)
    assert make(base, "r2", out=out) == out
    make(base, "r3", "again", out=out)
    empty = tmp_path / "empty"
    empty.mkdir()
    make(base, "r4", out=empty)
    assert (snapshot(out)["plan.csv"], manifest.read(empty).run_id) == (b"again", "r4")
    assert snapshot(base) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "runs", "to"]


def test_out_refuses_anything_else(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letters.txt").write_text("keep me")
    file = tmp_path / "file"
    file.write_text("x")
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text('{"schema_version": 3}')
    for out in (mine, file, other):
        with pytest.raises(UsageError) as caught:
            make(tmp_path / "runs", "r1", out=out)
        assert (caught.value.code, caught.value.exit_code) == ("SC-E005", 2)
    assert (mine / "letters.txt").read_text() == "keep me"


def test_a_run_that_is_held_back_is_not_named_and_never_replaces_the_newest(tmp_path):
    make(tmp_path, "r1")
    before = snapshot(tmp_path)
    with Publication(tmp_path, "r1-held", name_it=False) as folder:
        manifest.write(folder, manifest.Manifest(run_id="r1-held", as_of="2026-11-22", status="held", seed=7))
    assert manifest.read(tmp_path / "r1-held").status == "held"
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    with pytest.raises(InvariantError):
        Publication(tmp_path, "r1", name_it=False).__enter__()


def test_a_run_id_is_a_plain_name(tmp_path):
    for name in ("../up", "a/b", "", ".hidden"):
        with pytest.raises(UsageError):
            Publication(tmp_path, name)


def test_files_respect_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        target = make(tmp_path, "r1")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (target, target / "manifest.json", tmp_path / "latest.json")]
    assert modes == [0o750, 0o640, 0o640]


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path):
    dead = tmp_path / ".stockcast-staging-r0-1"
    dead.mkdir(parents=True)
    (dead / "plan.csv").write_text("half")
    foreign = tmp_path / ".staging-area"
    foreign.mkdir()
    with Publication(tmp_path, "living") as folder:
        make(tmp_path, "r1")
        assert folder.exists()
        assert foreign.exists()
        assert not dead.exists()
        manifest.write(folder, manifest.Manifest(run_id="living", as_of="2026-11-22", status="ok", seed=7))
    assert latest(tmp_path) == tmp_path / "living"


def test_keep_removes_the_oldest_but_never_the_latest(tmp_path):
    for at, name in enumerate(("a", "b", "c")):
        os.utime(make(tmp_path, name) / "manifest.json", (at, at))
    (tmp_path / "notes").mkdir()
    make(tmp_path, "d", keep=2)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["c", "d", "notes"]
    assert prune(tmp_path, 0) == ["c"]
    assert latest(tmp_path) == tmp_path / "d"


def test_a_folder_that_cannot_be_written_is_exit_6(tmp_path):
    base = tmp_path / "runs"
    base.write_text("a file where the folder should be")
    with pytest.raises(ResourceError) as caught:
        make(base, "r1")
    assert caught.value.exit_code == 6
    assert str(base) in caught.value.message


def test_issues_of_a_failed_check_are_readable_until_a_run_succeeds(tmp_path):
    make(tmp_path, "r1")
    before = snapshot(tmp_path / "r1")
    path = publish_issues(tmp_path, [Issue("error", "SC-D014", "sales.csv", "not a number", "refused", line=1204)])
    assert path == tmp_path / "failed" / "issues.csv"
    assert path.read_text() == (
        "severity,code,source,line,column,value,message,action\nerror,SC-D014,sales.csv,1204,,,not a number,refused\n"
    )
    assert snapshot(tmp_path / "r1") == before
    make(tmp_path, "r2")
    assert not path.exists()
