"""The configs that ``stockcast init`` writes: a commented one to fill in, and one for each shape of export."""

from collections.abc import Mapping
from typing import Literal

Profile = Literal["m5", "transactions", "censored"]

_HEAD = """\
# A project of stockcast. Paths are relative to this file; every key: stockcast config schema
version: 1
step: {step}
seed: 7                       # every random draw follows from it: the same inputs give the same files
"""

_TABLES = """\
  inventory: {path: data/inventory.csv}          # sku, on_hand; location, reserved, backorders
  items: {path: data/items.csv}                  # sku; supplier, unit_cost, price, pack_size, moq, lead_time_days …
  # open_orders: {path: data/open_orders.csv}    # sku, quantity, expected_date; order_id, status …
  # calendar: {path: data/calendar.csv}          # date; location, event, open (0: closed), covariates
  # known_future: {path: data/known_future.csv}  # date, sku; location, price, promotion, covariates
  # suppliers: {path: data/suppliers.csv}        # supplier; lead_time_days, order_days, order_cost, min_order_value …
"""

_REST = """\
limits: {max_bad_rows: 0.05}  # more refused rows than this share of a source: exit 3

forecast:
  horizon: auto               # the longest protection interval, at least 28 days or 8 weeks
  models: auto                # or a list of names: stockcast models list
  effort: normal              # fast, normal or thorough
  backtest: {folds: 4}
  # holidays: {country: FR}   # public holidays are events; locations.country stands above it
  # covariates: [temperature] # further numbers of sales, known_future and calendar

plan:
  objective: cost             # or {cycle_service_level: 0.95}, or {fill_rate: 0.98}
  unmet_demand: lost          # or backorder
  # What items and suppliers do not say; these three are assumptions until you change them.
  defaults: {lead_time_days: 7, review_period_days: 7, holding_rate: 0.25}
  budget: null                # money for this order period

output: {dir: runs, keep: 30}
guardrails: {max_value_ratio: 3.0, max_fallback_share: 0.2, min_value: 1000}
deadline: 4h
"""

_SALES: Mapping[Profile | None, tuple[str, str]] = {
    None: (
        "day                     # or week, with week_start: monday",
        """
sources:
  sales:                      # date, sku, quantity; location, in_stock, price, promotion
    path: data/sales.csv
    # columns: {date: Date, sku: Article, quantity: Units}     # where your file calls them otherwise
    # delimiter: ";"
    # decimal: ","
    # date_format: "%d/%m/%Y"
""",
    ),
    "m5": (
        "day",
        """
sources:
  sales:                      # the M5 export in long form: one row a day, item and store
    path: data/m5.parquet     # or .csv
    columns: {date: date, sku: item_id, location: store_id, quantity: value, price: sell_price}
""",
    ),
    "transactions": (
        "week                    # one line a sale, summed into weeks\nweek_start: monday",
        """
sources:
  sales:                      # a transaction export: one row a line of an invoice; negative quantities are returns
    path: data/online_retail.parquet   # or .csv
    columns: {date: InvoiceDate, sku: StockCode, quantity: Quantity, price: UnitPrice}
    date_format: "%Y-%m-%d %H:%M:%S"
    returns: separate         # kept out of demand, summed and counted; or net, or error
""",
    ),
    "censored": (
        "day",
        """
sources:
  sales:                      # a daily history with stockouts: sales on such days are only a lower bound of demand
    path: data/freshretail.parquet
    # stockout_hours_6_22 counts the 16 opening hours without stock; in_stock is the share with stock
    query: >-
      SELECT dt, store_id, product_id, sale_amount, 1 - stockout_hours_6_22 / 16.0 AS in_stock FROM source
    columns: {date: dt, sku: product_id, location: store_id, quantity: sale_amount, in_stock: in_stock}
""",
    ),
}


def text_of(profile: Profile | None) -> str:
    """Give the config of a profile as commented text; None for the plain one."""
    step, sales = _SALES[profile]
    return _HEAD.format(step=step) + sales + _TABLES + _REST
