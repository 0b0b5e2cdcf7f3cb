"""A small project in a folder, from texts, and its loading."""

import numpy as np

from stockcast.ingest import IngestSpec, SourceSpec, load

DEFAULTS = {"lead_time_days": 3, "review_period_days": 7, "holding_rate": 0.25}
ITEMS = "sku,supplier,unit_cost,price\nA,acme,2,5\nB,acme,4,9\n"
STOCK = "sku,on_hand\nA,10\nB,3\n"
SALES = "date,sku,quantity\n2026-11-16,A,3\n2026-11-17,B,2\n2026-11-18,A,1\n"


def spec_of(folder, tables, *, sources=None, **options):
    """Write tables (text or bytes, by name or name.suffix) and give the spec that reads them."""
    made = {}
    for name, content in tables.items():
        table, _, suffix = name.partition(".")
        path = folder / f"{table}.{suffix or 'csv'}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        made[table] = SourceSpec(table, path, path.name, **(sources or {}).get(table, {}))
    options.setdefault("defaults", DEFAULTS)
    options.setdefault("max_bad_rows", 0.5)
    return IngestSpec(made, root=folder, **options)


def load_tables(folder, tables=None, **options):
    whole = {"sales": SALES, "items": ITEMS, "inventory": STOCK, **(tables or {})}
    return load(spec_of(folder, {name: text for name, text in whole.items() if text is not None}, **options))


def codes(inputs):
    return {issue.code for issue in inputs.issues} | {alert.code for alert in inputs.alerts}


def day(text):
    return np.datetime64(text, "D")
