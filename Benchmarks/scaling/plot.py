"""A plot of lines with intervals as SVG, over a logarithmic axis of ranks; it looks as those of sltt-dist."""

# Colours that colour-blind people tell apart: Okabe and Ito, 2008.
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 540, 40, 360


def line_plot(title, y_label, series, highest, is_percent=False):
    """`series` maps a name to points (ranks, value, least, most)."""
    ranks = sorted({point[0] for points in series.values() for point in points})
    x_of = {rank: LEFT + (RIGHT - LEFT) * (i + 0.5) / len(ranks) for i, rank in enumerate(ranks)}

    def y_of(value):
        return BOTTOM - (BOTTOM - TOP) * min(value, highest) / highest

    parts = [
        text(title, (LEFT + RIGHT) / 2, TOP - 16, size=15),
        text("ranks", (LEFT + RIGHT) / 2, BOTTOM + 40),
        f'<g transform="translate(14 {(TOP + BOTTOM) / 2}) rotate(-90)">{text(y_label, 0, 0)}</g>',
    ]
    for rank, x in x_of.items():
        parts += [line(x, TOP, x, BOTTOM, opacity=0.15), text(f"{rank:,}", x, BOTTOM + 18)]
    for mark in range(6):
        value = highest * mark / 5
        y = y_of(value)
        label = f"{100 * value:.0f} %" if is_percent else f"{value:.3g}"
        parts += [line(LEFT, y, RIGHT, y, opacity=0.15), text(label, LEFT - 8, y + 4, "end")]
    for index, (name, points) in enumerate(series.items()):
        color = COLORS[index % len(COLORS)]
        places = " ".join(f"{x_of[point[0]]:.1f},{y_of(point[1]):.1f}" for point in points)
        parts.append(f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="2"/>')
        for rank, value, least, most in points:
            x = x_of[rank]
            parts += [
                f'<circle cx="{x:.1f}" cy="{y_of(value):.1f}" r="2.5" fill="{color}"/>',
                line(x, y_of(least), x, y_of(most), color),
            ]
        y = TOP + 18 * index + 8
        parts += [
            line(RIGHT + 14, y, RIGHT + 36, y, color, width=2),
            text(name, RIGHT + 44, y + 4, "start"),
        ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def text(words, x, y, anchor="middle", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{words}</text>'


def line(x1, y1, x2, y2, color="#000000", opacity=1.0, width=1):
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
        f'stroke-opacity="{opacity}" stroke-width="{width}"/>'
    )
