"""Rule 6 for ``selected``: what a fold is judged on, and all after it, changes no choice that is judged there."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "models"))
from made_panels import retail, scrambled

from stockcast.evaluation import compare
from stockcast.evaluation.folds import rolling

NAMES = ["seasonal_naive", "moving_average", "tsb"]


def test_scrambling_a_window_changes_no_choice_made_before_it():
    n, periods = 30, 168
    whole = retail(n, periods)
    more = {"horizon": 14, "periods": np.full(n, 5), "folds": 4, "effort": "fast", "levels": (0.5, 0.9)}
    more |= {"n_paths": 30, "seed": 7}
    clean = compare(NAMES, whole, **more)
    changed = False
    for fold, known in enumerate(rolling(periods, 14, 4, "day").known[1:]):
        other = compare(NAMES, scrambled(whole, known), **more)
        assert clean.origins == other.origins
        for mine, theirs in list(zip(clean.choices, other.choices, strict=True))[: fold + 1]:
            assert mine.segment.tolist() == theirs.segment.tolist()
            assert mine.model.tolist() == theirs.model.tolist()
        later = list(zip(clean.choices, other.choices, strict=True))[fold + 1 :]
        changed |= any(mine.model.tolist() != theirs.model.tolist() for mine, theirs in later)
    assert changed  # the scrambling would be seen
