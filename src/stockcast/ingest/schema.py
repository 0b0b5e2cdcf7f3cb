"""The input tables: every column's name, type, range and the meaning of a blank, fixed here once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

Kind = Literal["id", "text", "date", "number", "flag"]


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One column of an input table.

    Parameters
    ----------
    kind
        ``id`` (trimmed, NFC, never blank where required), ``text``, ``date``, ``number``, or ``flag`` (a number that
        may be written true/false).
    required
        Whether the file must have it.
    blank
        What an empty cell means, in words; ``refused`` where it may not be.
    low, high
        The closed range of a number.
    open_range
        Whether the ends of the range are excluded.
    spare
        Whether a value that cannot be read leaves its cell blank, and its row stands: the row tells enough without it.
    """

    kind: Kind
    required: bool = False
    blank: str = "not known"
    low: float = -math.inf
    high: float = math.inf
    open_range: bool = False
    spare: bool = False

    @property
    def refuses_blank(self) -> bool:
        """Tell whether an empty cell refuses its row."""
        return self.blank == "refused"


@final
@dataclass(frozen=True, slots=True)
class Table:
    """One input table.

    Parameters
    ----------
    columns
        By canonical name.
    key
        The columns that may stand once; empty where rows may repeat.
    agrees
        The columns by which all numbers must agree, where several rows may tell of one key; empty where one does.
    may_be_empty
        Whether a header without rows is a valid file.
    used
        False for a table that is read and checked, but that nothing depends on yet.
    """

    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    agrees: tuple[str, ...] = ()
    may_be_empty: bool = True
    used: bool = True

    @property
    def required(self) -> tuple[str, ...]:
        """Give the names of the required columns."""
        return tuple(name for name, column in self.columns.items() if column.required)


ID = Column("id", required=True, blank="refused")
PLACE = Column("id", blank="refused")
DATE = Column("date", required=True, blank="refused")
DAY = Column("date")
TEXT = Column("text")
AMOUNT = Column("number", low=0.0)
PRICE = Column("number", low=0.0, spare=True)
PROMOTED = Column("flag", low=0.0, blank="none", spare=True)
LEVEL = Column("number", low=0.0, high=1.0, open_range=True)

ITEM_COLUMNS: Mapping[str, Column] = {
    "supplier": Column("id"),
    "unit_cost": AMOUNT,
    "price": AMOUNT,
    "category": TEXT,
    "description": TEXT,
    "lead_time_days": AMOUNT,
    "lead_time_sd_days": AMOUNT,
    "review_period_days": AMOUNT,
    "moq": Column("number", low=0.0, blank="no minimum"),
    "pack_size": Column("number", low=0.0, blank="no packs"),
    "max_order": Column("number", low=0.0, blank="no maximum"),
    "min_stock": Column("number", low=0.0, blank="none"),
    "holding_cost": AMOUNT,
    "shortage_cost": AMOUNT,
    "order_cost": Column("number", low=0.0, blank="free"),
    "cycle_service_level": LEVEL,
    "fill_rate": LEVEL,
    "shelf_life_days": Column("number", low=0.0, blank="keeps"),
    "volume": AMOUNT,
    "weight": AMOUNT,
    "launch_date": DAY,
    "end_date": DAY,
    "successor": Column("id"),
}

