"""How time grows: seconds against prompts, layers, width and autoencoder examples; a table and GROWTH.svg.

Both axes of the plots are logarithmic; a dashed line through the last point has slope 1. The last column of the table
is the exponent b of seconds ≈ a·x^b, fitted by least squares over the larger half of the points: 1 is a straight line
through zero.

usage: growth.py HEADLAMP CACHE_FOLDER [REPEATS]
"""

import math
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from measure import run  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def fitted_slope(points):
    """The exponent b of seconds ≈ a·x^b, by least squares on logarithms over the larger half of the points."""
    half = points[len(points) // 2 - 1:]
    xs = [math.log(x) for x, _ in half]
    ys = [math.log(y) for _, y in half]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)


def svg(panels, path):
    width, height, margin = 360, 270, 48
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width}" height="{2 * height}" '
             'font-family="sans-serif" font-size="11" role="img"><title>Seconds against size</title>'
             f'<rect width="{2 * width}" height="{2 * height}" fill="white"/>']
    for index, (title, points) in enumerate(panels):
        left, top = (index % 2) * width, (index // 2) * height
        xs, ys = [x for x, _ in points], [y for _, y in points]
        low_x, high_x = math.log10(min(xs)), math.log10(max(xs))
        low_y, high_y = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

        def place(x, y):
            px = left + margin + (math.log10(x) - low_x) / (high_x - low_x) * (width - margin - 20)
            py = top + height - margin - (math.log10(y) - low_y) / (high_y - low_y) * (height - margin - 56)
            return px, py

        name, _, rest = title.partition(" (")
        parts.append(f'<text x="{left + margin}" y="{top + 20}" font-size="13">seconds against {name}</text>'
                     f'<text x="{left + margin}" y="{top + 35}" fill="#555">{rest.rstrip(")")}</text>')
        for power in range(low_y, high_y + 1):
            x0, y0 = place(min(xs), 10 ** power)
            parts.append(f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{left + width - 20}" y2="{y0:.1f}" stroke="#ddd"/>'
                         f'<text x="{x0 - 6:.1f}" y="{y0 + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>')
        labelled = -math.inf
        for x in xs:
            px, _ = place(x, 10 ** low_y)
            if px - labelled < 32:
                continue
            labelled = px
            parts.append(f'<text x="{px:.1f}" y="{top + height - margin + 16}" text-anchor="middle">{x}</text>')
        # From the last point down a slope of 1, to where it leaves the panel.
        least = max(min(xs), xs[-1] * 10 ** low_y / ys[-1])
        (x1, y1), (x2, y2) = place(least, ys[-1] * least / xs[-1]), place(xs[-1], ys[-1])
        parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#999" '
                     'stroke-dasharray="4 3"/>')
        line = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="2"/>')
        for x, y in points:
            px, py = place(x, y)
            parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="#1f5fa8"/>')
    parts.append("</svg>")
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n")


def measure(cache, headlamp, repeats=3):
    """Lines of a Markdown table; the plot goes to GROWTH.svg beside this file."""
    python = sys.executable
    os.makedirs(cache, exist_ok=True)

    def model(shape):
        folder = os.path.join(cache, "growth-" + shape)
        if not os.path.exists(os.path.join(folder, "model.safetensors")):
            subprocess.run([python, os.path.join(HERE, "circuits", "make_models.py"), shape, folder], check=True)
        return folder

    def prompts(count):
        path = os.path.join(cache, f"prompts-{count}x16.jsonl")
        if not os.path.exists(path):
            script = os.path.join(HERE, "circuits", "make_prompts.py")
            subprocess.run([python, script, str(count), "16", path], check=True)
        return path

    def time(command):
        return statistics.median(run(command)["wall"] for _ in range(repeats))

    recording = os.path.join(cache, "growth.h5")

    def record(shape, count):
        return time([headlamp, "record", prompts(count), "--model", model(shape), "--position", "mean",
                     "--output", recording])

    panels = [
        ("prompts (4 layers, 8 heads, width 512)",
         [(count, record("4x8x512", count)) for count in (10, 50, 100, 500, 1000, 5000)]),
        ("layers (8 heads, width 512, 200 prompts)",
         [(layers, record(f"{layers}x8x512", 200)) for layers in (1, 2, 4, 8, 16)]),
        ("d_model (4 layers, 8 heads, 200 prompts)",
         [(width, record(f"4x8x{width}", 200)) for width in (128, 256, 512, 1024, 2048)]),
    ]
    record("4x8x512", 500)
    panels.append((
        "autoencoder examples (32 heads, width 512)",
        [(examples, time([headlamp, "train", recording, "--examples", str(examples), "--protocol", "paper",
                          "--output", os.path.join(cache, "growth.safetensors")]))
         for examples in (2, 5, 10, 20, 50, 100)]))
    svg(panels, os.path.join(HERE, "GROWTH.svg"))
    lines = [
        f"Growth: medians of {repeats} whole runs of `record` and `train`, plotted in GROWTH.svg, where"
        " a dashed line has slope 1. The exponent b of"
        " seconds ≈ a·x^b is fitted over the larger half of the points; 1 is a straight line. Against layers, prompts"
        " and autoencoder examples it is below 1 while start-up, the token embedding and reading are part of the time;"
        " against d_model it goes to 2: the work of a product grows with the square of the width. How many features fall"
        " silent, and need no encoding, differs from one number of examples to another.",
        "",
        "| seconds against | measured | exponent |",
        "|---|---|---|",
    ]
    for title, points in panels:
        cells = ", ".join(f"{x}: {y:.2f} s" for x, y in points)
        lines.append(f"| {title} | {cells} | {fitted_slope(points):.2f} |")
    return lines


if __name__ == "__main__":
    print("\n".join(measure(sys.argv[2], sys.argv[1], int(sys.argv[3]) if len(sys.argv) > 3 else 3)))
