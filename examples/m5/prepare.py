"""What the M5 export lacks to order from it: stock, an item master and suppliers, ALL MADE UP.

    python prepare.py PATH/TO/m5.parquet OUT
    stockcast run -c OUT/stockcast.yml

PATH is a table (Parquet or CSV) with the columns item_id, store_id, cat_id, date, value, sell_price. It is only read.
OUT gets made_up_*.csv and a stockcast.yml that points to PATH. The same PATH gives the same files.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

# supplier, days to deliver, days on which it takes orders (blank: every day), money per order, minimum order value
SUPPLIERS = (
    ("FOODS-DC", 3, "mon,thu", 25, 150),
    ("HOBBIES-DC", 7, "", 40, 0),
    ("HOUSEHOLD-DC", 14, "tue", 60, 300),
)
PACKS = {"FOODS": 6, "HOBBIES": 1, "HOUSEHOLD": 4}

ITEMS = """
    select item_id, any_value(cat_id) as category, round(arg_max(sell_price, date), 2) as price
    from source where sell_price is not null group by item_id order by item_id
"""
STOCK = """
    select item_id, store_id, avg(value) filter (date > newest - interval 28 day) as daily
    from source, (select max(date) as newest from source) group by item_id, store_id order by item_id, store_id
"""


def prepare(export: Path, out: Path) -> None:
    """Write the made-up tables and the config that reads the export."""
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        source = db.read_csv(str(export)) if export.suffix == ".csv" else db.read_parquet(str(export))
        source.create_view("source")
        items = db.execute(ITEMS).fetchall()
        stock = db.execute(STOCK).fetchall()

    # made up: two thirds of the price is cost, a lost unit costs the margin, packs go by category
    rows: list[Sequence[object]] = []
    for sku, category, price in items:
        cost = round(price * 0.66, 2)
        pack = PACKS[category]
        rows.append((
            sku,
            f"{category}-DC",
            category,
            cost,
            price,
            round(price - cost, 2),
            pack,
            2 * pack if pack > 1 else 0,
        ))
    header = ("sku", "supplier", "category", "unit_cost", "price", "shortage_cost", "pack_size", "moq")
    write(out / "made_up_items.csv", header, rows)

    # made up: stock for one to twelve days of the last four weeks' sales, in turn
    on_hand = [(sku, store, round(daily * (1 + at * 5 % 12))) for at, (sku, store, daily) in enumerate(stock)]
    write(out / "made_up_inventory.csv", ("sku", "location", "on_hand"), on_hand)

    header = ("supplier", "lead_time_days", "order_days", "order_cost", "min_order_value")
    write(out / "made_up_suppliers.csv", header, SUPPLIERS)

    config = (Path(__file__).parent / "stockcast.yml").read_text(encoding="utf-8")
    config = config.replace("path: m5_export.parquet", f"path: {json.dumps(str(export.resolve()), ensure_ascii=False)}")
    (out / "stockcast.yml").write_text(config, encoding="utf-8")


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
