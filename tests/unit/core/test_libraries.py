"""A library that is missing, broken or half there ends as one screen that names it and what to install."""

import sys

import pytest

from stockcast.core.errors import ResourceError
from stockcast.core.libraries import libraries_told, require_library, unloadable


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Give a way to install a library with some text; everything it brings is gone after the test."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def install(name, text):
        (tmp_path / f"{name}.py").write_text(text)

    yield install
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_one_that_is_not_there(installed):
    with pytest.raises(ResourceError, match="no_such_thing is not installed") as caught:
        require_library("json", "no_such_thing.part")
    assert (caught.value.exit_code, caught.value.code) == (6, "SC-E008")
    assert caught.value.help.startswith("pip install no_such_thing;")


def test_one_that_is_broken(installed):
    installed("broken_thing", 'raise OSError("libthing.so: cannot open shared object file")')
    with pytest.raises(ResourceError, match="broken_thing is installed but cannot be loaded") as caught:
        require_library("broken_thing")
    assert caught.value.details == ("libthing.so: cannot open shared object file",)
    assert "--force-reinstall broken_thing" in caught.value.help


def test_one_that_lacks_another(installed):
    installed("half_thing", "import no_such_thing")
    with pytest.raises(ResourceError, match="half_thing cannot be loaded: it needs no_such_thing") as caught:
        require_library("half_thing")
    assert caught.value.help.startswith("pip install no_such_thing;")


def test_a_part_of_an_extra_is_mended_by_the_extra():
    error = unloadable(ModuleNotFoundError(name="transformers"), "chronos")
    assert error.help.startswith("pip install 'stockcast[pretrained]';")
    assert unloadable(ModuleNotFoundError(name="sklearn")).message == "scikit-learn is not installed"


def test_an_import_that_fails_on_the_way_is_told_by_the_library_it_failed_in(installed):
    installed("broken_thing", 'raise ImportError("libthing.so: cannot open shared object file")')
    ran = compile("import broken_thing", "made.py", "exec")
    with pytest.raises(ResourceError, match="broken_thing is installed but cannot be loaded"), libraries_told():
        exec(ran, {"__name__": "stockcast.models.made"})


def test_a_module_of_ours_that_is_missing_is_a_bug():
    with pytest.raises(ModuleNotFoundError), libraries_told():
        import stockcast.no_such_module  # noqa: F401
