"""The config's keys as frozen dataclasses: attribute paths are the keys of the file."""

from pathlib import Path
from typing import Annotated, Any, Literal, final

from pydantic import ConfigDict, Discriminator, Field, Tag
from pydantic.dataclasses import dataclass

from stockcast.runs.config.names import MODEL_GROUPS, MODELS, ORDER_STATES, POLICIES, TableName, Weekday
from stockcast.runs.config.values import Duration, Levels, Name, NamesOrAuto, Number, Probability, Text

_STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)

AnyText = Annotated[str, Text()]
Share = Annotated[float, Number(0, 1)]
NotNegative = Annotated[float, Number(0)]
LeadTimeDays = Annotated[float, Number(0, 999)]
Policy = Annotated[str, Name(POLICIES)]


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Source:
    """One input table: where it lies and how it is read."""

    path: AnyText
    """The file, relative to the config's folder (a folder of files is not read)."""
    columns: dict[AnyText, AnyText] = Field(default_factory=dict)
    """From the canonical column to the file's own name for it."""
    format: Literal["csv", "parquet", "excel", "duckdb"] | None = None
    """How the file is read; left out, the name's ending says so."""
    delimiter: Annotated[str, Text("character")] | None = None
    """The character between the fields of a CSV; left out, it is detected."""
    decimal: Annotated[str, Name((".", ","))] = "."
    """The decimal mark of numbers in text."""
    encoding: Annotated[str, Text("encoding")] | None = None
    """The encoding of a text file; left out, UTF-8 or what its byte order mark says."""
    date_format: AnyText | None = None
    """How dates are written, such as %d/%m/%Y; left out, ISO (2026-11-22)."""
    timezone: Annotated[str, Text("timezone")] | None = None
    """The planning time zone, into which timestamps with a zone are converted."""
    sheet: AnyText | None = None
    """The sheet of an Excel workbook; left out, the first one."""
    table: AnyText | None = None
    """The table of a DuckDB file."""
    query: AnyText | None = None
    """A query in place of a table."""
    gaps: Literal["zero", "missing"] = "zero"
    """sales only: what a missing (date, sku, location) means."""
    returns: Literal["separate", "net", "error"] = "separate"
    """sales only: what becomes of negative quantities."""
    status: dict[AnyText, Annotated[str, Name(ORDER_STATES)]] = Field(default_factory=dict)
    """open_orders only: from the file's word to an order status of stockcast."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Limits:
    """How much bad input is put up with."""

    max_bad_rows: Share = 0.05
    """The share of a source's rows that may be quarantined; more is exit 3."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Backtest:
    """How models are compared on the past."""

    folds: Annotated[int, Number(1, 52, whole=True)] = 4
    """The number of rolling origins."""
    refit_every: Annotated[int, Number(1, 52, whole=True)] = 1
    """The number of origins that a fitted model is kept for; 1 fits it anew at each."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Holidays:
    """Whose public holidays count."""

    country: AnyText | None = None
    """A country as ISO 3166 code, such as FR or NO."""
    region: AnyText | None = None
    """A region of that country with holidays of its own, such as BY; locations.country and region stand above both."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Pretrained:
    """The weights of a model that was learnt elsewhere; nothing is fetched."""

    path: AnyText
    """The folder of a Chronos-Bolt or Chronos-2 model (config.json, model.safetensors), relative to the config's."""
    sha256: Annotated[str, Text("sha256")]
    """Its hash: LC_ALL=C; sha256sum * | sha256sum in the folder."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Forecast:
    """How demand is forecast."""

    horizon: Annotated[int | str, Number(1, 730, whole=True, word="auto")] = "auto"
    """Periods ahead; auto is the longest protection interval, at least 28 days or 8 weeks."""
    models: Annotated[str | tuple[str, ...], NamesOrAuto((*MODELS, *MODEL_GROUPS))] = "auto"
    """Which models compete; auto is every model that the data allows within effort."""
    effort: Literal["fast", "normal", "thorough"] = "normal"
    """fast: statistical models; normal: boosting as well; thorough: deep models as well."""
    warm_start: Literal["auto", "never"] = "auto"
    """Whether tft goes on from the network of the newest earlier night that kept one; never learns it anew."""
    pretrained: Pretrained | None = None
    """The weights that chronos forecasts with; with the extra pretrained, auto takes it in under effort thorough."""
    levels: Annotated[tuple[float, ...], Levels()] = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)
    """The quantile levels of forecast.csv, ascending."""
    paths: Annotated[int, Number(20, 20_000, whole=True)] = 500
    """Joint sample paths for each series."""
    backtest: Backtest = Field(default_factory=Backtest)
    """How models are compared on the past."""
    covariates: list[AnyText] = Field(default_factory=list)
    """Further columns of sales, known_future and calendar, in numbers, that models may use."""
    hierarchy: list[AnyText] = Field(default_factory=lambda: ["category", "location"])
    """The columns by which series are grouped, the coarsest first: attributes of items, location, or sku."""
    reconcile: Literal["auto", "none", "bottom_up", "top_down", "mint_diagonal", "mint_shrunk"] = "auto"
    """How series follow the forecasts of their groups; auto: as the backtest says, under effort thorough."""
    holidays: Holidays = Field(default_factory=Holidays)
    """Whose public holidays count."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Service:
    """A service level in place of costs; exactly one of the two."""

    cycle_service_level: Annotated[float, Probability()] | None = None
    """The probability of no stockout between two receipts."""
    fill_rate: Annotated[float, Probability()] | None = None
    """The share of demand served at once over the same interval."""


