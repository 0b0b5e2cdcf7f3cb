"""What the Online Retail export lacks to order from it: stock, an item master and suppliers, ALL MADE UP.

    python prepare.py PATH/TO/online_retail.parquet OUT
    stockcast run -c OUT/stockcast.yml

PATH is a table (Parquet or CSV) with the columns StockCode, Description, Quantity, InvoiceDate, UnitPrice. It is only
read, and nothing in it is cleaned. OUT gets made_up_*.csv and a stockcast.yml that points to PATH. The same PATH gives
the same files.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

# supplier, days to deliver, days on which it takes orders (blank: every day), money per order, minimum order value
SUPPLIERS = (
    ("CERAMICS", 21, "", 60, 400),
    ("PAPER GOODS", 7, "mon", 20, 100),
    ("TEXTILES", 14, "", 40, 250),
)

# A product's code begins with five digits. POST, D (discount), BANK CHARGES and their like are booked as sales too, but
# nobody sells them to the shop: they get no item row, so they are forecast, not ordered, and named in exceptions.csv.
ITEMS = """
    select
        StockCode as sku,
        coalesce(mode(trim(Description)) filter (trim(Description) <> ''), '') as description,
        round(median(UnitPrice) filter (UnitPrice > 0), 2) as price,
        sum(Quantity) filter (Quantity > 0 and InvoiceDate::timestamp >= newest - interval 56 day) / 8.0 as weekly
    from source, (select max(InvoiceDate::timestamp) as newest from source)
    where regexp_matches(StockCode, '^[0-9]{5}')
    group by StockCode order by StockCode
"""


def prepare(export: Path, out: Path) -> None:
    """Write the made-up tables and the config that reads the export."""
    out.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        db.execute("SET threads = 1")  # of equally frequent descriptions the first one, each time
        if export.suffix == ".csv":
            source = db.read_csv(str(export), dtype={"StockCode": "VARCHAR", "Description": "VARCHAR"})
        else:
            source = db.read_parquet(str(export))
        source.create_view("source")
        found = db.execute(ITEMS).fetchall()

    # made up: half the price is cost, a lost unit costs the other half; suppliers and packs go in turn
    items: list[Sequence[object]] = []
    stock: list[Sequence[object]] = []
    for at, (sku, description, price, weekly) in enumerate(found):
        paid = price or 0.0  # a few codes were only ever booked at no price
        cost = round(paid / 2, 2)
        pack = (1, 6, 12)[at % 3]
        items.append((sku, description, SUPPLIERS[at % 3][0], cost, paid, round(paid - cost, 2), pack, pack))
        # made up: stock for none to seven weeks of the last eight weeks' sales
        stock.append((sku, round((weekly or 0.0) * (at * 5 % 8))))
    header = ("sku", "description", "supplier", "unit_cost", "price", "shortage_cost", "pack_size", "moq")
    write(out / "made_up_items.csv", header, items)
    write(out / "made_up_inventory.csv", ("sku", "on_hand"), stock)
    header = ("supplier", "lead_time_days", "order_days", "order_cost", "min_order_value")
    write(out / "made_up_suppliers.csv", header, SUPPLIERS)

    config = (Path(__file__).parent / "stockcast.yml").read_text(encoding="utf-8")
    there = json.dumps(str(export.resolve()), ensure_ascii=False)
    (out / "stockcast.yml").write_text(
        config.replace("path: online_retail_export.parquet", f"path: {there}"), encoding="utf-8"
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
