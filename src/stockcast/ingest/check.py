"""Check every source: raw tables to typed tables of the rows that stand; each refused row is an issue."""

from collections import Counter
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from stockcast.core.errors import DataError, UsageError, did_you_mean
from stockcast.core.findings import Issue, RowCount, Severity
from stockcast.ingest.cells import is_spare, keyed_rows
from stockcast.ingest.checked import CheckedTable, CheckedTables
from stockcast.ingest.convert import (
    Coded,
    Converted,
    date_formats,
    looks_like_decimal_comma,
    may_be_grouped,
    to_dates,
    to_numbers,
    to_texts,
)
from stockcast.ingest.delimited import no_rows, truncated
from stockcast.ingest.keys import damaged_ids, near_equal_ids, repeated_rows, require_agreement, unique_rows
from stockcast.ingest.raw import RawTable, RawTables
from stockcast.ingest.refusal import Findings
from stockcast.ingest.rules import RULES, Refusal
from stockcast.ingest.schema import COVARIATE_TABLES, MAIN, TABLES, Table
from stockcast.ingest.spec import IngestSpec, SourceSpec


def check(raw: RawTables) -> CheckedTables:
    """Convert and check every table.

    Raises
    ------
    RefusedInput
        If a source has too many refused rows, an ambiguous date, a decimal comma that was not declared, or a key with
        two meanings. All sources are looked at first: the error carries the issues of all.
    UsageError
        If no source has a column that ``forecast.covariates`` lists.
    """
    findings = Findings()
    _tell_of_settings(raw, findings)
    tables: dict[str, CheckedTable] = {}
    lost: dict[str, CheckedTable] = {}
    errors: list[DataError] = []
    for name, table in raw.tables.items():
        try:
            tables[name] = _check_table(raw.spec, table, findings, lost)
        except DataError as error:
            errors.append(error)
    if errors:
        first = errors[0]
        raise findings.refuse(first.message, code=first.code, details=first.details, help=first.help)
    _tell_of_blank_covariates(raw, tables, findings)
    hashes = {name: table.digest for name, table in raw.tables.items()}
    return CheckedTables(raw.spec, tables, hashes, findings, lost.get("sales"))


def _check_table(spec: IngestSpec, raw: RawTable, findings: Findings, lost: dict[str, CheckedTable]) -> CheckedTable:
    source, table = raw.source, TABLES[raw.source.name]
    if raw.n == 0 and not raw.refused and not table.may_be_empty:
        raise no_rows(source)
    columns = _convert(raw, table)
    alive = np.ones(raw.n, dtype=bool)
    refused = list(raw.refused)
    refused_for: dict[int, str] = {}
    spare: list[Refusal] = []
    for rule in RULES:
        for refusal in rule(table, columns):
            if is_spare(source.name, refusal.column, refusal.fault.code):
                spare.append(refusal)
            elif alive[refusal.row]:
                alive[refusal.row] = False
                refused_for[refusal.row] = refusal.column
                refused.append(_issue(raw, refusal, "error", "row left out"))
    spare = [refusal for refusal in spare if alive[refusal.row]]
    refused += [_issue(raw, refusal, "warning", "value taken as blank, row kept") for refusal in spare]
    read, kept = raw.n + len(raw.refused), int(alive.sum())
    findings.issues.extend(sorted(refused, key=lambda issue: issue.line or 0))
    count = RowCount(read, kept, quarantined=read - kept, blanked=len({refusal.row for refusal in spare}))
    findings.rows[source.name] = count
    _stop_at_ambiguous_dates(source, columns, refused)
    _stop_at_decimal_commas(spec, raw, columns, refused, read)
    last = [issue for issue in refused if raw.unfinished and raw.n and issue.line == int(raw.place.line_of[-1])]
    if last:
        raise truncated(source, int(raw.place.line_of[-1]), last[0].value or "")
    _stop_at_too_many(spec, raw, refused, count)
    if not kept and not table.may_be_empty:
        raise no_rows(source)
    typed = {name: column.values for name, column in columns.items()}
    if "location" in table.columns and "location" not in typed and table.columns["location"].refuses_blank:
        typed["location"] = Coded(np.zeros(raw.n, dtype=np.int64), np.array([MAIN]))
    whole = CheckedTable(source, typed, np.arange(raw.n), raw.place, RowCount(raw.n, raw.n))
    if source.name == "sales":
        lost[source.name] = whole.take(keyed_rows(columns, ("date", "sku", "location"), refused_for))
    return _finish(raw, table, columns, whole.take(np.flatnonzero(alive), count), findings)


