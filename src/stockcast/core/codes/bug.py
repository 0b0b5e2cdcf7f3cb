"""Codes SC-B…: a rule of our own is broken; each is a bug of stockcast, never the user's doing."""

from stockcast.core.codes.entry import Code

_REMEDY = "run the command again with --debug and report what it prints; the newest published run is untouched"

CODES: tuple[Code, ...] = (
    Code("SC-B001", "an unexpected error", "Something that nobody foresaw, in stockcast itself.", _REMEDY),
    Code("SC-B002", "rows do not add up", "read = kept + merged + returned + quarantined failed for a source.", _REMEDY),
    Code("SC-B003", "not a time axis", "A number of periods below zero, or a step other than day or week.", _REMEDY),
    Code("SC-B004", "a panel with impossible numbers", "Sales or in_stock passed the checks though they must not.", _REMEDY),
    Code("SC-B005", "a stock state with impossible numbers", "Stock, backorders or pipeline below zero.", _REMEDY),
    Code("SC-B006", "terms with impossible numbers", "A term of supply passed the checks though it must not.", _REMEDY),
)
