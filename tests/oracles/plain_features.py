"""Every feature of one row by loops over plain lists: the twin of ``stockcast.features``."""

import datetime
import math
import statistics

import numpy as np

NAN = math.nan
DAY = {
    "lags": (0, 1, 2, 3, 4, 5, 6, 13, 20, 27), "windows": (7, 14, 28, 56, 112, 364), "quantiles": (28, 56),
    "half_lives": (3, 7, 28, 90), "season": 7, "season_means": (1, 2, 4, 8, 13), "year": 364, "around": (1, 7, 28),
    "stock": (7, 28, 56), "used": 28, "moves": (7, 28, 364), "recent": 28, "blank": 28, "levels": ((7, 56), (28, 112)),
}  # fmt: skip
WEEK = {
    "lags": (0, 1, 2, 3, 7, 12, 51), "windows": (4, 8, 13, 26, 52), "quantiles": (8, 26), "half_lives": (1, 4, 13, 26),
    "season": 52, "season_means": (1, 2), "year": 52, "around": (1, 3, 5), "stock": (2, 8, 26), "used": 8,
    "moves": (1, 4, 52), "recent": 4, "blank": 4, "levels": ((2, 8), (4, 26)),
}  # fmt: skip


def mean(values):
    values = [v for v in values if not math.isnan(v)]
    return sum(values) / len(values) if values else NAN


def over(a, b):
    return NAN if math.isnan(a) or math.isnan(b) or b <= 0 else a / b


