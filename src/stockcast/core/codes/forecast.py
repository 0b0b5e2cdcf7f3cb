"""Codes SC-M…: forecast."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "SC-M001",
        "not a set of quantiles",
        "A forecast has quantiles that are not finite, negative, or decreasing along the levels.",
        "Look at the forecast file that was given: every q… column must be ≥ 0 and not below the one before it.",
    ),
    Code(
        "SC-M002",
        "quantiles were to be added up",
        "Quantiles of single periods do not add up to quantiles of their sum; joint paths do.",
        "State how the periods hang together: demand.convert.to_paths(forecast, correlation=…, stream=…).",
    ),
    Code(
        "SC-M003",
        "model not available",
        "forecast.models names a model that this version of stockcast does not have.",
        "Name models that `stockcast models list` shows as available, or set forecast.models: auto.",
    ),
    Code(
        "SC-M004",
        "a forecast file of another version",
        "The arrays of a recorded forecast have a kind that this version does not know.",
        "Make the forecast again with `stockcast forecast`.",
    ),
    Code(
        "SC-M005",
        "no paths can be made of these quantiles",
        "Joint paths need two levels at least, and a correlation between 0 and 1.",
        "Give the forecast two or more q… columns, and a correlation between 0 and 1.",
    ),
    Code(
        "SC-M006",
        "a stored model that cannot be used",
        "The file of a model was changed after it was written, is not whole, or is no model that LightGBM can read: "
        "another process tried it first, and failed, crashed, or did not come to an end.",
        "Make the model again with `stockcast forecast`.",
    ),
    Code(
        "SC-M007",
        "a network that cannot be read",
        "The files of a network that was learnt earlier are missing, were changed, or are of another version.",
        "Remove the folder that the message names; the network is then learnt anew.",
    ),
    Code(
        "SC-M008",
        "pretrained weights that cannot be used",
        "chronos forecasts with a folder of weights on this machine, and fetches none. None is named, it is not there, "
        "it lacks config.json or model.safetensors, its hash is another, or it is no Chronos-Bolt or Chronos-2 model.",
        "Set forecast.pretrained: {path: …, sha256: …}; the hash is that of `sha256sum * | sha256sum` in the folder, "
        "with LC_ALL=C. Or leave chronos out of forecast.models.",
    ),
    Code(
        "SC-M009",
        "the extra of a model is not installed",
        "chronos needs the package chronos-forecasting, which stockcast installs only with its extra `pretrained`.",
        "Install it: pip install 'stockcast[pretrained]'. Or leave chronos out of forecast.models.",
    ),
    Code(
        "SC-M020",
        "no such column to group by",
        "forecast.hierarchy names a column that items do not have (or that is empty for every item).",
        "Name columns of items, location or sku; the message lists what there is.",
    ),
    Code(
        "SC-M040",
        "too short a history to judge models",
        "No origin lies far enough back: a model needs 28 days or 13 weeks to learn from, and a window after them.",
        "Give a longer history of sales, or a later --as-of; `stockcast forecast` works without a backtest.",
    ),
    Code(
        "SC-M041",
        "too little to rank features by",
        "Features are ranked by a model that learns from 500 periods of all series together at least, and by its "
        "forecasts of the latest 28 days or 8 weeks.",
        "Give a longer history, more series, or a later --as-of.",
    ),
    Code(
        "SC-M030",
        "no such family of features",
        "A choice of features names a family that there is none of.",
        "Name families of docs/features.md: lags, windows, season, calendar, price, promotion, covariates, "
        "availability, static, groups.",
    ),
)