TABLES: Mapping[str, Table] = {
    "sales": Table(
        {
            "date": DATE,
            "sku": ID,
            "quantity": Column("number", required=True, blank="refused"),
            "location": PLACE,
            "in_stock": Column("flag", low=0.0, high=1.0, blank="in stock"),
            "price": PRICE,
            "promotion": PROMOTED,
            "returned": Column("number", low=0.0, blank="none", spare=True),
        },
        may_be_empty=False,
    ),
    "stock_history": Table(
        {"date": DATE, "sku": ID, "on_hand": Column("number", required=True, blank="refused"), "location": PLACE},
        key=("date", "sku", "location"),
        may_be_empty=False,
    ),
    "inventory": Table(
        {
            "sku": ID,
            "on_hand": Column("number", required=True, blank="refused"),
            "location": PLACE,
            "reserved": Column("number", low=0.0, blank="none"),
            "backorders": Column("number", low=0.0, blank="none"),
            "date": DAY,
        },
        key=("sku", "location"),
        may_be_empty=False,
    ),
    "open_orders": Table(
        {
            "sku": ID,
            "quantity": Column("number", required=True, blank="refused"),
            "expected_date": Column("date", required=True),
            "location": PLACE,
            "order_id": Column("id"),
            "order_date": DAY,
            "supplier": Column("id"),
            "status": TEXT,
        },
        key=("order_id", "sku", "location", "expected_date"),
    ),
    "items": Table({"sku": ID, **ITEM_COLUMNS}, key=("sku",), may_be_empty=False),
    "item_locations": Table({"sku": ID, "location": ID, **ITEM_COLUMNS}, key=("sku", "location")),
    "locations": Table(
        {
            "location": ID,
            "country": TEXT,
            "region": TEXT,
            "warehouse": TEXT,
            "volume": Column("number", low=0.0, blank="no limit"),
        },
        key=("location",),
    ),
    "lanes": Table(
        {
            "from_location": ID,
            "to_location": ID,
            "lead_time_days": Column("number", low=0.0, blank="0 days, told"),
            "unit_cost": Column("number", low=0.0, blank="free"),
            "order_cost": Column("number", low=0.0, blank="free"),
            "pack_size": Column("number", low=0.0, blank="single units"),
        },
        key=("from_location", "to_location"),
    ),
    "suppliers": Table(
        {
            "supplier": ID,
            "lead_time_days": AMOUNT,
            "lead_time_sd_days": AMOUNT,
            "review_period_days": AMOUNT,
            "order_days": Column("text", blank="every day"),
            "order_cost": Column("number", low=0.0, blank="free"),
            "min_order_value": Column("number", low=0.0, blank="no minimum"),
            "min_order_units": Column("number", low=0.0, blank="no minimum"),
            "min_order_weight": Column("number", low=0.0, blank="no minimum"),
            "truck_volume": Column("number", low=0.0, blank="no limit"),
            "truck_weight": Column("number", low=0.0, blank="no limit"),
            "truck_cost": Column("number", low=0.0, blank="free"),
            "truck_min_fill": Column("number", low=0.0, high=1.0, blank="none"),
        },
        key=("supplier",),
    ),
    "price_breaks": Table(
        {
            "supplier": ID,
            "min_value": Column("number", required=True, blank="refused", low=0.0),
            "discount": Column("number", required=True, blank="refused", low=0.0, high=1.0),
        },
        key=("supplier", "min_value"),
    ),
    "cost_changes": Table(
        {
            "sku": ID,
            "from": DATE,
            "unit_cost": Column("number", required=True, blank="refused", low=0.0),
            "location": Column("id", blank="everywhere"),
        },
        key=("sku", "location", "from"),
    ),
    "supplier_closures": Table({"supplier": ID, "from": DATE, "to": DATE}, key=("supplier", "from", "to")),
    "calendar": Table(
        {
            "date": DATE,
            "location": Column("id", blank="everywhere"),
            "event": TEXT,
            "open": Column("flag", low=0.0, high=1.0, blank="open"),
        },
        key=("date", "location", "event"),
        agrees=("date", "location"),
    ),
    "known_future": Table(
        {
            "date": DATE,
            "sku": ID,
            "location": Column("id", blank="everywhere"),
            "price": PRICE,
            "promotion": PROMOTED,
        },
        key=("date", "sku", "location"),
    ),
    "overrides": Table(
        {
            "sku": ID,
            "from": DATE,
            "to": DATE,
            "location": Column("id", blank="everywhere"),
            "value": AMOUNT,
            "factor": AMOUNT,
            "reason": TEXT,
            "expires": DAY,
        },
        used=False,
    ),
}

COVARIATE_TABLES = ("sales", "known_future", "calendar")  # whose further columns may be covariates
HELD_ATTRIBUTES = ("category", "description", "launch_date", "end_date", "successor")
MAIN = "main"  # the location where a table names none

COUNTED_STATUSES = ("draft", "approved", "sent", "confirmed", "in_transit", "part_received")
ENDED_STATUSES = ("received", "cancelled")
