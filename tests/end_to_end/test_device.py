"""A GPU that is asked for and is not there is told; the forecasts come from the CPU."""

import csv

import pytest


@pytest.fixture
def without_cuda(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_a_missing_gpu_is_told_and_changes_no_byte(project, without_cuda):
    asked = project("forecast", "--device", "cuda")
    issues = list(csv.DictReader(project.file(asked, "issues.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["action"] for row in issues if row["code"] == "SC-X012"] == ["batched models computed on the CPU"]
    forecast = project.file(asked, "forecast.csv").read_bytes()
    plain = project("forecast", "--device", "cpu")
    assert project.file(plain, "forecast.csv").read_bytes() == forecast
    codes = csv.DictReader(project.file(plain, "issues.csv").read_text(encoding="utf-8").splitlines())
    assert "SC-X012" not in {row["code"] for row in codes}
