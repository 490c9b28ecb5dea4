"""Line plots as SVG."""

import html
import math

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50  # Margins; the legend is in the right one.
COLORS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"]


def line_plot(title, x_label, y_label, series, from_zero=True, is_even=False):
    """An SVG of lines with marks, over whole numbers.

    Args:
        series: of each name its points, (x, y) or (x, y, least, most), in the order of x.
        from_zero: whether the y axis begins with 0.
        is_even: whether all x that occur are as far apart, such as numbers of ranks.
    """
    points = [point for line in series.values() for point in line]
    if is_even:
        x_ticks = sorted({point[0] for point in points})
    else:
        x_ticks = ticks(min(p[0] for p in points), max(p[0] for p in points), least_step=1)
    ends = [end for point in points for end in interval(point)]
    y_ticks = ticks(min([0] * from_zero + ends), max(ends))

    def at(value, axis, start, length):
        return start + length * (value - axis[0]) / (axis[-1] - axis[0])

    def x_at(value):
        axis = range(-1, len(x_ticks) + 1) if is_even else x_ticks
        place = x_ticks.index(value) if is_even else value
        return at(place, axis, LEFT, WIDTH - LEFT - RIGHT)

    def y_at(value):
        return at(value, y_ticks, HEIGHT - BOTTOM, TOP + BOTTOM - HEIGHT)

    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [text(LEFT, 22, title, "start", 15)]
    for value in y_ticks:
        y = y_at(value)
        parts += [line(LEFT, y, right, y, "#ddd"), text(LEFT - 6, y + 4, f"{value:g}", "end")]
    for value in x_ticks:
        x = x_at(value)
        parts += [
            line(x, bottom, x, bottom + 4, "#333"), text(x, bottom + 18, f"{value:g}", "middle"),
        ]  # fmt: skip
    parts += [
        line(LEFT, bottom, right, bottom, "#333"),
        text((LEFT + right) / 2, HEIGHT - 12, x_label, "middle"),
        f'<g transform="rotate(-90 16 {HEIGHT / 2})">{text(16, HEIGHT / 2, y_label, "middle")}</g>',
    ]
    for number, (name, line_points) in enumerate(series.items()):
        color = COLORS[number % len(COLORS)]
        # Further lines of the same colour are dashed.
        dashes = ' stroke-dasharray="5 4"' if number >= len(COLORS) else ""
        places = " ".join(f"{x_at(p[0]):.1f},{y_at(p[1]):.1f}" for p in line_points)
        parts.append(
            f'<polyline points="{places}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>'
        )
        for point in line_points:
            x, y = x_at(point[0]), y_at(point[1])
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>')
            least, most = interval(point)
            if least < most:
                parts.append(line(x, y_at(least), x, y_at(most), color))
        y = TOP + 16 * number
        parts += [line(right + 14, y, right + 34, y, color), text(right + 40, y + 4, name, "start")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def interval(point):
    return point[2:] if len(point) > 2 else (point[1], point[1])


def ticks(least, most, least_step=0):
    """Round values, from at most `least` to at least `most`."""
    if most <= least:
        most = least + (abs(least) or 1)
    step = 10 ** math.floor(math.log10((most - least) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (most - least) / (factor * step) <= 6)
    step = max(step, least_step)
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def line(x1, y1, x2, y2, color):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"/>'


def text(x, y, content, anchor, size=12):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{html.escape(content)}</text>"
    )
