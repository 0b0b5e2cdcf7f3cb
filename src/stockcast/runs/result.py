"""What a run made, on its way to being published."""

from dataclasses import dataclass
from typing import final

from stockcast import evaluation, ingest, policies
from stockcast.inventory import Situation
from stockcast.models.boosting.importance import Importance
from stockcast.runs.stages import Forecasted


@final
@dataclass(frozen=True, slots=True)
class Result:
    """What a run made; what it did not make is None."""

    inputs: ingest.Inputs
    forecast: Forecasted | None = None
    situation: Situation | None = None
    plan: "policies.Planned | None" = None
    report: bool = False
    comparison: "evaluation.Comparison | None" = None
    importance: Importance | None = None
    tradeoff: "policies.Tradeoff | None" = None