class Plain:
    """One panel as lists, and its features row by row."""

    def __init__(self, panel, demand, used):
        self.panel, self.of = panel, DAY if panel.time.step == "day" else WEEK
        self.n, self.time = panel.sales.shape
        self.y = [[float(v) if u else NAN for v, u in zip(*row, strict=True)] for row in zip(demand, used, strict=True)]
        self.dates = [
            (panel.time.start + np.timedelta64(t * panel.time.days, "D")).astype(object) for t in range(self.time + 60)
        ]
        self.filled = {
            name: [self.fill(row.tolist(), self.time + 60) for row in values]
            for name, values in panel.known.columns.items()
        }
        self.columns = {name: column.tolist() for name, column in panel.attributes.columns.items()}
        self.columns |= {"sku": panel.series.sku.tolist(), "location": panel.series.location.tolist()}

    @staticmethod
    def fill(row, length):
        out, last = [], NAN
        for t in range(length):
            if t < len(row) and not math.isnan(row[t]):
                last = row[t]
            out.append(last)
        return out

    def span(self, s, first, last):
        """Used demand of the periods from first to last."""
        return [v for v in self.y[s][max(0, first) : max(0, last + 1)] if not math.isnan(v)]

    def row(self, s, o, h):
        parts = (self.origin, self.season, self.year_ago, self.calendar, self.price, self.planned, self.stock)
        row = {}
        for part in (*parts, self.codes, self.group):
            row |= part(s, o, h)
        return row

    def origin(self, s, o, h):
        row = {f"lag_{k}": self.y[s][o - k] if o >= k else NAN for k in self.of["lags"]}
        for w in self.of["windows"]:
            span = self.span(s, o - w + 1, o)
            row[f"mean_{w}"] = mean(span)
            row[f"sd_{w}"] = statistics.stdev(span) if len(span) > 1 else NAN
        for w in self.of["quantiles"]:
            span = sorted(self.span(s, o - w + 1, o))
            row[f"zero_share_{w}"] = mean([float(v == 0) for v in span])
            row[f"max_{w}"] = span[-1] if span else NAN
            for q in (10, 50, 90):
                at = q / 100 * (len(span) - 1)
                low = int(at)
                row[f"q{q}_{w}"] = (
                    span[low] + (at - low) * (span[min(low + 1, len(span) - 1)] - span[low]) if span else NAN
                )
        for half in self.of["half_lives"]:
            values = self.span(s, 0, o)[::-1]
            weights = [0.5 ** (j / half) for j in range(len(values))]
            row[f"ewm_{half}"] = (
                sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights) if values else NAN
            )
        return row

    def place(self, o, h):
        p = o + h
        while p > o:
            p -= self.of["season"]
        return p

    def season(self, s, o, h):
        values, p = [], self.place(o, h)
        while p >= 0:
            values.append(self.y[s][p])
            p -= self.of["season"]
        values = [v for v in values if not math.isnan(v)]
        name = {1: "season_last"}
        return {name.get(k, f"season_mean_{k}"): mean(values[:k]) for k in self.of["season_means"]}

    def year_ago(self, s, o, h):
        row = {}
        for w in self.of["around"]:
            after = w - 1 - w // 2
            t = o + min(h, self.of["year"] - after) - self.of["year"]
            row["year_ago" if w == 1 else f"year_ago_mean_{w}"] = mean(self.span(s, t - w // 2, t + after))
        return row

    def calendar(self, s, o, h):
        t = o + h
        day: datetime.date = self.dates[t]
        row = {
            "day_of_month": day.day, "month": day.month, "iso_week": day.isocalendar().week,
            "week_of_month": math.ceil(day.day / 7), "years": (day - self.dates[0]).days / 365.25,
        }  # fmt: skip
        following = day
        while following.month == day.month:
            following += datetime.timedelta(1)
        row["days_left_in_month"] = (following - day).days - 1
        if self.panel.time.step == "day":
            row["weekday"] = day.weekday()
        return row | self.events(s, t)

    def events(self, s, t):
        c = self.panel.known.calendar
        count = {name: int(c.occurs[:, at].sum()) for at, name in enumerate(c.events)}
        often = [name for name in c.events if count[name] > 0.05 * c.open.size]
        rest = sorted((name for name in c.events if name not in often and count[name]), key=lambda e: (-count[e], e))
        names = ["event", "events", "periods_to_event", "periods_since_event", "open", "closed_before", "closed_after"]
        names += [f"event_{name}" for name in often]
        if self.columns["location"][s] not in c.places:
            return dict.fromkeys(names, NAN)
        place = c.places.index(self.columns["location"][s])

        def on(u):
            return [e for e in c.events if 0 <= u < c.time.n and c.occurs[place, c.events.index(e), u]]

        def shut(u):
            return float(not c.open[place, u]) if 0 <= u < c.time.n else NAN

        today = [rest.index(e) + 1 for e in on(t) if e in rest]
        row = {"event": max(today, default=0), "events": len(on(t)), "open": 1 - shut(t)}
        row["closed_before"], row["closed_after"] = shut(t - 1), shut(t + 1)
        for name, sign in (("periods_to_event", 1), ("periods_since_event", -1)):
            row[name] = next((k for k in range(30) if set(on(t + sign * k)) & set(rest)), 30)
        return row | {f"event_{name}": float(name in on(t)) for name in often}

    def price(self, s, o, h):
        reach = int(self.panel.known.reach("price")[s])
        t, p = o + min(h, reach), self.filled["price"][s]
        so_far = [v for v in p[: t + 1] if not math.isnan(v)]
        year, recent = self.of["year"], p[max(0, t - self.of["recent"] + 1) : t + 1]
        known = [v for v in recent if not math.isnan(v)]
        row = {
            "price": p[t], "price_to_mean": over(p[t], mean(p[max(0, t - year + 1) : t + 1])),
            "price_to_max": over(p[t], max(so_far, default=NAN)), "price_to_min": over(p[t], min(so_far, default=NAN)),
            "price_cents": round(100 * p[t]) % 100 if so_far else NAN,
            "price_share": sum(v == p[t] for v in known) / len(known) if known else NAN,
        }  # fmt: skip
        for k in self.of["moves"]:
            row[f"price_move_{k}"] = over(p[t], p[t - k] if t >= k else NAN)
        return row | {"price_to_category": self.price_to_category(s, o, h, reach)}

    def price_to_category(self, s, o, h, reach):
        pair = [(self.columns["category"][i], self.columns["location"][i]) for i in range(self.n)]
        if not all(pair[s]):
            return NAN
        members = [i for i in range(self.n) if pair[i] == pair[s]]
        reaches = sorted((int(self.panel.known.reach("price")[i]) for i in members), reverse=True)
        far = reaches[math.ceil(len(members) / 4) - 1]
        t = o + min(h, far, reach)
        members = [i for i in members if self.panel.known.reach("price")[i] >= far]
        return over(self.filled["price"][s][t], mean([self.filled["price"][i][t] for i in members]))

    def planned(self, s, o, h):
        known = self.panel.known
        t = o + min(h, int(known.reach("promotion")[s]))
        past = known.promotion[s, max(0, o - self.of["recent"] + 1) : o + 1].tolist()
        row = {"promotion": self.filled["promotion"][s][t]}
        row["promotion_share"] = mean([NAN if math.isnan(v) else float(v > 0) for v in past])
        for name in known.covariates:
            t = o + min(h, int(known.reach(name)[s]))
            x = self.filled[name][s]
            row[f"covariate_{name}"] = x[t]
            row[f"covariate_{name}_change"] = x[t] - mean(x[max(0, t - self.of["recent"] + 1) : t + 1])
        return row

    def stock(self, s, o, h):
        observed = [t for t in range(o + 1) if self.panel.observed[s, t]]
        sold = [t for t in observed if self.panel.sales[s, t] > 0]
        row = {"age": o - observed[0] if observed else NAN, "age_of_sales": o - sold[0] if sold else NAN}
        row["since_last_sale"] = o - sold[-1] if sold else NAN
        row["used"] = len(self.span(s, 0, o))
        row[f"used_{self.of['used']}"] = len(self.span(s, o - self.of["used"] + 1, o))
        for w in self.of["stock"]:
            row[f"stockout_share_{w}"] = mean([1 - self.panel.in_stock[s, t] for t in observed if t > o - w])
        return row

    def codes(self, s, o, h):
        row = {}
        for name in ("location", "category", "brand"):
            values = sorted(set(self.columns[name]) - {""})
            value = self.columns[name][s]
            row[f"code_{name}"] = values.index(value) if value else NAN
        return row

    def group(self, s, o, h):
        row, of = {}, self.of
        for columns in (("sku",), ("category",), ("location",), ("category", "location"), ("brand",)):
            name = "_".join(columns)
            key = [tuple(self.columns[c][i] for c in columns) for i in range(self.n)]
            members = [i for i in range(self.n) if key[i] == key[s] and all(key[s])]
            others = [v for i in members if i != s for v in self.span(i, 0, o - of["blank"])]
            row[f"group_{name}_mean"] = mean(others)
            for short, long in of["levels"]:
                recent, base = (mean([v for i in members for v in self.span(i, o - w + 1, o)]) for w in (short, long))
                row[f"group_{name}_level_{short}"] = over(recent, base)
            if self.panel.time.step == "day":
                p = self.place(o, h)
                there = [v for i in members for k in range(8) for v in self.span(i, p - 7 * k, p - 7 * k)]
                base = mean([v for i in members for v in self.span(i, p - 55, p)])
                row[f"group_{name}_season"] = over(mean(there), base) if p >= 0 else NAN
        return row
