"""The table of the features, and its picture: whole, safe, and the same each time."""

import re
from xml.etree import ElementTree

import numpy as np

from stockcast.features.rank import Ranked
from stockcast.report.importance import NAME, SHOWN, features_table, importance_chart, write_importance


def ranked(n, name="feature_{}") -> Ranked:
    shap = np.linspace(1.0, 0.0, n)
    measures = {"gain": shap / max(shap.sum(), 1.0), "shap": shap, "correlation": shap / 2}
    measures |= {"mutual_information": shap, "l1": np.where(shap > 0.5, 0.1, 0.0)}
    names = tuple(name.format(at) for at in range(n))
    return Ranked(names, ("lags",) * n, ("a, line",) * n, ("always",) * n, np.full(n, 0.25), measures)


def test_the_table_has_a_row_for_each_feature_best_first():
    table = features_table(ranked(5))
    assert list(table) == [
        "rank", "feature", "family", "known_ahead", "gain", "shap", "correlation", "mutual_information",
        "chosen_by_l1", "missing", "what",
    ]  # fmt: skip
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]
    assert table["feature"].tolist() == [f"feature_{at}" for at in range(5)]
    assert table["chosen_by_l1"].tolist() == [True, True, False, False, False]


def test_the_picture_is_a_whole_file_of_its_own():
    text = importance_chart(ranked(60))
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in text
    assert not re.search(r"href|<script|url\(", text)
    bars = root.findall(".//{*}rect[@class='bar']")
    assert len(bars) == 2 * SHOWN
    widths = [float(bar.get("width")) for bar in bars if float(bar.get("x")) == NAME + 10]
    assert widths == sorted(widths, reverse=True)
    height = float(root.get("viewBox").split()[3])
    assert max(float(bar.get("y")) + float(bar.get("height")) for bar in bars) < height
    assert text == importance_chart(ranked(60))


def test_an_odd_name_stays_a_name():
    text = importance_chart(ranked(2, "covariate_<b>&\u202e{}"))
    ElementTree.fromstring(text)
    assert "<b>" not in text
    assert "\u202e" not in text


def test_nothing_ranked_is_an_empty_table_and_an_empty_picture(tmp_path):
    write_importance(tmp_path, ranked(0))
    assert (tmp_path / "features.csv").read_text(encoding="utf-8").count("\n") == 1
    ElementTree.fromstring((tmp_path / "features.svg").read_text(encoding="utf-8"))
    assert (tmp_path / "features.parquet").is_file()
