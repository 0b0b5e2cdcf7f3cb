"""Public holidays of each location, by the package ``holidays``: offline, with names in English where it has them."""

import difflib
import re
from collections.abc import Iterable, Mapping

import numpy as np

from stockcast.core.axes import TimeAxis
from stockcast.core.errors import DataError, UsageError
from stockcast.ingest.checked import CheckedTables
from stockcast.ingest.raw import excerpt

ENGLISH = ("en_US", "en_GB")  # the first that the package has of a country
_ESTIMATED = re.compile(r"\s*\((observed, )?estimated\)$")  # a date by the moon: the same event before it is sighted


def country_code(text: str) -> str | None:
    """Give the ISO 3166 code of a country as the package spells it, None where it knows no such code.

    Examples
    --------
    >>> country_code("fr"), country_code("NOR"), country_code("Norway")
    ('FR', 'NO', None)
    """
    from holidays.registry import COUNTRIES

    for _, *codes in COUNTRIES.values():
        if text.upper() in codes:
            return str(codes[0])
    return None


def region_code(country: str, text: str) -> str | None:
    """Give a region of a country as the package spells it, None where it has no holidays of its own there.

    Examples
    --------
    >>> region_code("DE", "by"), region_code("US", "California"), region_code("DE", "ZZ")
    ('BY', 'CA', None)
    """
    return _regions(country).get(text.casefold())


def _regions(country: str) -> dict[str, str]:
    """Give the codes of a country's regions by code and by name, in small letters."""
    from holidays import country_holidays

    made = country_holidays(country)
    names = {name: name for name in made.subdivisions} | dict(made.subdivisions_aliases)
    return {str(name).casefold(): str(code) for name, code in names.items()}


def nearest_countries(text: str) -> list[str]:
    """Give the codes that are nearest to a text, by code and by the country's name.

    Examples
    --------
    >>> nearest_countries("Norwey")
    ['NO (Norway)']
    """
    from holidays.registry import COUNTRIES

    named = {key.replace("_", " "): (str(codes[0]), key) for key, (_, *codes) in COUNTRIES.items()}
    found = [named[key] for key in difflib.get_close_matches(text.casefold(), named, n=2, cutoff=0.7)]
    coded = {str(codes[0]): key for key, (_, *codes) in COUNTRIES.items()}
    near = difflib.get_close_matches(text.upper(), coded, n=2, cutoff=0.4) if len(text) <= 3 else []
    found += [(code, coded[code]) for code in near]
    return [f"{code} ({key.replace('_', ' ').title()})" for code, key in dict.fromkeys(found)]


def public_holidays(country: str, region: str | None, years: Iterable[int]) -> dict[str, list[np.datetime64]]:
    """Give the dates of each public holiday of some years by its name.

    Examples
    --------
    >>> public_holidays("NO", None, [2026])["Constitution Day"]
    [np.datetime64('2026-05-17')]
    """
    from holidays import country_holidays

    spoken = country_holidays(country).supported_languages or ()  # nothing is said where there is one language only
    language = next((name for name in ENGLISH if name in spoken), None)
    made = country_holidays(country, subdiv=region, years=list(years), language=language)
    out: dict[str, list[np.datetime64]] = {}
    for day in sorted(made):
        for name in made.get_list(day):
            plain = _ESTIMATED.sub(lambda found: " (observed)" if found[1] else "", name)
            out.setdefault(plain, []).append(np.datetime64(day, "D"))
    return out


def holidays_of(checked: CheckedTables, places: tuple[str, ...], time: TimeAxis) -> Mapping[str, np.ndarray]:
    """Give place and day of each public holiday, by name; none where no country is known.

    ``locations.country`` and ``region`` stand above ``forecast.holidays``, whose region holds within its country only.

    Raises
    ------
    UsageError
        If the config names a country or region that is not known.
    DataError
        If ``locations`` names a country that is not known.
    """
    first, last = (int(str(time.date(at))[:4]) for at in (0, time.n))
    out: dict[str, list[tuple[int, int]]] = {}
    places_of: dict[tuple[str, str | None], list[int]] = {}
    for at, where in enumerate(_where(checked, places)):
        if where is not None:
            places_of.setdefault(where, []).append(at)
    for (country, region), rows in sorted(places_of.items(), key=lambda pair: (pair[0][0], pair[0][1] or "")):
        for name, dates in public_holidays(country, region, range(first, last + 1)).items():
            days = [int((day - time.start).astype(np.int64)) for day in dates]
            inside = [day for day in days if 0 <= day < time.n * time.days]
            out.setdefault(name, []).extend((row, day) for row in rows for day in inside)
    if out:
        said = ", ".join(f"{country}{f'-{region}' if region else ''}" for country, region in sorted(
            places_of, key=lambda pair: (pair[0], pair[1] or "")))  # fmt: skip
        checked.findings.notes.append(f"public holidays of {said} are events of {sum(map(len, places_of.values()))} "
                                      "locations")  # fmt: skip
    return {name: np.array(found, dtype=np.int64).reshape(-1, 2) for name, found in sorted(out.items())}


