"""What the FreshRetailNet export lacks to order from it: stock, an item master and suppliers, ALL MADE UP.

    python prepare.py PATH/TO/freshretail.parquet OUT
    stockcast run -c OUT/stockcast.yml

PATH is a Parquet file with the columns dt, store_id, product_id, first_category_id, sale_amount, stockout_hours_6_22,
activity_flag. It is only read. OUT gets made_up_*.csv and a stockcast.yml that points to PATH. The same PATH gives the
same files.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

# supplier, days to deliver, money per order: fresh food comes every day
SUPPLIERS = (("FRESH-DC", 1, 0), ("REGIONAL", 2, 5))

ITEMS = """
    select product_id::varchar as sku, min(first_category_id)::varchar as category
    from source group by product_id order by sku
"""
# Sales per hour in stock, not per day: a shelf that is empty half the day sells half of what is asked for.
STOCK = """
    select product_id::varchar as sku, store_id::varchar as location,
        16 * sum(sale_amount) / greatest(sum(16 - stockout_hours_6_22), 1) as daily
    from source, (select max(dt) as newest from source) where dt > newest - interval 14 day
    group by product_id, store_id order by sku, location
"""


def prepare(export: Path, out: Path) -> None:
    """Write the made-up tables and the config that reads the export."""
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        db.read_parquet(str(export)).create_view("source")
        found = db.execute(ITEMS).fetchall()
        stock = db.execute(STOCK).fetchall()

    # made up: cost and price (the export has none), a supplier in turn; a lost unit costs the margin
    items: list[Sequence[object]] = []
    for at, (sku, category) in enumerate(found):
        cost = 2 + at * 7 % 11
        items.append((sku, SUPPLIERS[at % 2][0], category, cost, cost * 1.5, cost * 0.5))
    write(out / "made_up_items.csv", ("sku", "supplier", "category", "unit_cost", "price", "shortage_cost"), items)

    # made up: stock for none to two days of the last two weeks' demand, in the export's own units
    on_hand = [(sku, place, round(daily * (at % 5) / 2, 1)) for at, (sku, place, daily) in enumerate(stock)]
    write(out / "made_up_inventory.csv", ("sku", "location", "on_hand"), on_hand)
    write(out / "made_up_suppliers.csv", ("supplier", "lead_time_days", "order_cost", "review_period_days"),
          [(*terms, 1) for terms in SUPPLIERS])  # fmt: skip

    config = (Path(__file__).parent / "stockcast.yml").read_text(encoding="utf-8")
    there = json.dumps(str(export.resolve()), ensure_ascii=False)
    (out / "stockcast.yml").write_text(
        config.replace("path: fresh_retail_export.parquet", f"path: {there}"), encoding="utf-8"
    )


def write(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one CSV."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
