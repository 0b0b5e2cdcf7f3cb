"""The config as the page has it: strict, with the line of every fault."""

import pickle
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path

import pytest

from stockcast.core.errors import UsageError
from stockcast.runs import config as runs_config

ROOT = Path(__file__).parents[3]
WHOLE = """\
version: 1
step: week
week_start: sunday
seed: 11
sources:
  sales: {path: data/sales.csv, columns: {date: Day}, gaps: missing}
  open_orders: {path: po.csv, status: {Offen: confirmed}}
limits: {max_bad_rows: 0.02}
forecast:
  horizon: 12
  models: [ets, croston]
  effort: fast
  levels: [0.1, 0.5, 0.9]
  paths: 200
  backtest: {folds: 3}
  covariates: [temperature]
  hierarchy: [category]
  reconcile: top_down
  holidays: {country: NO, region: null}
plan:
  objective: {cycle_service_level: 0.95}
  unmet_demand: backorder
  defaults: {lead_time_days: 7, moq: 6, holding_rate: 0.25}
  budget: 50000
  storage: {"007": 12.5}
  policy: newsvendor
  order_scope: supplier_location
simulate: {periods: 100, warmup: 7, reforecast_every: 14, policies: [newsvendor], baseline: min_max}
output: {dir: out, keep: 5}
guardrails: {max_value_ratio: 2.0, max_fallback_share: 0.1, min_value: 10}
deadline: 90m
"""


def read(tmp_path, text, overrides=(), environment=None):
    path = tmp_path / "stockcast.yml"
    path.write_text(text, encoding="utf-8")
    return runs_config.load(path, overrides, {} if environment is None else environment)


def refused(tmp_path, text, overrides=(), environment=None):
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text, overrides, environment)
    return caught.value


def sales(*lines):
    return "\n".join(["version: 1", "sources: {sales: {path: s.csv}}", *lines, ""])


def test_every_key_of_the_page_is_an_attribute_path(tmp_path):
    config = read(tmp_path, WHOLE)
    assert (config.step, config.week_start, config.seed, config.deadline) == ("week", "sunday", 11, 5400.0)
    assert config.sources["sales"].path == "data/sales.csv"
    assert config.sources["sales"].columns == {"date": "Day"}
    assert config.sources["sales"].gaps == "missing"
    assert config.sources["open_orders"].status == {"Offen": "confirmed"}
    assert config.limits.max_bad_rows == 0.02
    assert (config.forecast.horizon, config.forecast.models, config.forecast.effort) == (12, ("ets", "croston"), "fast")
    assert (config.forecast.levels, config.forecast.paths) == ((0.1, 0.5, 0.9), 200)
    assert config.forecast.backtest.folds == 3
    assert (config.forecast.hierarchy, config.forecast.reconcile) == (["category"], "top_down")
    assert config.forecast.holidays.country == "NO"
    assert config.plan.objective == runs_config.Service(cycle_service_level=0.95)
    assert (config.plan.defaults.lead_time_days, config.plan.defaults.moq, config.plan.defaults.price) == (
        7.0,
        6.0,
        None,
    )
    assert (config.plan.budget, config.plan.storage) == (50_000.0, {"007": 12.5})
    assert (config.simulate.policies, config.simulate.baseline) == (("newsvendor",), "min_max")
    assert (config.output.dir, config.output.keep) == ("out", 5)
    assert config.guardrails.max_value_ratio == 2.0
    assert config.path == (tmp_path / "stockcast.yml").resolve()
    assert config.root == tmp_path.resolve()


def test_defaults_are_those_of_the_page(tmp_path):
    config = read(tmp_path, sales())
    assert (config.step, config.seed, config.deadline) == ("day", 7, 14_400.0)
    assert (config.forecast.horizon, config.forecast.models, config.forecast.effort) == ("auto", "auto", "normal")
    assert config.forecast.levels[:3] == (0.05, 0.1, 0.25)
    assert (config.plan.objective, config.plan.unmet_demand, config.plan.budget) == ("cost", "lost", None)
    assert config.plan.defaults.lead_time_days is None  # never assumed without being declared
    assert (config.output.dir, config.output.keep) == ("runs", 30)
    assert (config.guardrails.max_value_ratio, config.guardrails.min_value) == (3.0, 1000.0)


def test_a_config_is_frozen_and_can_travel_to_a_worker(tmp_path):
    config = read(tmp_path, WHOLE)
    with pytest.raises(FrozenInstanceError):
        config.seed = 1
    with pytest.raises(FrozenInstanceError):
        config.forecast.paths = 1
    assert pickle.loads(pickle.dumps(config)) == config
    assert asdict(config)["forecast"]["backtest"] == {"folds": 3, "refit_every": 1}
    assert replace(config, seed=3).root == config.root


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "configs").glob("*.yml")))
def test_every_example_config_loads(name):
    config = runs_config.load(ROOT / "configs" / name, environment={})
    assert config.sources["sales"].path


