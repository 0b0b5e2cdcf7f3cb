"""Named random streams of one seed; a draw depends on the series, never on chunks, order or workers (rule 9)."""

import hashlib
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, UInt64


@final
@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of random numbers with a name, from which each series draws by its own key.

    The generator is Philox (Salmon et al. 2011), keyed by (stream, series): counter-based, so that the numbers of one
    series do not depend on which others are drawn with it.

    Examples
    --------
    >>> stream = Stream(7, "paths")
    >>> keys = np.array([3, 5], dtype=np.uint64)
    >>> both = stream.uniform(keys, (2,))
    >>> bool((both[1:] == stream.uniform(keys[1:], (2,))).all())
    True
    """

    seed: int
    name: str

    def _key(self) -> int:
        return int.from_bytes(hashlib.blake2b(f"{self.seed}/{self.name}".encode(), digest_size=8).digest(), "little")

    def child(self, name: str | int) -> "Stream":
        """Give a stream of its own under this one."""
        return Stream(self.seed, f"{self.name}/{name}")

    def uniform(
        self, keys: UInt64[np.ndarray, " series"], shape: tuple[int, ...], *, single: bool = False
    ) -> Float[np.ndarray, "series ..."]:
        """Draw uniform numbers in [0, 1), an array of ``shape`` for each key; ``single`` is faster."""
        out = np.empty((len(keys), *shape), dtype=np.float32 if single else np.float64)
        # one generator, set to the start of each series' numbers: making one asks the system for entropy first
        bits = np.random.Philox(key=np.array([self._key(), 0], dtype=np.uint64))
        draw, start = np.random.Generator(bits), bits.state
        for at, key in enumerate(keys):
            start["state"]["key"][1] = key
            bits.state = start
            draw.random(dtype=out.dtype.type, out=out[at])
        return out

    def generator(self) -> np.random.Generator:
        """Give one generator for draws that belong to no series (parameter candidates, say)."""
        return np.random.Generator(np.random.Philox(key=np.array([self._key(), 0], dtype=np.uint64)))
