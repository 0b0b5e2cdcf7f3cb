"""Libraries that are not there or cannot be loaded: told as what they are, with what to install, and never as a bug."""

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from stockcast.core.errors import ResourceError

EXTRAS = {"chronos": "pretrained", "transformers": "pretrained"}  # modules that an extra of stockcast brings
NAMED = {  # modules that are installed under another name
    "python_calamine": "python-calamine",
    "pytorch_forecasting": "pytorch-forecasting",
    "ruamel": "ruamel.yaml",
    "sklearn": "scikit-learn",
}
CARRIERS = ("importlib", "concurrent")  # what brings an error of others: imports, and worker processes


def module_of(distribution: str) -> str:
    """Give the module that a distribution is imported as.

    Examples
    --------
    >>> module_of("scikit-learn"), module_of("torch"), module_of("ruamel.yaml")
    ('sklearn', 'torch', 'ruamel.yaml')
    """
    known = {name: module for module, name in NAMED.items() if module != "ruamel"}
    return known.get(distribution, distribution.replace("-", "_"))


def require_library(*modules: str) -> None:
    """Load libraries, so that one that is missing or broken is told before anything is computed.

    Raises
    ------
    ResourceError
        If one cannot be loaded (SC-E008).
    """
    for module in modules:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what a library says of its own imports is for its makers
                importlib.import_module(module)
        except Exception as error:  # what a half-installed library raises while it is loaded, nobody promises
            raise unloadable(error, module) from error


def unloadable(error: Exception, module: str = "") -> ResourceError:
    """Give the screen of a library that cannot be loaded.

    Parameters
    ----------
    module
        The library that was asked for; what the error tells of it when left out.
    """
    top = module.partition(".")[0] or library_of(error)
    gone = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    name = _distribution(top) or "a library"
    extra = EXTRAS.get(top) or EXTRAS.get(gone)
    package = f"'stockcast[{extra}]'" if extra else _distribution(gone or top) or "stockcast"
    details: list[str] = []
    if gone == top and gone:
        headline = f"{name} is not installed"
    elif gone:
        headline = f"{name} cannot be loaded: it needs {_distribution(gone)}, which is not installed"
    else:
        headline = f"{name} is installed but cannot be loaded"
        details = [(str(error).strip().splitlines() or [type(error).__name__])[0][:200]]
    again = "" if gone else "--force-reinstall "
    return ResourceError(
        headline,
        code="SC-E008",
        details=details,
        help=f"pip install {again}{package}; stockcast doctor looks at what is installed",
    )


def _distribution(module: str) -> str:
    return NAMED.get(module, module)


def library_of(error: BaseException) -> str:
    """Give the library that an import failed in: the first that ran after the last module of stockcast, or its name.

    Examples
    --------
    >>> library_of(ModuleNotFoundError("No module named 'torch'", name="torch"))
    'torch'
    """
    ran = list(_modules(error.__traceback__))
    after = ran[len(ran) - ran[::-1].index("stockcast") :] if "stockcast" in ran else []
    named = (getattr(error, "name", None) or "").partition(".")[0]
    return next((name for name in after if name not in CARRIERS), named)


def _modules(trace: TracebackType | None) -> Iterator[str]:
    """Give the top-level modules whose code ran on the way to an error."""
    while trace is not None:
        yield str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        trace = trace.tb_next


@contextmanager
def libraries_told() -> Iterator[None]:
    """Turn an ``ImportError`` of a library into the screen that tells of it; one of stockcast's own modules is a bug.

    Raises
    ------
    ResourceError
        If a library cannot be loaded (SC-E008).
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "stockcast":
            raise
        raise unloadable(error) from error