def test_show_gives_the_same_config_again(tmp_path):
    config = read(tmp_path, WHOLE)
    again = read(tmp_path, runs_config.show(config))
    hidden = {"text_hash": "", "lines": {}}
    assert replace(again, **hidden) == replace(config, **hidden)


def test_show_gives_the_same_config_again_without_a_deadline(tmp_path):
    config = read(tmp_path, sales("deadline: null", 'output: {dir: "012"}'))
    assert config.deadline is None
    again = read(tmp_path, runs_config.show(config))
    assert (again.deadline, again.output.dir) == (None, "012")


def test_the_schema_describes_every_key_and_hides_what_is_no_key():
    schema = runs_config.schema()
    assert set(schema["properties"]) == {
        "version", "step", "week_start", "seed", "sources", "limits", "forecast", "plan", "simulate", "output",
        "guardrails", "deadline",
    }  # fmt: skip
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        for name, value in part["properties"].items():
            assert value.get("description") or "$ref" in value, name
    assert schema["properties"]["sources"]["propertyNames"]["enum"][0] == "sales"


# --- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("012", "012"),
        ("22:30", "22:30"),
        ("no", "no"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("2026-11-22", "2026-11-22"),
    ],
)
def test_text_that_yaml_1_1_would_change_stays_text(tmp_path, text, value):
    assert read(tmp_path, sales(f"forecast: {{hierarchy: [{text}]}}")).forecast.hierarchy == [value]


@pytest.mark.parametrize(
    ("text", "seconds"), [("4h", 14_400.0), ("90m", 5400.0), ("3600", 3600.0), ("30s", 30.0), ("1.5h", 5400.0)]
)
def test_deadline(tmp_path, text, seconds):
    assert read(tmp_path, sales(f"deadline: {text}")).deadline == seconds


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("forecast: {horizon: 0}", "SC-C008", "0 is out of range; allowed: a whole number from 1 to 730, or auto"),
        ("forecast: {horizon: 2.5}", "SC-C006", "2.5 is not a whole number"),
        ("forecast: {horizon: true}", "SC-C006", "true is not a whole number"),
        ("forecast: {levels: [0.5, 0.1]}", "SC-C008", "levels must ascend"),
        ("forecast: {levels: [50]}", "SC-C009", "did you mean 0.5?"),
        ("forecast: {models: [etss]}", "SC-C012", "did you mean ets"),
        ("forecast: {models: 3}", "SC-C006", "3 is neither auto nor a list of names"),
        ("forecast: {effort: quick}", "SC-C012", "is not one of fast, normal, thorough"),
        ("forecast: {reconcile: mint}", "SC-C012", "is not one of auto, none, bottom_up, top_down"),
        ("forecast: 3", "SC-C006", "forecast: 3 is not a section of keys"),
        ("plan: {objective: profit}", "SC-C012", "is not one of cost, {cycle_service_level: 0.95}, {fill_rate: 0.98}"),
        ("plan: {objective: {service_level: 0.9}}", "SC-C014", "a cycle_service_level or a fill_rate"),
        (
            "plan: {objective: {fill_rate: 0.9, cycle_service_level: 0.9}}",
            "SC-C014",
            "names cycle_service_level and fill_rate",
        ),
        ("plan: {objective: {}}", "SC-C014", "names no service level"),
        ("plan: {defaults: {service_level: 0.9}}", "SC-C014", "a cycle_service_level or a fill_rate"),
        ("plan: {budget: -1}", "SC-C008", "-1 is out of range; allowed: a number 0 or more"),
        ("plan: {budget: lots}", "SC-C006", '"lots" is not a number 0 or more'),
        ("plan: {policy: s_S}", "SC-C012", "is not one of auto, min_max"),
        ("plan: {defaults: {lead_time: 3}}", "SC-C003", "did you mean plan.defaults.lead_time_days?"),
        ("limits: {max_bad_rows: 5}", "SC-C008", "allowed: a number from 0 to 1"),
        ("deadline: soon", "SC-C006", "is not a time span such as 4h"),
        ("week_start: mon", "SC-C012", "is not one of monday"),
        ("guardrail: {}", "SC-C003", "did you mean guardrails?"),
        ("root: x", "SC-C003", "unknown key root"),
        ("lines: {}", "SC-C003", "unknown key lines"),
        ("<<: {seed: 1}", "SC-C003", "unknown key <<"),
        ("seed: !!python/object:os.system x", "SC-C005", "the tag"),
    ],
)
def test_a_wrong_value_is_told_with_its_line(tmp_path, line, code, told):
    error = refused(tmp_path, sales(line))
    assert error.code == code
    assert error.message.startswith("stockcast.yml:3: ")
    assert told in error.message


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{path: s.csv, delimiter: ;;}", "is not a single character"),
        ("{path: s.csv, encoding: utf-99}", "is not a known encoding"),
        ("{path: s.csv, timezone: Europe/Pariss}", "is not a time zone"),
        ("{path: s.csv, decimal: ';'}", "is not one of ., ,"),
        ("{path: 12}", 'put it in quotes: "12"'),
        ("{path: ''}", "the text is empty"),
        ("{path: s.csv, colums: {}}", "did you mean sources.sales.columns?"),
        ("{path: s.csv, status: {a: sent}}", "sources.sales.status is for sources.open_orders only"),
        ("{path: s.db, table: t, query: select 1}", "names both a table and a query"),
        ("s.csv", "is not a section of keys"),
        ("{}", "missing key sources.sales.path"),
    ],
)
def test_a_wrong_source_is_told_with_its_line(tmp_path, source, told):
    error = refused(tmp_path, f"version: 1\nsources:\n  sales: {source}\n")
    assert error.message.startswith("stockcast.yml:3: ")
    assert told in error.message


