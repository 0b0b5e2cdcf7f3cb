"""A model that was learnt elsewhere: weights from a folder of one's own, held against a hash, never fetched."""

from stockcast.models.pretrained.folder import fingerprint, require
from stockcast.models.pretrained.model import Chronos, FittedChronos

__all__ = ["Chronos", "FittedChronos", "fingerprint", "require"]
