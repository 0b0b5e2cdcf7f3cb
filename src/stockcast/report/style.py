"""The style sheet of ``report.html``: light and dark by the reader's setting, readable on a telephone."""

import re

_LIGHT = """
:root{--page:#f6f7f9;--card:#fff;--ink:#16202c;--soft:#5b6878;--line:#e1e6ec;--sales:#5b6878;--main:#1f6fd6;
--band:#1f6fd633;--second:#e08a1e;--bad:#c93636;--warn:#a86200;--good:#1b7f4b;--badge:#eef3fa}
""".strip()

_PAGE = """
@media(prefers-color-scheme:dark){:root{--page:#10161d;--card:#18212b;--ink:#e8edf3;--soft:#9aa8b8;--line:#2a3644;
--sales:#a3b0bf;--main:#63a4ff;--band:#63a4ff38;--second:#f0ac55;--bad:#ff7d7d;--warn:#f2b45c;--good:#5fd398;
--badge:#22303f}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:28px;padding-bottom:4px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}
h2{font-size:18px;margin:0 0 4px}
h3{font-size:15px;margin:0}
p{margin:4px 0 10px}
.soft,figcaption{color:var(--soft);font-size:13px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:16px 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:12px;margin:16px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tile b{display:block;font-size:24px;line-height:1.3;font-weight:650}
.badge{display:inline-block;border-radius:99px;padding:1px 10px;font-size:13px;font-weight:600;background:var(--badge)}
.ok,.info{color:var(--good)}.degraded,.warning{color:var(--warn)}.held,.error{color:var(--bad)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 12px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600;font-size:13px;white-space:nowrap}
td.n,th.n{text-align:right;padding-left:12px;font-variant-numeric:tabular-nums;white-space:nowrap}
td.code{white-space:nowrap}td bdi{overflow-wrap:break-word}
td.best{font-weight:700}
details{margin:8px 0}summary{cursor:pointer;color:var(--main)}
figure{margin:8px 0}
svg{display:block;width:100%;height:auto}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:16px}
.card{border:1px solid var(--line);border-radius:8px;padding:12px 14px;min-width:0}
.card h3{overflow-wrap:anywhere}
.key{font-size:13px;color:var(--soft);margin:2px 0}
.key i{display:inline-block;width:16px;height:0;border-top:3px solid;vertical-align:middle;margin:0 5px 0 12px}
.key i:first-child{margin-left:0}
.key .k-band{border-top-width:10px;border-color:var(--band)}.key .k-sales{border-color:var(--sales)}
.key .k-forecast,.key .k-stock{border-color:var(--main)}
.key .k-without{border-color:var(--second)}.key .k-short{border-color:var(--bad)}
""".strip()

_CHART = """
svg text{fill:var(--ink);font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;unicode-bidi:isolate}
svg .tick{fill:var(--soft)}
svg .grid{stroke:var(--line)}svg .base{stroke:var(--soft)}
svg .now{stroke:var(--soft);stroke-dasharray:3 3}
svg polyline{fill:none;stroke-width:2;stroke-linejoin:round}
svg .sales{stroke:var(--sales);stroke-width:1.3}svg .forecast,svg .stock{stroke:var(--main)}
svg .without{stroke:var(--second);stroke-dasharray:5 4}
svg .band{fill:var(--band)}svg .bar{fill:var(--main)}svg .short{fill:var(--bad)}
""".strip()

_REST = """
ul{margin:6px 0;padding-left:20px}
footer{max-width:1080px;margin:0 auto;padding:4px 20px 32px}
@media(max-width:560px){main,header{padding-left:12px;padding-right:12px}section{padding:14px}
.wide svg text{font-size:24px}.wide svg polyline{stroke-width:3}}
@media print{body{background:#fff}section,.tile{break-inside:avoid}}
""".strip()

CSS = "\n".join((_LIGHT, _PAGE, _CHART, _REST))


def chart_style() -> str:
    """Give the style of a chart in a file of its own: light, its colours in full, for not every viewer knows variables.

    Examples
    --------
    >>> "var(" in chart_style(), ".bar{fill:#1f6fd6}" in chart_style()
    (False, True)
    """
    colours = dict(re.findall(r"--(\w+):(#\w+)", _LIGHT))
    return re.sub(r"var\(--(\w+)\)", lambda found: colours[found[1]], _CHART)
