import numpy as np
import pytest

from stockcast.core.arrays import freeze, read_only
from stockcast.core.codes import every_code, find_code
from stockcast.core.errors import InvariantError, StockcastError, UsageError
from stockcast.core.findings import RowCount
from stockcast.core.registry import look_up


def test_rows_add_up_or_it_is_a_bug():
    RowCount(read=10, kept=5, merged=2, returned=2, quarantined=1, left_out=7)
    with pytest.raises(InvariantError, match="rows do not add up"):
        RowCount(read=10, kept=5)


def test_a_name_that_is_not_known_names_the_nearest():
    assert look_up({"ets": int, "theta": float}, "ets", "model") is int
    with pytest.raises(UsageError, match="unknown model 'thet', did you mean theta") as told:
        look_up({"ets": int, "theta": float}, "thet", "model")
    assert told.value.details == ("known: ets, theta",)


def test_codes_are_unique_complete_and_of_their_family():
    codes = list(every_code())
    assert len({code.name for code in codes}) == len(codes)
    for code in codes:
        assert code.name.startswith("SC-")
        assert len(code.name) == 7
        assert all((code.title, code.cause, code.remedy)), code.name
    assert find_code("sc-b002").name == "SC-B002"
    with pytest.raises(UsageError, match="did you mean SC-B"):
        find_code("SC-B0O2")


def test_every_kind_of_error_has_the_exit_code_of_the_interface():
    kinds = {kind.__name__: kind.exit_code for kind in StockcastError.__subclasses__()}
    assert {
        "UsageError": 2,
        "DataError": 3,
        "LockedError": 5,
        "ResourceError": 6,
        "HeldBackError": 7,
        "AlignmentError": 1,
        "InvariantError": 1,
    }.items() <= kinds.items()


def test_an_error_as_a_dict_holds_what_the_screen_shows():
    error = UsageError("what", code="SC-C001", details=["a", "b"], help="do that", kept="all")
    assert error.as_dict() == {
        "code": "SC-C001",
        "message": "what",
        "details": ["a", "b"],
        "help": "do that",
        "kept": "all",
    }


def test_freezing_leaves_the_callers_array_writable_and_skips_none():
    class Thing:
        pass

    mine = np.zeros(2)
    thing = Thing()
    freeze(thing, a=mine, b=None)
    mine[0] = 1
    assert thing.a[0] == 1
    assert not hasattr(thing, "b")
    with pytest.raises(ValueError, match="read-only"):
        read_only(mine)[0] = 2
