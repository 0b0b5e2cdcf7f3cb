"""Trees in a file: whole ones come back as they were; a damaged one ends another process, never this one."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from made_panels import retail

from stockcast.core.errors import DataError
from stockcast.models.boosting import stored
from stockcast.models.boosting.model import Boosting
from stockcast.models.boosting.stored import load


@pytest.fixture(scope="module")
def text() -> str:
    return Boosting().fit(retail(6, 200), seed=7).texts()["lightgbm.txt"]


def written(folder: Path, content: str | bytes) -> tuple[Path, str]:
    path = folder / "lightgbm.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def refused(path: Path, sha256: str) -> str:
    with pytest.raises(DataError) as found:
        load(path, sha256)
    assert found.value.code == "SC-M006"
    assert found.value.message.startswith(str(path))
    return found.value.message


def test_what_was_kept_forecasts_as_before(text, tmp_path):
    trees = load(*written(tmp_path, text))
    assert trees.text == text
    made = Boosting().fit(retail(6, 200), seed=7)
    x = np.random.default_rng(0).normal(size=(50, int(re.search(r"max_feature_idx=(\d+)", text)[1]) + 1))
    assert trees.load()(x.astype(np.float32)).tobytes() == made.pair.relative.load()(x.astype(np.float32)).tobytes()


def test_a_changed_byte_is_seen_by_the_hash_and_nothing_is_read(text, tmp_path, monkeypatch):
    path, sha256 = written(tmp_path, text)
    at = text.index("leaf_value=") + len("leaf_value=") + 2
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10 if text[at].isdigit() else 1) + text[at + 1 :])
    monkeypatch.setattr(stored, "_try", lambda *given: pytest.fail("it was read all the same"))
    assert "changed after it was written" in refused(path, sha256)


def test_a_file_that_is_not_there_or_not_to_be_held_is_told(text, tmp_path, monkeypatch):
    assert "cannot be read" in refused(tmp_path / "none.txt", "")
    assert "empty, or larger" in refused(*written(tmp_path, ""))
    monkeypatch.setattr(stored, "LARGEST", 1000)
    assert "empty, or larger than" in refused(*written(tmp_path, text))


def edits(text: str) -> dict[str, str | bytes]:
    noise = np.random.default_rng(1).integers(33, 127, len(text) - 3000).astype(np.uint8).tobytes().decode()
    return {
        "half of it": text[: len(text) // 2],
        "its head": text[:2500],
        "no text": b"\x00\xff\x01" * 500,
        "another text": "once upon a time\n" * 200,
        "noise between head and tail": text[:1500] + noise + text[-1500:],
        "a size that is none": re.sub(r"tree_sizes=\d+", "tree_sizes=99999999999", text),
        "more leaves than there are": re.sub(r"num_leaves=\d+", "num_leaves=2000000000", text, count=1),
    }


@pytest.mark.parametrize("what", list(edits("x" * 4000)))
def test_a_damaged_text_with_a_right_hash_is_refused_and_this_process_lives(what, text, tmp_path, capfd):
    told = refused(*written(tmp_path, edits(text)[what]))
    assert "damaged" in told or "not a model that can be used" in told
    assert capfd.readouterr() == ("", "")


def test_what_can_be_read_but_not_used_is_refused(text, tmp_path):
    # of the same length, so that LightGBM finds every tree: it reads these, and would look past the end of a row
    far = re.sub(r"(split_feature=)(\d+)", lambda found: found[1] + "9" * len(found[2]), text)
    told = refused(*written(tmp_path, far))
    assert "asks for feature 99 of" in told or "the process that read it ended with signal" in told
    odd = {"split_feature": 7, "left_child": {"leaf_value": 1.0}, "right_child": {"leaf_value": 2.0}}
    with pytest.raises(ValueError, match="tree 3 asks for feature 7 of 7"):
        stored._require_usable({"tree_info": [{"tree_index": 3, "tree_structure": odd}]}, 7)
    leaf = {"leaf_value": float("nan")}
    split = {"split_feature": 0, "left_child": {"leaf_value": 1.0}, "right_child": leaf}
    with pytest.raises(ValueError, match="a leaf of tree 3 is nan"):
        stored._require_usable({"tree_info": [{"tree_index": 3, "tree_structure": split}]}, 1)
    with pytest.raises(ValueError, match="no trees"):
        stored._require_usable({"tree_info": []}, 1)


def test_a_tree_without_an_end_is_refused(text, tmp_path):
    ring = re.sub(r"(?<=left_child=)[-\d ]+", lambda found: re.sub(r"[-\d]", "0", found[0]), text)
    assert len(ring) == len(text)
    assert "damaged" in refused(*written(tmp_path, ring))


def test_a_process_that_does_not_come_to_an_end_is_ended(text, tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "SECONDS", 0.5)
    monkeypatch.setattr(stored, "PARSE", "import time; time.sleep(200)")
    assert "not read within 0.5 seconds" in refused(*written(tmp_path, text))


def test_the_other_process_gets_no_more_memory_than_it_may_have(text, tmp_path, monkeypatch):
    limited = "import stockcast.models.boosting.stored as s; s.MEMORY, s.TIMES = {}, 1; s.parse()"
    monkeypatch.setattr(stored, "PARSE", limited.format(2 << 30))
    assert load(*written(tmp_path, text)).text == text
    monkeypatch.setattr(stored, "PARSE", limited.format(50 << 20))
    assert "damaged" in refused(*written(tmp_path, text))
