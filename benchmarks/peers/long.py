"""The long frame that mlforecast reads, made of the arrays that the peers are told."""

import numpy as np
import pandas as pd

SEED = 7


def start(given: dict) -> pd.Timestamp:
    return pd.Timestamp(str(given["start"]))


def frame(given: dict, until: int) -> pd.DataFrame:
    """Give all series from their first period up to one, with what is known and static; a period not used weighs 0."""
    values = given["values"][:, :until]
    n, time_n = values.shape
    begins = np.where(np.isnan(values), time_n, np.arange(time_n)).min(axis=1)
    series, at = np.nonzero(np.arange(time_n)[None, :] >= begins[:, None])
    dates = start(given) + pd.to_timedelta(np.arange(time_n), unit="D")
    out = pd.DataFrame({"unique_id": series, "ds": dates[at], "y": values[series, at]})
    for name in given:
        kind, _, column = name.partition("/")
        if kind == "known":
            out[column] = given[name][series, at].astype(np.float32)
        elif kind == "static":
            out[column] = pd.Categorical(given[name][series])
    if not given["used"].all():
        out["weight"] = given["used"][series, at].astype(np.float32)
    out["dow"] = (at % 7).astype(np.int8)
    out["series"] = pd.Categorical(series, categories=range(n))
    return out


def static_names(given: dict) -> list[str]:
    return ["series", *(name.partition("/")[2] for name in given if name.startswith("static/"))]


def known_names(given: dict) -> list[str]:
    return [name.partition("/")[2] for name in given if name.startswith("known/")]