def _where(checked: CheckedTables, places: tuple[str, ...]) -> list[tuple[str, str | None] | None]:
    """Give country and region of each place, None where no country is known."""
    of_config = _of_config(checked)
    table = checked.tables.get("locations")
    row_of: dict[str, int] = {}
    if table is not None:
        row_of = {name: row for row, name in enumerate(table.texts("location").tolist())}
        countries, regions = table.texts("country").tolist(), table.texts("region").tolist()
        codes = _of_table(checked, sorted({countries[row_of[name]] for name in places if name in row_of} - {""}))
    out: list[tuple[str, str | None] | None] = []
    unknown: dict[tuple[str, str], list[str]] = {}
    for name in places:
        row = row_of.get(name)
        own = codes[countries[row]] if row is not None and countries[row] else None
        country = own or (of_config[0] if of_config else None)
        if country is None:
            out.append(None)
            continue
        region = of_config[1] if of_config and country == of_config[0] else None
        if row is not None and regions[row]:
            region = region_code(country, regions[row])
            if region is None:
                unknown.setdefault((country, regions[row]), []).append(name)
        out.append((country, region))
    _tell_of_regions(checked, unknown)
    return out


def _of_config(checked: CheckedTables) -> tuple[str, str | None] | None:
    """Give the country and region of the config by the package's codes."""
    spec = checked.spec
    if spec.country is None:
        if spec.region is not None:
            raise UsageError(
                f"forecast.holidays.region: {spec.region!r} stands without a country", code="SC-D092",
                help="set forecast.holidays.country, such as DE",
            )  # fmt: skip
        return None
    country = country_code(spec.country)
    if country is None:
        near = nearest_countries(spec.country)
        raise UsageError(
            f"forecast.holidays.country: no country {excerpt(spec.country)!r}"
            + (f", did you mean {' or '.join(near)}?" if near else ""),
            code="SC-D092", help="give the code of ISO 3166, such as FR or NO",
        )  # fmt: skip
    region = None if spec.region is None else region_code(country, spec.region)
    if spec.region is not None and region is None:
        raise UsageError(
            f"forecast.holidays.region: {country} has no region {excerpt(spec.region)!r} with holidays of its own"
            f"{_near_region(country, spec.region)}",
            code="SC-D092",
            details=[f"there are: {', '.join(sorted(set(_regions(country).values()))) or 'none'}"],
            help="correct the code, or leave it out for the holidays of the whole country",
        )
    return country, region


def _of_table(checked: CheckedTables, given: list[str]) -> dict[str, str]:
    """Give the package's code of each country that ``locations`` names."""
    codes = {text: country_code(text) for text in given}
    table = checked.tables["locations"]
    wrong = [text for text, code in codes.items() if code is None]
    if wrong:
        details, countries = [], table.texts("country").tolist()
        for text in wrong[:5]:
            row = countries.index(text)
            near = nearest_countries(text)
            told = f", did you mean {' or '.join(near)}?" if near else ""
            details.append(f"{table.place.say(int(table.row[row]), 'country')}: {excerpt(text)!r}{told}")
        column = table.source.columns.get("country", "country")
        raise DataError(
            f"{table.source.label}: {len(wrong)} values of {column} are no country", code="SC-D092", details=details,
            help="give the code of ISO 3166, such as FR or NO, or leave it blank",
        )  # fmt: skip
    return {text: code for text, code in codes.items() if code is not None}


def _tell_of_regions(checked: CheckedTables, unknown: Mapping[tuple[str, str], list[str]]) -> None:
    """Tell of regions without holidays of their own: few of a country's have any, so a name is no fault by itself."""
    if not unknown:
        return
    label, count = checked.tables["locations"].source.label, sum(map(len, unknown.values()))
    near = [f"{excerpt(text)}{_near_region(country, text)}" for country, text in sorted(unknown)]
    doubtful = [text for text in near if text.endswith("?")]
    tell = checked.findings.warn if doubtful else checked.findings.inform
    tell(
        "SC-D092", "locations",
        f"{label}: {len(unknown)} regions have no public holidays of their own: {'; '.join((doubtful or near)[:5])}",
        "the holidays of the whole country count there", count=count, column="region",
    )  # fmt: skip


def _near_region(country: str, text: str) -> str:
    regions = _regions(country)
    near = difflib.get_close_matches(text.casefold(), regions, n=2, cutoff=0.8)
    codes = list(dict.fromkeys(regions[name] for name in near))
    return f", did you mean {' or '.join(codes)}?" if codes else ""
