import pytest

from stockcast.ingest import IngestSpec, SourceSpec, load

pytestmark = pytest.mark.needs_data


def sales_of(real_data, name, **source):
    path = real_data / name
    if not path.is_file():
        pytest.skip(f"no {name} (STOCKCAST_TEST_DATA)")
    return {"sales": SourceSpec("sales", path, name, **source)}


def test_m5_is_read_whole(real_data):
    columns = {"sku": "item_id", "location": "store_id", "quantity": "value", "price": "sell_price"}
    got = load(IngestSpec(sales_of(real_data, "m5_280_series.parquet", columns=columns)))
    assert got.panel.sales.shape == (280, 1913)
    assert got.panel.sales.sum() == 2934611
    assert got.rows["sales"].kept == 535_640


def test_online_retail_adds_up_as_exported(real_data):
    columns = {"sku": "StockCode", "date": "InvoiceDate", "quantity": "Quantity", "price": "UnitPrice"}
    got = load(IngestSpec(sales_of(real_data, "online_retail.parquet", columns=columns), step="week"))
    count = got.rows["sales"]
    assert count.read + count.left_out == 541_909
    assert count.read == count.kept + count.merged + count.returned + count.quarantined
    refused = [issue for issue in got.issues if issue.severity == "error"]
    assert len(refused) == count.quarantined == 2
    assert str(got.panel.origin) == "2011-11-28"


def test_a_query_gives_the_share_of_the_day_in_stock(real_data):
    query = """SELECT dt AS date, product_id AS sku, store_id AS location, sale_amount AS quantity,
               1 - stockout_hours_6_22 / 16.0 AS in_stock FROM source WHERE store_id < 20"""
    got = load(IngestSpec(sales_of(real_data, "freshretail_303_stores.parquet", query=query)))
    assert got.panel.time.n == 90
    assert 0 < (got.panel.in_stock < 1).mean() < 1
