"""Weights as bytes with a hash, and folders of weights beside a JSON of everything else: nothing is unpickled."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch

from stockcast.core.errors import DataError

REST = "rest.json"


@final
@dataclass(frozen=True, slots=True)
class Weights:
    """Tensors by name, in the safetensors format, with the hash of the bytes."""

    data: bytes
    digest: str

    @classmethod
    def of(cls, tensors: Mapping[str, torch.Tensor]) -> "Weights":
        """Write tensors down, wherever they are."""
        from safetensors.torch import save

        data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
        return cls(data, digest_of(data))

    def load(self) -> dict[str, torch.Tensor]:
        """Read the tensors.

        Raises
        ------
        DataError
            If the bytes and the hash do not belong together.
        """
        from safetensors.torch import load

        if digest_of(self.data) != self.digest:
            raise damaged("the weights of a network were changed after they were written")
        return load(self.data)


def digest_of(data: bytes) -> str:
    """Give the hash of some bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def damaged(what: str, folder: Path | None = None) -> DataError:
    """Give the error of a file that cannot be used; where it lies is no part of what a note says."""
    where = [] if folder is None else [str(folder)]
    return DataError(what, code="SC-M007", details=where, help="remove it: the network is then learnt anew")


def write(folder: Path, tensors: Mapping[str, torch.Tensor], rest: Mapping[str, Any]) -> None:
    """Write tensors and all else into a folder, so that at any moment it holds the old state or the new one, whole.

    The tensors stand in a file that is named by their hash; the JSON, which is put in its place last and at once, says
    which one it is. What it named before is removed then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (name, data), (_, text) = files(tensors, rest).items()
    _put(folder / name, data)
    _put(folder / REST, text)
    for other in (*folder.glob("weights-*.safetensors"), *folder.glob(".weights-*"), *folder.glob(f".{REST}.*")):
        if other.name != name:
            other.unlink(missing_ok=True)  # an older state, or what a killed process had not put in its place


def files(tensors: Mapping[str, torch.Tensor], rest: Mapping[str, Any]) -> dict[str, bytes]:
    """Give the two files that :func:`write` writes, by their names: the tensors, then the JSON that names them."""
    weights = Weights.of(tensors)
    text = json.dumps({"weights": weights.digest, "rest": rest}, ensure_ascii=False, sort_keys=True)
    whole = f"{digest_of(text.encode())}\n{text}\n".encode()
    return {f"weights-{weights.digest}.safetensors": weights.data, REST: whole}


def _put(path: Path, data: bytes) -> None:
    """Write a file beside its place, and put it there at once."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read what :func:`write` wrote.

    Raises
    ------
    DataError
        If something is missing, or was changed after it was written (SC-M007).
    """
    try:
        digest, _, text = (folder / REST).read_text(encoding="utf-8").partition("\n")
        text = text.removesuffix("\n")
        if digest_of(text.encode()) != digest:
            raise damaged(f"{REST} of the network was changed after it was written", folder)
        held = json.loads(text)
        data = (folder / f"weights-{held['weights']}.safetensors").read_bytes()
    except FileNotFoundError as error:
        raise damaged(f"{Path(error.filename).name} of the network is not there", folder) from error
    except OSError as error:
        raise damaged(f"the network cannot be read: {error.strerror}", folder) from error
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(f"{REST} of the network cannot be read", folder) from error
    return Weights(data, held["weights"]).load(), held["rest"]
