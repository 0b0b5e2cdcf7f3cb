"""Codes SC-B…: a rule of our own is broken; each is a bug of stockcast, never the user's doing."""

from stockcast.core.codes.entry import Code

_REMEDY = "run the command again with --debug and report what it prints; the newest published run is untouched"

CODES: tuple[Code, ...] = (
    Code("SC-B001", "an unexpected error", "Something that nobody foresaw, in stockcast itself.", _REMEDY),
    Code("SC-B002", "rows do not add up", "A source's row count is not the sum of what became of the rows.", _REMEDY),
    Code("SC-B003", "not a time axis", "A number of periods below zero, or a step other than day or week.", _REMEDY),
    Code("SC-B004", "a panel with impossible numbers", "Sales or in_stock passed the checks wrongly.", _REMEDY),
    Code("SC-B005", "a stock state with impossible numbers", "Stock, backorders or pipeline below zero.", _REMEDY),
    Code("SC-B006", "terms with impossible numbers", "A term of supply passed the checks wrongly.", _REMEDY),
    Code(
        "SC-B007",
        "a simulated period that cannot be",
        "An order or a demand below zero, or beyond the pipeline.",
        _REMEDY,
    ),
    Code("SC-B010", "columns of a table differ in length", "A table to be written is no table.", _REMEDY),
    Code("SC-B011", "an output is not finite or negative", "A number about to be written is not one.", _REMEDY),
    Code("SC-B012", "two order lines share one id", "The ids of orders.csv would not be unique.", _REMEDY),
    Code("SC-B013", "a held run would replace the latest", "A run that is held back bears the latest's name.", _REMEDY),
    Code("SC-B014", "a matrix of features with holes", "Features were selected before holes were filled.", _REMEDY),
)
