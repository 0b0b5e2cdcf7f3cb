"""A folder of weights: whether it is there, whole, and the one that the config means."""

import hashlib
import importlib.util
from pathlib import Path

from stockcast.core.errors import UsageError
from stockcast.core.libraries import unloadable
from stockcast.models.catalogue import Pretrained

PACKAGES = ("chronos", "transformers")  # what the extra brings, as it is imported
NEEDED = ("config.json", "model.safetensors")


def installed() -> bool:
    """Tell whether the optional extra ``pretrained`` is installed whole, without loading it."""
    return not lacking()


def lacking() -> list[str]:
    """Give the packages of the extra ``pretrained`` that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def fingerprint(folder: Path) -> str:
    """Give the sha256 of a folder: of the sha256 and the name of each file, as ``sha256sum * | sha256sum`` does.

    Hidden files and folders are left out, as the shell does; the names are in the order of their bytes.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "config.json").write_text("{}")
    2
    >>> fingerprint(folder)[:12]
    'f0c39c917b58'
    """
    files = sorted(
        (path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")),
        key=lambda path: path.name.encode(),
    )
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{digest}  {path.name}\n".encode())
    return whole.hexdigest()


def require(given: Pretrained | None) -> Pretrained:
    """Give the folder of weights back, if it can be used.

    Raises
    ------
    UsageError
        If none is named, it is not there, lacks its weights as safetensors, or is another than its hash says (SC-M008);
        if the extra ``pretrained`` is not installed (SC-M009).
    ResourceError
        If only a part of it is (SC-E008).
    """
    if given is None:
        raise _unusable(
            "chronos needs a folder of weights, and none is named", "set forecast.pretrained, or leave it out"
        )
    if not installed():
        lost = lacking()
        if PACKAGES[0] not in lost:
            raise unloadable(ModuleNotFoundError(name=lost[0]), PACKAGES[0])
        raise UsageError(
            "chronos needs the package chronos-forecasting, which is not installed",
            code="SC-M009",
            help="pip install 'stockcast[pretrained]', or leave chronos out of forecast.models",
        )
    if not given.path.is_dir():
        raise _unusable(f"forecast.pretrained.path: no folder {given.path}", "put the weights there; none are fetched")
    missing = [name for name in NEEDED if not (given.path / name).is_file()]
    if missing:
        raise _unusable(
            f"{given.path}: no {' and no '.join(missing)}",
            "give the whole model with its weights as safetensors; other formats are not read",
        )
    try:
        found = fingerprint(given.path)
    except OSError as error:
        raise _unusable(f"{error.filename}: {error.strerror}", "give the permission to read it") from error
    if found != given.sha256.lower():
        raise _unusable(
            f"{given.path}: its hash is not forecast.pretrained.sha256",
            "if the folder is as you mean it, set forecast.pretrained.sha256 to the hash found",
            f"found:    {found}",
            f"expected: {given.sha256.lower()}",
        )
    return given


def _unusable(what: str, remedy: str, *details: str) -> UsageError:
    return UsageError(what, code="SC-M008", details=details, help=remedy)