def _finish(
    raw: RawTable, table: Table, columns: dict[str, Converted], checked: CheckedTable, findings: Findings
) -> CheckedTable:
    """Tell what is odd about the rows that stand, and bring those of one key together."""
    source = raw.source
    _tell_of_texts(source, table, columns, findings)
    _tell_of_times(source, columns, findings)
    _tell_of_marks(source, columns, findings)
    _tell_of_near_names(raw, table, findings)
    for name in ("sku", "location", "supplier"):
        if name in checked.columns:
            near_equal_ids(checked, name, findings)
            damaged_ids(checked, name, findings)
    if raw.ignored:
        findings.inform(
            "SC-D029", source.name, f"{source.label}: columns not read: {', '.join(raw.ignored[:20])}",
            "ignored", count=len(raw.ignored),
        )  # fmt: skip
    _tell_of_unused(raw, table, findings)
    if raw.fingerprint is not None:
        repeated_rows(checked, raw.fingerprint[checked.row], findings)
    if table.agrees:
        checked = unique_rows(checked, tuple(checked.columns), findings)  # rows of one key may tell different things
        require_agreement(checked, table.agrees)
    elif table.key:
        checked = unique_rows(checked, table.key, findings)
    findings.rows[source.name] = checked.count
    return checked


def _zone(source: SourceSpec) -> ZoneInfo | None:
    if source.timezone is None:
        return None
    try:
        return ZoneInfo(source.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DataError(
            f"{source.label}: unknown time zone {source.timezone!r}",
            code="SC-D017",
            help=f"set sources.{source.name}.timezone to a name such as Europe/Paris",
        ) from None


def _convert(raw: RawTable, table: Table) -> dict[str, Converted]:
    source, zone = raw.source, _zone(raw.source)
    columns = {}
    for name, column in raw.columns.items():
        schema = table.columns.get(name)
        if schema is None:
            held = source.name in ("items", "item_locations", "locations")
            columns[name] = to_texts(column) if held else to_numbers(column, decimal=source.decimal, blank_nan=True)
        elif schema.kind in ("id", "text"):
            columns[name] = to_texts(column)
        elif schema.kind == "date":
            columns[name] = to_dates(column, pattern=source.date_format, zone=zone)
        else:
            columns[name] = to_numbers(
                column, decimal=source.decimal, flag=schema.kind == "flag", blank_nan=not schema.refuses_blank
            )
    return columns


def _issue(raw: RawTable, refusal: Refusal, severity: Severity, action: str) -> Issue:
    source = raw.source
    column = source.columns.get(refusal.column, refusal.column)
    cell = raw.place.cell(refusal.row, refusal.column)
    return Issue(
        severity,
        refusal.fault.code,
        source.name,
        f"{source.label} {raw.place.say(refusal.row, refusal.column)}, column {column}: {refusal.fault.message}",
        action,
        line=None if cell else int(raw.place.line_of[refusal.row]),
        cell=cell,
        column=column,
        value=refusal.value,
    )


def _stop_at_ambiguous_dates(source: SourceSpec, columns: dict[str, Converted], refused: Iterable[Issue]) -> None:
    first = next((issue for issue in refused if issue.code == "SC-D018"), None)
    if first is None:
        return
    slashed = [
        str(column.raw.values[at])
        for column in columns.values()
        for at, fault in column.faults.items()
        if fault.code == "SC-D018"
    ]
    patterns = date_formats(slashed)
    others = sum(issue.code == "SC-D018" for issue in refused) - 1
    raise DataError(
        first.message.replace(" is ambiguous: ", " is ambiguous; set date_format: "),
        code="SC-D018",
        details=[f"{others} other rows hold such dates"] if others else [],
        help=f"set sources.{source.name}.date_format: "
        + (" or ".join(f'"{p}"' for p in patterns) if patterns else "no one pattern fits all; write ISO dates"),
    )


def _stop_at_decimal_commas(
    spec: IngestSpec, raw: RawTable, columns: dict[str, Converted], refused: list[Issue], read: int
) -> None:
    """Refuse a source whose numbers have decimal commas, rather than drop all but its whole numbers."""
    source = raw.source
    if source.decimal != ".":
        return
    for name, column in columns.items():
        shown = source.columns.get(name, name)
        hits = [i for i in refused if i.code == "SC-D014" and i.column == shown and looks_like_decimal_comma(i.value)]
        points = any(isinstance(value, str) and "." in value for value in column.raw.values)
        if not hits or (len(hits) <= spec.max_bad_rows * read and (points or len(hits) < 2)):
            continue
        first = min(hits, key=lambda issue: issue.line or 0)
        others = f"; {len(hits) - 1} other rows look like decimal commas" if len(hits) > 1 else ", not a comma"
        details, remedy = [f'read with decimal "."{others}'], f'set sources.{source.name}.decimal: ","'
        if all(may_be_grouped(hit.value) for hit in hits):
            whole = str(first.value).replace(",", "")
            details.append(f"or marks between thousands: then {first.value} is {whole}, and no such mark is read")
            remedy = f"write {whole} without the mark; only if the comma is the decimal mark, {remedy}"
        raise DataError(first.message, code="SC-D014", details=details, help=remedy)


def _stop_at_too_many(spec: IngestSpec, raw: RawTable, refused: list[Issue], count: RowCount) -> None:
    """Refuse a source with too many bad rows: those that are left out, and those that lose a value."""
    source, read, bad = raw.source, count.read, count.quarantined + count.blanked
    if bad <= spec.max_bad_rows * read:
        return
    counts = Counter(issue.code for issue in refused)
    what = "are refused or lose a value" if count.blanked else "are refused"
    details = []
    for code, times in counts.most_common(8):
        first = min((issue for issue in refused if issue.code == code), key=lambda issue: issue.line or 0)
        details.append(f"{times} rows {code}, first: {first.message}")
    remedy = "correct the rows (all are in issues.csv), or raise limits.max_bad_rows"
    if counts.most_common(1)[0][0] == "SC-D019":
        remedy = f"set sources.{source.name}.encoding, e.g. cp1252"
    raise DataError(
        f"{source.label}: {bad} of {read} rows {what}, limits.max_bad_rows allows {spec.max_bad_rows:g}",
        code="SC-D010",
        details=details,
        help=remedy,
    )


def _tell_of_texts(source: SourceSpec, table: Table, columns: dict[str, Converted], findings: Findings) -> None:
    for name, column in columns.items():
        schema = table.columns.get(name)
        if schema is None or schema.kind != "id":
            continue
        if column.changed:
            findings.inform(
                "SC-D023", source.name, f"{source.label}: {column.changed} values of {name} trimmed or brought to NFC",
                "read without the spaces", count=column.changed, column=name,
            )  # fmt: skip
        if column.from_number:
            findings.warn(
                "SC-D024", source.name, f"{source.label}: {column.from_number} values of {name} are stored as numbers",
                "read as text; leading zeros, if there were any, are lost: store ids as text",
                count=column.from_number, column=name,
            )  # fmt: skip


def _tell_of_times(source: SourceSpec, columns: dict[str, Converted], findings: Findings) -> None:
    """Tell of times that the clocks of the declared zone skip, and of offsets that no declared zone asks for."""
    for name, column in columns.items():
        if column.skipped_hour:
            findings.warn(
                "SC-D076", source.name,
                f"{source.label}: {column.skipped_hour} values of {name} lie in an hour that the clocks of "
                f"{source.timezone} skip", "moved past the skipped hour", count=column.skipped_hour, column=name,
            )  # fmt: skip
        if column.offset:
            findings.inform(
                "SC-D077", source.name,
                f"{source.label}: {column.offset} values of {name} have a UTC offset, and no time zone is declared",
                f"the day is taken as written (Parquet: in UTC); set sources.{source.name}.timezone",
                count=column.offset, column=name,
            )  # fmt: skip


def _tell_of_marks(source: SourceSpec, columns: dict[str, Converted], findings: Findings) -> None:
    """Warn where every number with a decimal mark would make sense with thousands marks too."""
    for name, column in columns.items():
        if column.grouped:
            findings.warn(
                "SC-D078", source.name,
                f"{source.label}: every {name} with a {source.decimal!r} has three digits after it, such as "
                f"{column.grouped}", f"read as decimals; if {source.decimal!r} stands between thousands, take it out",
                column=name,
            )  # fmt: skip


def _tell_of_near_names(raw: RawTable, table: Table, findings: Findings) -> None:
    """Warn of an attribute whose name is nearly that of a column which the file lacks."""
    absent = [name for name in table.columns if name not in raw.columns]
    for name in raw.columns:
        near = did_you_mean(name.casefold().replace(" ", "_"), absent, limit=1) if name not in table.columns else ""
        if near and raw.source.name in ("items", "item_locations", "locations"):
            findings.warn(
                "SC-D079", raw.source.name, f"{raw.source.label}: column {name!r} is read as an attribute{near}",
                f"kept as an attribute; map it under sources.{raw.source.name}.columns if it is that column",
                column=name,
            )  # fmt: skip


def _tell_of_settings(raw: RawTables, findings: Findings) -> None:
    """Tell of settings that name data which nothing uses yet."""
    for name in dict.fromkeys(raw.spec.covariates):
        _require_covariate(raw, name, findings)


def _require_covariate(raw: RawTables, name: str, findings: Findings) -> None:
    """Raise unless a covariate of the config is a column that can be one; an attribute is told to be no covariate.

    Raises
    ------
    UsageError
        If no table that covariates come from has it, or its column has a meaning of its own.
    """
    if name in ("price", "promotion"):
        return  # models have them anyway
    for table in COVARIATE_TABLES:
        if name in TABLES[table].columns:
            raise UsageError(
                f"forecast.covariates: {name} of {table} has a meaning of its own and is no covariate",
                code="SC-D093",
                help="leave it out: the forecast reads it as it is",
            )
    if any(name in raw.tables[table].columns for table in COVARIATE_TABLES if table in raw.tables):
        return
    holding = [
        table for table in raw.tables.values() if name in table.columns and table.source.name not in COVARIATE_TABLES
    ]
    if holding:
        findings.inform(
            "SC-D093", holding[0].source.name,
            f"forecast.covariates: {name} of {holding[0].source.label} is an attribute, which never changes",
            "used as an attribute, not as a covariate; leave it out of forecast.covariates", column=name,
        )  # fmt: skip
        return
    eligible = [raw.tables[table] for table in COVARIATE_TABLES if table in raw.tables]
    elsewhere = [table.source.label for table in raw.tables.values() if name in table.ignored and table not in eligible]
    found = [column for table in eligible for column in table.ignored]
    raise UsageError(
        f"forecast.covariates: no source has a column {name!r}{did_you_mean(name, found)}",
        code="SC-D009",
        details=[f"{', '.join(elsewhere)} has it; covariates come from {', '.join(COVARIATE_TABLES)}"]
        if elsewhere
        else [],
        help="correct the name, or map it under sources.….columns",
    )


def _tell_of_blank_covariates(raw: RawTables, tables: Mapping[str, CheckedTable], findings: Findings) -> None:
    """Tell of covariates of the config that no table has a value of."""
    for name in dict.fromkeys(raw.spec.covariates):
        having = [table for table in COVARIATE_TABLES if table in tables and tables[table].has(name)]
        if having and all(np.isnan(tables[table].numbers(name)).all() for table in having):
            findings.warn(
                "SC-D093", having[0], f"{tables[having[0]].source.label}: covariate {name} has no values",
                "of no use to the forecast; fill the column, or leave it out of forecast.covariates", column=name,
            )  # fmt: skip


def _tell_of_unused(raw: RawTable, table: Table, findings: Findings) -> None:
    if not table.used:
        findings.warn(
            "SC-D030", raw.source.name, f"{raw.source.label}: read and checked, not used yet", "no effect", count=raw.n
        )
