"""From recorded sales to demand: sales of a period without stock is only a lower bound (rule 5)."""

from stockcast.models.uncensor.estimation import Estimated, estimate
from stockcast.models.uncensor.evidence import ENOUGH, EVERY, SHARE, Evidence, evidence
from stockcast.models.uncensor.filling import filled

__all__ = ["ENOUGH", "EVERY", "SHARE", "Estimated", "Evidence", "estimate", "evidence", "filled"]
