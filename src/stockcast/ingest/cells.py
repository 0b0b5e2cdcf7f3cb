"""Values that cannot be read in columns that a row can do without: the cell is blanked, and the row stands."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from stockcast.ingest.convert import Coded, Converted
from stockcast.ingest.schema import COVARIATE_TABLES, TABLES

UNREADABLE = ("SC-D014", "SC-D015")  # no number, no finite number


def is_spare(source: str, name: str, code: str) -> bool:
    """Tell whether a row of a source stands without a value of a column that was refused by a code.

    What was sold is known without the price, the promotion or a covariate; without the share in stock it is not known
    what it tells of demand. A price below 0 can be read, and says that the row is no sale.

    Examples
    --------
    >>> is_spare("sales", "price", "SC-D014"), is_spare("sales", "weather", "SC-D014")
    (True, True)
    >>> is_spare("sales", "price", "SC-D016"), is_spare("sales", "in_stock", "SC-D014")
    (False, False)
    """
    schema = TABLES[source].columns.get(name)
    return code in UNREADABLE and (source in COVARIATE_TABLES if schema is None else schema.spare)


def keyed_rows(
    columns: Mapping[str, Converted], key: Sequence[str], refused_for: Mapping[int, str]
) -> Int[np.ndarray, " row"]:
    """Give the refused rows whose key can be read, so that it is known of what they would have told.

    Parameters
    ----------
    refused_for
        The column for which each row was refused.
    """
    rows = np.array(sorted(row for row, column in refused_for.items() if column not in key), dtype=np.int64)
    for name in key:
        if name not in columns:
            continue
        column = columns[name]
        values = column.values
        blank = values.codes < 0 if isinstance(values, Coded) else np.isnat(values)
        rows = rows[~blank[rows] & ~np.isin(rows, column.faulty_rows())]
    return rows
