"""The names that a config may use: tables, models, policies, weekdays, order states."""

from typing import Literal

CONFIG_VERSION = 1

TableName = Literal[
    "sales",
    "stock_history",
    "inventory",
    "open_orders",
    "items",
    "item_locations",
    "locations",
    "lanes",
    "suppliers",
    "price_breaks",
    "supplier_closures",
    "cost_changes",
    "calendar",
    "known_future",
    "overrides",
]

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

MODELS = (
    "seasonal_naive",
    "moving_average",
    "ets",
    "ses",
    "holt",
    "theta",
    "croston",
    "sba",
    "tsb",
    "adida",
    "imapa",
    "negative_binomial",
    "sarimax",
    "unobserved_components",
    "ets_statsmodels",
    "lightgbm",
    "tft",
    "chronos",
)
MODEL_GROUPS = ("statistical", "boosting", "deep")

POLICIES = (
    "min_max",
    "safety_stock",
    "cover",
    "order_up_to",
    "newsvendor",
    "optimizer",
    "learned",
    "clairvoyant",
)

ORDER_STATES = ("draft", "approved", "sent", "confirmed", "in_transit", "part_received", "received", "cancelled")

ONE_TABLE_ONLY = {"gaps": "sales", "returns": "sales", "status": "open_orders"}  # keys of a source