def test_an_unknown_table_is_told_with_the_nearest(tmp_path):
    error = refused(
        tmp_path, "version: 1\nsources:\n  sales: {path: s.csv}\n  stocks: {path: x.csv}\n  item: {path: y}\n"
    )
    assert error.message == "stockcast.yml:4: unknown key sources.stocks, did you mean sources.stock_history?"
    assert error.details == ("stockcast.yml:5: unknown key sources.item, did you mean sources.items?",)


def test_at_most_ten_faults_are_told(tmp_path):
    error = refused(tmp_path, sales(*(f"key_{n}: 1" for n in range(30))))
    assert error.message.startswith("stockcast.yml:3: unknown key key_0")
    assert len(error.details) == 10
    assert error.details[-1] == "and 20 more"


def test_no_table_of_sources_can_be_anchored(tmp_path):
    error = refused(tmp_path, "version: 1\nsources:\n  sales: &a {path: s.csv}\n  items: *a\n")
    assert "an alias (*name) is not read" in error.message
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert refused(tmp_path, bomb).code == "SC-C005"


def test_not_utf_8_names_the_line(tmp_path):
    path = tmp_path / "stockcast.yml"
    path.write_bytes("version: 1\n# é\n".encode("latin-1"))
    with pytest.raises(UsageError, match=r"stockcast.yml:2: not UTF-8") as caught:
        runs_config.load(path)
    assert caught.value.code == "SC-C011"


def test_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "stockcast.yml"
    path.write_bytes(b"\xef\xbb\xbf" + sales().encode())
    assert runs_config.load(path).version == 1


@pytest.mark.parametrize("text", ["- 1\n- 2\n", "just words\n", "3\n"])
def test_a_file_that_is_no_mapping(tmp_path, text):
    assert refused(tmp_path, text).code == "SC-C005"


@pytest.mark.parametrize(
    "text",
    [
        "a: [1\nb: 2\n",
        "a: 'x\n",
        "a: b: c\n",
        "a:\n  - 1\n b: 2\n",
        "a: \x01\n",
        "--- 1\n--- 2\n",
        "a: @x\n",
        "[" * 4000,
    ],
)
def test_broken_yaml_names_line_and_column(tmp_path, text):
    error = refused(tmp_path, text)
    assert error.code == "SC-C005"
    assert __import__("re").match(r"stockcast\.yml:\d+:\d+: ", error.message)


# --- the environment and --set -------------------------------------------------------------------------------------------


def test_variables_are_filled_in(tmp_path):
    text = sales("output: {dir: '${BASE}/${NAME:-runs}'}", "plan: {budget: '${BUDGET:-100}'}", "seed: ${SEED}")
    config = read(tmp_path, text, environment={"BASE": "big/disk", "SEED": "5", "NAME": ""})
    assert (config.output.dir, config.plan.budget, config.seed) == ("big/disk/runs", 100.0, 5)


