"""The calendar: events by place, closed days, numbers that hold for a place, each known at any time."""

import numpy as np
import pytest
from ingest_project import codes, day, load_tables

from stockcast.ingest import RefusedInput
from stockcast.ingest.calendar import AHEAD_DAYS, LOOK

NAN = np.nan
SALES = "date,sku,location,quantity\n" + "".join(
    f"{day('2026-11-16') + at},A,{place},{1 + at}\n" for at in range(14) for place in ("X", "Y")
)


def load(folder, calendar, sales=SALES, **options):
    return load_tables(folder, {"sales": sales, "inventory": None, "calendar": calendar}, **options)


def happens(known, name, place):
    calendar = known.calendar
    row = calendar.occurs[calendar.places.index(place), calendar.events.index(name)]
    return calendar.time.dates()[row].astype(str).tolist()


def test_events_are_those_of_everywhere_and_of_the_place(tmp_path):
    text = "date,location,event\n2026-11-17,,Fair\n2026-11-17,X,Match\n2026-11-20,Y,Fair\n2026-12-24,,Eve\n2026-12-24,,Sale\n"
    known = load(tmp_path, text).panel.known
    assert known.calendar.events == ("Eve", "Fair", "Match", "Sale")
    assert known.calendar.places == ("X", "Y")
    assert happens(known, "Fair", "X") == ["2026-11-17"]
    assert happens(known, "Fair", "Y") == ["2026-11-17", "2026-11-20"]
    assert happens(known, "Match", "Y") == []
    assert happens(known, "Eve", "Y") == happens(known, "Sale", "X") == ["2026-12-24"]
    assert known.calendar.open.all()


def test_a_week_has_the_events_of_its_days_and_is_closed_if_all_are(tmp_path):
    closed = "".join(f"{day('2026-12-21') + at},X,Break,0,\n" for at in range(7))
    text = f"date,location,event,open,snap\n2026-11-29,,Fair,0,4\n2026-11-24,,,,2\n{closed}"
    known = load(tmp_path, text, step="week", as_of=day("2026-11-29"), covariates=("snap",)).panel.known
    assert happens(known, "Fair", "Y") == ["2026-11-23"]
    shut = known.calendar.time.dates()[~known.calendar.open[0]].astype(str).tolist()
    assert (shut, known.calendar.open[1].all()) == (["2026-12-21"], np.True_)
    assert known.covariates["snap"][:, 1].tolist() == [3, 3]


def test_a_row_of_the_place_stands_above_one_of_everywhere_value_by_value(tmp_path):
    text = "date,location,open,snap\n2026-12-01,,0,5\n2026-12-01,Y,1,\n2026-12-02,,,5\n2026-12-02,X,0,0\n"
    known = load(tmp_path, text, covariates=("snap",)).panel.known
    assert known.calendar.open[:, 15:17].tolist() == [[False, False], [True, True]]
    assert known.covariates["snap"][:, 15:17].tolist() == [[5, 0], [5, 5]]
    assert known.reach("snap").tolist() == [known.time.n, known.time.n]  # at any time: also seen from an earlier origin
    assert known.until(3).covariates["snap"][0, 15] == 5


def test_a_number_that_ends_with_the_history_was_recorded_and_is_not_known_ahead(tmp_path):
    got = load(tmp_path, "date,location,heat\n2026-11-20,,5\n2026-12-01,X,6\n", covariates=("heat",))
    assert got.panel.known.reach("heat").tolist() == [got.panel.known.time.n, 0]
    assert np.isnan(got.panel.known.until(3).covariates["heat"][1]).all()
    assert any("tells nothing of heat after the origin for 1 series" in note for note in got.notes)


def test_two_values_for_one_day_and_place_are_refused_with_the_keys_and_a_blank_is_none(tmp_path):
    fine = "date,location,event,open,snap\n2026-12-01,,Fair,0,\n2026-12-01,,Sale,,1\n2026-12-01,X,Sale,1,2\n"
    assert not load(tmp_path, fine, covariates=("snap",)).panel.known.calendar.open[1, 15]
    for row, column, told in (("2026-12-01,,Eve,1,", "open", "lines 2, 5 say 0, 1"),
                              ("2026-12-01,X,,,3", "snap", "lines 4, 5 say 2, 3")):  # fmt: skip
        with pytest.raises(RefusedInput, match=f"1 key stands on rows that differ in {column}") as refused:
            load(tmp_path, fine + row + "\n", covariates=("snap",))
        assert (refused.value.code, refused.value.details[0].rpartition(": ")[2]) == ("SC-D021", told)


def test_equal_rows_are_merged(tmp_path):
    got = load(tmp_path, "date,event\n2026-12-01,Fair\n2026-12-01,Fair\n2026-12-01,Eve\n")
    assert (got.rows["calendar"].kept, got.rows["calendar"].merged) == (2, 1)


def test_places_and_dates_that_are_not_looked_at_are_told_and_counted(tmp_path):
    text = "date,location,event\n2026-12-01,LYON,Fair\n2020-01-01,,Old\n2026-11-15,,Old\n2036-01-01,,Far\n2026-12-01,,Fair\n"
    got = load(tmp_path, text)
    told = {(i.code, i.severity, i.count) for i in got.issues if i.source == "calendar"}
    assert told == {("SC-D041", "warning", 1), ("SC-D091", "info", 3)}
    assert got.panel.known.calendar.events == ("Fair",)
    assert "SC-D030" not in codes(got)


def test_the_calendar_reaches_past_any_horizon(tmp_path):
    text = "date,event\n2026-12-01,Fair\n"
    calendar = load(tmp_path, text).panel.known.calendar
    assert calendar.time.n == 14 + AHEAD_DAYS
    assert load(tmp_path, text, horizon=600).panel.known.calendar.time.n == 14 + 600 + LOOK
    weekly = load(tmp_path, text, step="week", horizon=100).panel.known.calendar
    assert weekly.time.n == 2 + 100 + LOOK


def test_without_a_calendar_and_holidays_there_is_none(tmp_path):
    assert load(tmp_path, None).panel.known.calendar is None


def test_a_selection_keeps_the_calendar_of_all_places(tmp_path):
    whole, some = (load(tmp_path, "date,location,event\n2026-12-01,X,Fair\n", select=s) for s in (None, "location:Y"))
    assert some.panel.known.calendar.places == whole.panel.known.calendar.places == ("X", "Y")


def test_an_id_that_is_no_series_still_has_its_own_place(tmp_path):
    text = "date,location,open\n2026-12-01,Y,0\n"
    known = load(tmp_path, text, sales="date,sku,location,quantity\n2026-11-18,A,X,1\n2026-11-18,B,Y,1\n").panel.known
    assert known.calendar.closed(np.array(["X", "Y", "Z"]), 13, 1).ravel().tolist() == [False, True, False]
