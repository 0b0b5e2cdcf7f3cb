"""Texts and numbers for a reader's eye: inert in HTML and SVG."""

import re
from html import escape

import numpy as np

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """Make a text inert: markup escaped, control characters and marks of direction shown by their number.

    Examples
    --------
    >>> plain('<script>"a"&\u202eb')
    '&lt;script&gt;&quot;a&quot;&amp;⟨U+202E⟩b'
    """
    shown = _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", str(text))
    return escape(shown.encode("utf-8", "replace").decode())


def number(value: int | float) -> str:
    """Write a number for a reader: three digits at least, thousands apart, ``–`` where there is none.

    Examples
    --------
    >>> number(1234567.0), number(12.345), number(0.0), number(float("nan"))
    ('1,234,567', '12.3', '0', '–')
    """
    if not np.isfinite(value):
        return "–"
    if value == round(value) or abs(value) >= 100:
        return f"{value + 0.0:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.3g}"


def short_number(value: int | float) -> str:
    """Write a number for an axis.

    Examples
    --------
    >>> [short_number(value) for value in (0.25, 40.0, 2500.0, 3e6)]
    ['0.25', '40', '2.5k', '3M']
    """
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.3g}"
