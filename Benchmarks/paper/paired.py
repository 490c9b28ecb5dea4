"""Paired tests of a few differences, such as those of runs with the same seeds."""

import itertools
import math
import statistics


def paired(first, second):
    """Of the differences first - second: mean, deviation, the ends of its 95 % confidence interval by
    Student's t, the two-sided p of the t-test, and that of a permutation test, which assumes nothing but
    that signs are equally likely: the share of all choices of signs whose mean is as far from 0."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    count, mean = len(differences), statistics.mean(differences)
    deviation = statistics.stdev(differences)
    error = deviation / math.sqrt(count)
    sums = [
        abs(sum(sign * d for sign, d in zip(signs, differences)))
        for signs in itertools.product((-1, 1), repeat=count)
    ]
    # As far, to rounding.
    reached = sum(total >= abs(sum(differences)) - 1e-12 for total in sums)
    margin = error * quantile(0.975, count - 1)
    return {
        "mean": mean, "deviation": deviation, "low": mean - margin, "high": mean + margin,
        "p": 2 * tail(abs(mean) / error, count - 1) if error > 0 else float(mean == 0),
        "p of signs": reached / len(sums), "count": count,
    }  # fmt: skip


def tail(t, freedom):
    """The probability of more than t >= 0 under Student's distribution: with t = √freedom tan(angle), an
    integral over cos^(freedom - 1), by Simpson's rule."""
    scale = math.gamma((freedom + 1) / 2) / (math.sqrt(math.pi) * math.gamma(freedom / 2))
    start, steps = math.atan(t / math.sqrt(freedom)), 1000
    width = (math.pi / 2 - start) / steps
    values = [abs(math.cos(start + width * i)) ** (freedom - 1) for i in range(steps + 1)]
    return scale * width / 3 * (values[0] + values[-1] + 4 * sum(values[1::2]) + 2 * sum(values[2:-1:2]))


def quantile(probability, freedom):
    """The t >= 0 below which this share of Student's distribution is."""
    low, high = 0.0, 1e3
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        if tail(middle, freedom) > 1 - probability:
            low = middle
        else:
            high = middle
    return high
