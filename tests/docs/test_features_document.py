"""docs/features.md names every column, and no column that there is none of."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "features"))
from made_features import full_panel, whole_block

ROOT = Path(__file__).parents[2]


def test_every_column_is_described_and_every_description_has_a_column():
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8").split("## Preparation")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    patterns = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    shapes = {name: re.sub(r"_[A-Z](?=_|$)", "_.+", name) for name in patterns}
    columns = {name for step in ("day", "week") for name in whole_block(full_panel(step, time=30)).names}
    assert not [column for column in columns if not any(re.fullmatch(s, column) for s in shapes.values())]
    assert not [name for name, shape in shapes.items() if not any(re.fullmatch(shape, c) for c in columns)]
