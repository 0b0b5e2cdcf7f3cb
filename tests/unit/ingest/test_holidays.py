"""Public holidays by country and region, of the config and of each location."""

import numpy as np
import pytest
from ingest_project import day, load_tables

from stockcast.core.errors import UsageError
from stockcast.ingest import RefusedInput
from stockcast.ingest.holidays import country_code, public_holidays

SALES = "date,sku,location,quantity\n2026-01-05,A,X,1\n2026-01-05,A,Y,1\n2026-01-05,A,Z,1\n2026-02-28,A,X,1\n"


def load(folder, locations=None, **options):
    return load_tables(folder, {"sales": SALES, "inventory": None, "locations": locations}, **options)


def dates(known, name, place):
    calendar = known.calendar
    if name not in calendar.events:
        return []
    row = calendar.occurs[calendar.places.index(place), calendar.events.index(name)]
    return calendar.time.dates()[row].astype(str).tolist()


def test_the_country_of_the_config_holds_everywhere_and_ahead(tmp_path):
    got = load(tmp_path, country="no")
    for place in ("X", "Y", "Z"):
        assert dates(got.panel.known, "Constitution Day", place) == ["2026-05-17"]
        assert dates(got.panel.known, "New Year's Day", place) == ["2027-01-01"]
    assert got.panel.known.calendar.open.all()  # a holiday closes nothing by itself
    assert "public holidays of NO are events of 3 locations" in got.notes


def test_a_location_stands_above_the_config(tmp_path):
    places = "location,country,region\nX,DE,BY\nY,,\nZ,DE,\n"
    known = load(tmp_path, places, country="DE", region="BE").panel.known
    epiphany, women = "Epiphany", "Women's Day"
    assert [dates(known, epiphany, place) for place in "XYZ"] == [["2026-01-06", "2027-01-06"], [], []]
    assert [dates(known, women, place)[:1] for place in "XYZ"] == [[], ["2026-03-08"], ["2026-03-08"]]
    other = load(tmp_path, places.replace("Y,,", "Y,NO,"), country="DE", region="BE").panel.known
    assert dates(other, "Constitution Day", "Y") == ["2026-05-17"]
    assert dates(other, women, "Y") == []  # a region of the config holds within its country only


def test_a_holiday_falls_into_the_week_of_its_day(tmp_path):
    known = load(tmp_path, country="NO", step="week", as_of=day("2026-02-28")).panel.known
    assert dates(known, "Constitution Day", "X") == ["2026-05-11"]


def test_an_event_of_the_user_by_the_same_name_is_the_same_event(tmp_path):
    got = load_tables(
        tmp_path,
        {"sales": SALES, "inventory": None, "calendar": "date,event\n2026-05-18,Constitution Day\n"},
        country="NO",
    )
    assert dates(got.panel.known, "Constitution Day", "X") == ["2026-05-17", "2026-05-18"]


@pytest.mark.parametrize(
    ("country", "region", "told"),
    [
        ("Norwey", None, r"forecast.holidays.country: no country 'Norwey', did you mean NO \(Norway\)"),
        ("DE", "BYY", "forecast.holidays.region: DE has no region 'BYY' .*did you mean BY"),
        (None, "BY", "forecast.holidays.region: 'BY' stands without a country"),
    ],
)
def test_what_the_config_names_must_be_known(tmp_path, country, region, told):
    with pytest.raises(UsageError, match=told) as error:
        load(tmp_path, country=country, region=region)
    assert (error.value.code, error.value.exit_code) == ("SC-D092", 2)


def test_a_country_of_the_locations_must_be_known(tmp_path):
    with pytest.raises(RefusedInput, match="locations.csv: 1 values of country are no country") as error:
        load(tmp_path, "location,country\nX,DE\nY,Germany\n")
    assert (error.value.code, error.value.exit_code) == ("SC-D092", 3)
    assert error.value.details == ("line 3: 'Germany', did you mean DE (Germany)?",)


@pytest.mark.parametrize(("region", "severity"), [("Bretagne", "info"), ("Martinque", "warning")])
def test_a_region_without_holidays_of_its_own_has_those_of_the_country(tmp_path, region, severity):
    got = load(tmp_path, f"location,country,region\nX,FR,{region}\n")
    assert [(i.severity, i.count) for i in got.issues if i.code == "SC-D092"] == [(severity, 1)]
    assert dates(got.panel.known, "National Day", "X") == ["2026-07-14"]


def test_without_a_country_there_are_no_holidays(tmp_path):
    assert load(tmp_path, "location,region\nX,North\n").panel.known.calendar is None


def test_names_are_english_and_dates_by_the_moon_keep_theirs():
    names = public_holidays("AE", None, range(2024, 2031))
    assert all(name.isascii() and "estimated" not in name for name in names)
    assert {date.astype(object).year for date in names["Eid al-Fitr"]} == set(range(2024, 2031))
    assert all(name.isascii() for name in public_holidays("JP", None, [2026]))


def test_codes_are_read_as_they_are_written():
    assert [country_code(text) for text in ("NO", "no", "NOR", "UK", "GB", "N0")] == [
        "NO",
        "NO",
        "NO",
        "GB",
        "GB",
        None,
    ]
    assert public_holidays("GB", "SCT", [2026])["Saint Andrew's Day"] == [np.datetime64("2026-11-30")]