def test_a_value_from_the_environment_is_never_shown(tmp_path):
    environment = {"SECRET": "canary-4711"}
    config = read(tmp_path, sales("output: {dir: 'x/${SECRET}'}"), environment=environment)
    assert config.output.dir == "x/canary-4711"
    assert "canary" not in runs_config.show(config) + repr(config.references)
    assert "dir: x/${SECRET}" in runs_config.show(config)
    assert config.mask("cannot open x/canary-4711/y") == "cannot open x/${SECRET}/y"
    for line in (
        "seed: ${SECRET}",
        "step: ${SECRET}",
        "forecast: {models: ['${SECRET}']}",
        "plan: {policy: '${SECRET}'}",
        "forecast: '${SECRET}'",
        "plan: {objective: '${SECRET}'}",
        "deadline: ${SECRET}",
        "plan: {objective: {fill_rate: '${SECRET}'}}",
    ):
        error = refused(tmp_path, sales(line), environment=environment)
        assert "canary" not in f"{error.message}{error.details}{error.help}", line


def test_a_missing_variable_is_the_only_fault_told_of_its_line(tmp_path):
    error = refused(tmp_path, sales("seed: ${NOT_SET}"))
    assert error.message == "stockcast.yml:3: the environment variable NOT_SET is not set"
    assert error.details == ()


def test_set_wins_over_the_file_and_is_as_strict(tmp_path):
    text = sales("plan: {objective: cost, budget: 5}")
    config = read(tmp_path, text, ["plan.budget=50000", "plan.objective={fill_rate: 0.9}", "forecast.effort=fast"])
    assert (config.plan.budget, config.plan.objective.fill_rate, config.forecast.effort) == (50_000.0, 0.9, "fast")
    assert read(tmp_path, text, ["plan.objective.fill_rate=0.9"]).plan.objective.fill_rate == 0.9
    assert read(tmp_path, text, ["plan.budget=null"]).plan.budget is None
    error = refused(tmp_path, text, ["plan.budgets=3"])
    assert error.message == "--set plan.budgets: unknown key plan.budgets, did you mean plan.budget?"
    assert refused(tmp_path, text, ["plan.budget=-3"]).message.startswith(
        "--set plan.budget: plan.budget: -3 is out of range"
    )
    assert refused(tmp_path, text, ["plan.budget"]).code == "SC-C018"
    assert refused(tmp_path, text, ["plan.budget=[1"]).code == "SC-C005"


# --- finding it ------------------------------------------------------------------------------------------------------------


def test_the_config_is_found_in_a_parent(tmp_path, monkeypatch):
    (tmp_path / "stockcast.yml").write_text(sales())
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert runs_config.find() == tmp_path / "stockcast.yml"
    assert runs_config.find(tmp_path) == tmp_path / "stockcast.yml"
    with pytest.raises(UsageError, match="no config file"):
        runs_config.find(tmp_path / "other.yml")


def test_a_place_can_be_named_later(tmp_path):
    config = read(tmp_path, WHOLE)
    assert config.where("forecast.horizon") == "stockcast.yml:10"
    assert config.where("sources.sales.path") == "stockcast.yml:6"
    assert config.where("forecast.nothing") == "stockcast.yml"


@pytest.mark.parametrize("profile", [None, "m5", "transactions", "censored"])
def test_what_init_writes_loads(tmp_path, profile):
    from stockcast.runs import init

    made = init.run(tmp_path / "p", profile=profile)
    config = runs_config.load(tmp_path / "p" / "stockcast.yml", environment={})
    assert config.sources["sales"].columns if profile else config.plan.defaults.lead_time_days == 7
    assert (tmp_path / "p" / ".gitignore").read_text().endswith("/runs/\n")
    assert made.next_steps("p")[-1] == "stockcast run"


def test_init_never_overwrites(tmp_path):
    from stockcast.runs import init

    (tmp_path / "stockcast.yml").write_text("mine")
    (tmp_path / ".gitignore").write_text("mine")
    with pytest.raises(UsageError, match="is there already") as caught:
        init.run(tmp_path)
    assert caught.value.code == "SC-C019"
    assert (tmp_path / "stockcast.yml").read_text() == "mine"
    (tmp_path / "stockcast.yml").unlink()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sales.csv").write_text("mine")
    with pytest.raises(UsageError, match="data is there already"):
        init.run(tmp_path, demo=True)
    init.run(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine"
    assert (tmp_path / "data" / "sales.csv").read_text() == "mine"


def test_a_demo_of_an_impossible_size_writes_nothing(tmp_path):
    from stockcast.runs import init

    with pytest.raises(UsageError, match="--skus 0"):
        init.run(tmp_path / "p", demo=True, skus=0)
    assert not (tmp_path / "p").exists()


def test_a_demo_is_a_project_with_data(tmp_path):
    from stockcast.runs import init

    made = init.run(tmp_path / "p", demo=True, skus=4, locations=1, days=120, seed=1)
    config = runs_config.load(tmp_path / "p" / "stockcast.yml", environment={})
    assert all((config.root / source.path).is_file() for source in config.sources.values())
    assert made.counts["series"] == 4
