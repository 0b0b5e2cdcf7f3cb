"""The demo's config, as a planner would keep it: commented, with the main knobs in sight."""

CONFIG = """\
# A made-up retailer (stockcast init --demo). What really happened lies in truth/, which no command reads.
version: 1
step: day                     # or week, with week_start: monday
seed: 7

sources:                      # any of CSV, Parquet, Excel, DuckDB; `columns:` maps other names to these
  sales: {path: data/sales.csv}
  inventory: {path: data/inventory.csv}
  open_orders: {path: data/open_orders.csv}
  items: {path: data/items.csv}
  item_locations: {path: data/item_locations.csv}
  locations: {path: data/locations.csv}
  suppliers: {path: data/suppliers.csv}
  supplier_closures: {path: data/supplier_closures.csv}
  known_future: {path: data/known_future.csv}

forecast:
  effort: fast                # normal adds boosting, thorough adds deep models
  horizon: auto               # the longest protection interval, at least 28 days
  # models: [ets, croston]    # instead of every model that the data allows

plan:
  objective: cost             # or {cycle_service_level: 0.95} or {fill_rate: 0.98}
  unmet_demand: lost          # or backorder
  defaults:                   # where neither item_locations, items nor suppliers says otherwise
    lead_time_days: 7
    review_period_days: 7
    holding_rate: 0.25        # of an item's cost, a year
  # budget: 20000             # money for this order period

output:
  dir: runs
  keep: 30
"""