def _kind(value: Any) -> str:
    return "function-service" if isinstance(value, dict | Service) else "function-cost"


Objective = Annotated[
    Annotated[Literal["cost"], Tag("function-cost")] | Annotated[Service, Tag("function-service")], Discriminator(_kind)
]


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Defaults:
    """Terms of lines whose items, item_locations and suppliers say nothing; days are calendar days."""

    lead_time_days: LeadTimeDays | None = None
    """Days from the order to its arrival."""
    lead_time_sd_days: LeadTimeDays | None = None
    """Standard deviation of the lead time in days."""
    review_period_days: Annotated[float, Number(1, 366)] | None = None
    """Days from one possible order to the next."""
    holding_rate: NotNegative | None = None
    """Yearly cost of holding stock as a share of unit_cost."""
    unit_cost: NotNegative | None = None
    """Purchase price of one unit."""
    price: NotNegative | None = None
    """Sales price of one unit."""
    moq: NotNegative | None = None
    """Least units of an order line."""
    pack_size: NotNegative | None = None
    """Units of one pack; order lines are whole packs."""
    max_order: NotNegative | None = None
    """Most units of an order line."""
    min_stock: NotNegative | None = None
    """Units that the order-up-to level must not fall below."""
    holding_cost: NotNegative | None = None
    """Money per unit left at the end of a period."""
    shortage_cost: NotNegative | None = None
    """Money per unit lost, or backordered at the end of a period."""
    order_cost: NotNegative | None = None
    """Money per order line."""
    cycle_service_level: Annotated[float, Probability()] | None = None
    """Target of lines that name none, under that objective."""
    fill_rate: Annotated[float, Probability()] | None = None
    """Target of lines that name none, under that objective."""
    shelf_life_days: Annotated[float, Number(1)] | None = None
    """Days that a unit can be sold after its arrival."""
    volume: NotNegative | None = None
    """Volume of one unit."""
    weight: NotNegative | None = None
    """Weight of one unit."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Plan:
    """How orders follow from the forecast."""

    objective: Objective = "cost"
    """cost, or {cycle_service_level: 0.95}, or {fill_rate: 0.98}."""
    unmet_demand: Literal["lost", "backorder"] = "lost"
    """Whether demand that meets no stock is lost or waits."""
    defaults: Defaults = Field(default_factory=Defaults)
    """Terms of lines that no table gives."""
    budget: NotNegative | None = None
    """Money for this order period."""
    storage: dict[AnyText, NotNegative] = Field(default_factory=dict)
    """Volume that each location can hold."""
    policy: Annotated[str, Name(("auto", *POLICIES))] = "auto"
    """How quantities are found; auto is the optimizer."""
    reviews_ahead: Annotated[int, Number(1, 8, whole=True)] = 1
    """Reviews that an order is planned over where timing matters (order costs, minimums, closures, announced costs)."""
    order_scope: Literal["supplier", "supplier_location"] = "supplier"
    """Whether one order holds all locations of a supplier, or one each."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Simulate:
    """The closed-loop replay of the simulate command."""

    periods: Annotated[int, Number(1, 3660, whole=True)] = 364
    """Periods that are counted."""
    warmup: Annotated[int, Number(0, 366, whole=True)] = 28
    """Periods before them that are not."""
    reforecast_every: Annotated[int, Number(1, 366, whole=True)] = 28
    """Periods between two fits of the models."""
    policies: Annotated[str | tuple[str, ...], NamesOrAuto(POLICIES)] = "auto"
    """Which policies are compared."""
    baseline: Policy = "safety_stock"
    """The policy that the others are held against."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Output:
    """Where runs are published."""

    dir: AnyText = "runs"
    """The folder, relative to the config's; each run is a folder in it."""
    keep: Annotated[int, Number(1, 100_000, whole=True)] = 30
    """How many published runs are kept."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class Guardrails:
    """What holds a computed plan back (exit 7); increases only."""

    max_value_ratio: Annotated[float, Number(1)] = 3.0
    """Order value against the naive shadow plan and against the median of like runs."""
    max_fallback_share: Share = 0.2
    """Share of series whose chosen model may fail."""
    min_value: NotNegative = 1000.0
    """Order value below which nothing is held back."""


@final
@dataclass(frozen=True, slots=True, config=_STRICT)
class RunConfig:
    """A whole config; :func:`stockcast.runs.config.load` makes it.

    The last six attributes are no keys of the file: where it lies, what it says, and what came from outside it.
    """

    version: Annotated[int, Number(1, 1, whole=True)]
    """The version of this format: 1."""
    sources: dict[TableName, Source]
    """The input tables; sales is required."""
    step: Literal["day", "week"] = "day"
    """The length of a period."""
    week_start: Weekday = "monday"
    """The day on which a week begins, with step: week."""
    seed: Annotated[int, Number(0, 2**63 - 1, whole=True)] = 7
    """The seed of every random draw."""
    limits: Limits = Field(default_factory=Limits)
    """How much bad input is put up with."""
    forecast: Forecast = Field(default_factory=Forecast)
    """How demand is forecast."""
    plan: Plan = Field(default_factory=Plan)
    """How orders follow from the forecast."""
    simulate: Simulate = Field(default_factory=Simulate)
    """The closed-loop replay of the simulate command."""
    output: Output = Field(default_factory=Output)
    """Where runs are published."""
    guardrails: Guardrails = Field(default_factory=Guardrails)
    """What holds a computed plan back."""
    deadline: Annotated[float, Duration()] | None = 14_400.0
    """The time after which a run finishes degraded: 4h, 90m, or seconds; null for none."""
    path: Path = Path("stockcast.yml")
    root: Path = Path()
    text_hash: str = ""
    overrides: tuple[str, ...] = ()
    lines: dict[str, int] = Field(default_factory=dict, repr=False)
    variables: dict[str, str] = Field(default_factory=dict, repr=False)
    references: dict[str, str] = Field(default_factory=dict, repr=False)

    def where(self, key: str) -> str:
        """Give the place of a key for an error, such as ``stockcast.yml:12``; the file alone where a default holds."""
        return f"{self.path.name}:{self.lines[key]}" if key in self.lines else self.path.name

    def mask(self, text: str) -> str:
        """Put the names of environment variables in the place of their values, so that no secret is shown."""
        for name, value in sorted(self.variables.items(), key=lambda pair: -len(pair[1])):
            if len(value) >= 4:
                text = text.replace(value, f"${{{name}}}")
        return text


NOT_KEYS = ("path", "root", "text_hash", "overrides", "lines", "variables", "references")


def as_plain(value: Any) -> Any:
    """Turn a section into plain mappings and lists."""
    if hasattr(value, "__dataclass_fields__"):
        hidden = NOT_KEYS if isinstance(value, RunConfig) else ()
        return {name: as_plain(getattr(value, name)) for name in value.__dataclass_fields__ if name not in hidden}
    if isinstance(value, dict):
        return {key: as_plain(inner) for key, inner in value.items()}
    return [as_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
