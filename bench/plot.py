# SPDX-License-Identifier: MIT
"""Draws cost against size as SVG, both axes logarithmic: a flat line is a flat cost."""

from math import ceil, floor, log2, log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 60, 130, 40, 50
# Told apart by most colour-blind people (Okabe and Ito), and by their labels at the line's end.
COLOURS = ("#d55e00", "#0072b2", "#cc79a7", "#009e73", "#e69f00", "#555555")
STYLE = ("text{font:12px sans-serif;fill:#222}.title{font-size:15px;font-weight:bold}"
         ".grid{stroke:#ddd}.line{fill:none;stroke-width:2}")


def size_name(n):
    """1k for 1024, as ids are counted."""
    for unit, name in ((1 << 20, "M"), (1 << 10, "k")):
        if n >= unit and n % unit == 0:
            return f"{n // unit}{name}"
    return str(n)


def text(x, y, what, **attributes):
    extra = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{escape(what)}</text>'


def labels_apart(ends):
    """The labels' heights: at their lines' ends, but never closer than a line of text."""
    placed = {}
    for y, name in sorted((y, name) for name, y in ends.items()):
        placed[name] = max([y, *(p + 14 for p in placed.values())])
    return placed


def svg(title, x_title, series):
    """series: {name: [(x, ns)]}; empty ones keep their colour. An x of 0 stands where 1/2 would."""
    points = [p for line in series.values() for p in line]
    place = {x: log2(x) if x else -1.0 for x, _ in points}
    x_low, x_high = min(place.values()), max(place.values())
    y_low, y_high = floor(log10(min(y for _, y in points))), ceil(log10(max(y for _, y in points)))
    y_high = max(y_high, y_low + 1)

    def at(x, y):
        across = (place[x] - x_low) / ((x_high - x_low) or 1)
        up = (log10(y) - y_low) / (y_high - y_low)
        return (LEFT + across * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
           "<!-- SPDX-License-Identifier: MIT -->", f"<style>{STYLE}</style>",
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           text(LEFT, 22, title, **{"class": "title"}),
           text(LEFT, HEIGHT - 12, x_title)]
    right = WIDTH - RIGHT
    for exponent in range(y_low, y_high + 1):
        for factor in (1, 2, 5):
            if factor > 1 and exponent == y_high:
                break
            value = factor * 10.0 ** exponent
            y = at(points[0][0], value)[1]
            out.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
            out.append(text(LEFT - 6, y + 4, f"{value:g}", text_anchor="end"))
    for x in sorted(place):
        out.append(text(at(x, 10.0 ** y_low)[0], HEIGHT - BOTTOM + 18, size_name(x),
                        text_anchor="middle"))
    heights = labels_apart({name: at(*line[-1])[1] for name, line in series.items() if line})
    for colour, (name, line) in zip(COLOURS, series.items()):
        if not line:
            continue
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in line))
        out.append(f'<polyline class="line" stroke="{colour}" points="{path}"/>')
        out.append(text(right + 8, heights[name] + 4, name, style=f"fill:{colour}"))
    return "\n".join([*out, "</svg>", ""])


def write_plots(out, medians, columns):
    """medians: {(column, "family-what@size"): ns}, from which each plot takes its family."""
    grown = {}
    for (column, test), value in medians.items():
        if "@" in test:
            name, size = test.split("@")
            grown.setdefault((name, column), []).append((int(size), value))

    def of(name, column):
        return sorted(grown.get((name, column), []))

    ours = columns[0]
    plots = (
        ("ids-find", "find, random: ns against live ids", "live ids",
         {c: of("ids-find", c) for c in columns}),
        ("ids-pair", "alloc + free: ns against live ids", "live ids",
         {c: of("ids-pair", c) for c in columns}),
        ("threads-pair", "alloc + free: ns of all threads together, 2 CPUs", "threads",
         {c: of("threads-pair", c) for c in columns}),
        ("threads-mix", "90 % find, 10 % alloc + free: ns of all threads together, 2 CPUs",
         "threads", {c: of("threads-mix", c) for c in columns}),
        ("sets", "libioasid: ns against sets", "sets of 16 ids", {
            "set made and put": of("sets-set", ours),
            "alloc + free": of("sets-pair", ours),
            "find_by_spid + put": of("sets-spid", ours),
            "find": of("sets-find", ours)}),
        ("subscribers", "alloc + free: ns against subscribers", "subscribers of one set", {
            "in that set": of("subscribers-pair", ours),
            "in another set": of("subscribers-other", ours)}),
    )
    for name, title, x_title, series in plots:
        if any(series.values()):
            (out / f"{name}.svg").write_text(svg(title, x_title, series))
