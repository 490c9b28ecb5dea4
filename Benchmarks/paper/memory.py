"""The claims that memory does not depend on T, and that SLTT-1 takes half of BPTT's time: peaks and
activations by `bench memory`, times by `bench step`, of the published networks."""

import json
import os
import re

from plot import line_plot
from study import Study

TITLE = "Memory that does not depend on T, and the time of SLTT-1"
PUBLISHED = (
    "GPU memory of SLTT and BPTT, GB: CIFAR-10 1.09 and 3.00, ImageNet 8.47 and 28.4, thus 64 and 70 % less;"
    " with T = 6 and batches of 128 and 256. SLTT-1 takes less than half of BPTT's time on ImageNet."
)
METHODS = {"sltt": "SLTT", "sltt-k": "SLTT-1", "bptt": "BPTT"}
# Of each network: recipe, published batch, published T, classes and channels of the data, and the T's.
NETWORKS = {
    "ResNet-18, CIFAR-10": ("cifar10-resnet18", 128, 6, 10, 3, [1, 2, 4, 6, 12]),
    "VGG-11, DVS-CIFAR10": ("dvs-cifar10-vgg11", 128, 10, 10, 2, [1, 5, 10]),
    "NF-ResNet-34, ImageNet": ("imagenet-nf-resnet34-stage2", 256, 6, 1000, 3, [1, 2, 4, 6]),
}
# Minutes from which the published batches are measured, and the share of this machine's memory that the
# largest peak may have.
FULL_BUDGET, MEMORY_SHARE = 80, 0.75


def plan(arguments):
    """Batches are the greatest powers of two that are at most the published one, its share budget / 80,
    or, for 32x32 and 48x48 pixels, 8 times that, and that have room in memory."""
    if arguments.short:
        return {
            "width": 2, "batches": {name: 2 for name in NETWORKS}, "rounds": 1, "seconds": 0.01,
            "threads": arguments.threads,
        }  # fmt: skip
    batches = {}
    for name, (recipe, published, *_) in NETWORKS.items():
        factor = 1 if "imagenet" in recipe else 8
        limit = min(published, factor * published * arguments.budget / FULL_BUDGET)
        batches[name] = 2 ** int(max(1, limit)).bit_length() // 2
    return {
        "width": 64, "batches": batches, "rounds": 3, "seconds": 1, "threads": arguments.threads
    }  # fmt: skip


def measure(arguments):
    study = Study("memory", arguments, plan(arguments))
    tables, plots, scaled = {}, {}, []
    for name, (_, published_batch, published_timesteps, *_, timesteps) in NETWORKS.items():
        timesteps = timesteps[:2] if arguments.short else timesteps
        batch = fitting_batch(study, name, timesteps[-1])
        if batch < published_batch:
            scaled.append(f"{name}: batch {batch} in place of {published_batch}")
        memory = study.measured(f"{name}, memory", lambda: bench_memory(study, name, batch, timesteps))
        rows, lines = [], {}
        for t in timesteps:
            step = study.measured(f"{name}, T = {t}, time", lambda: bench_step(study, name, batch, t))
            bptt = next(m for m in memory if (m["method"], m["timesteps"]) == ("bptt", t))
            for method, shown in METHODS.items():
                found = next(m for m in memory if (m["method"], m["timesteps"]) == (method, t))
                seconds = step[method]["seconds"]
                rows.append(
                    {
                        "T": f"{t}, published" if t == published_timesteps else t, "method": shown,
                        "peak, MiB": mib(found["peak_bytes"]),
                        "of BPTT's": f"{found['peak_bytes'] / bptt['peak_bytes']:.2f}",
                        "activations, MiB": mib(found["activation_bytes"]),
                        "of BPTT's activations":
                            f"{found['activation_bytes'] / bptt['activation_bytes']:.2f}",
                        "ms an iteration": f"{1000 * seconds:.0f}",
                        "of BPTT's time": f"{seconds / step['bptt']['seconds']:.2f}",
                        "firing rate": f"{100 * step[method]['firing rate']:.1f} %",
                    }
                )  # fmt: skip
                for what, figure in (
                    ("peak", found["peak_bytes"] / 2**20),
                    ("activations", found["activation_bytes"] / 2**20),
                    ("time", 1000 * seconds),
                ):
                    lines.setdefault(what, {}).setdefault(shown, []).append((t, figure))
        tables[f"{name}, batch {batch}"] = rows
        for what, unit in (("peak", "MiB"), ("activations", "MiB"), ("time", "ms an iteration")):
            slug = re.sub(r"\W+", "-", name.lower())
            plots[f"{slug}-{what}"] = line_plot(f"{name}, batch {batch}: {what}", "T", unit, lines[what])
    study.write(TITLE, PUBLISHED, tables, plots, notes(study, scaled))


def settings_of(study, name, batch):
    recipe, _, _, classes, channels, _ = NETWORKS[name]
    return {
        "model.width": study.plan["width"], "model.classes": classes,
        "model.input_channels": channels, "training.global_batch": batch,
        "method.name": "sltt-k", "method.k": 1,
    }  # fmt: skip


def fitting_batch(study, name, timesteps):
    """The planned batch, or the half, quarter, … for which BPTT's expected peak has room."""
    room = MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    def fitting():
        batch = study.plan["batches"][name]
        while batch > 1 and expected_peak(study, name, batch, timesteps) > room:
            batch //= 2
        return batch

    return study.measured(f"{name}, batch that has room", fitting)


def expected_peak(study, name, batch, timesteps):
    """Bytes that `inspect` expects of BPTT: the column before the last, as in `668.2 MiB`."""
    settings = settings_of(study, name, batch) | frames_of(name, timesteps)
    shown = study.sltt("inspect", "--config", NETWORKS[name][0], settings=settings, threads=False)
    line = next(line for line in shown.splitlines() if line.startswith("bptt "))
    *_, number, unit, _ = line.split()
    return float(number) * 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit)


def frames_of(name, timesteps):
    """Recordings have as many frames as there are time steps."""
    frames = f"{{number: {timesteps}, split_by: number}}"
    found = {"method.timesteps": timesteps}
    return found | ({"data.frames": frames} if "DVS" in name else {})


def bench_memory(study, name, batch, timesteps):
    found = []
    # One call a T, since recordings have a number of frames of their own.
    for t in timesteps:
        settings = settings_of(study, name, batch) | frames_of(name, t)
        study.sltt(
            "bench", "memory", "--config", NETWORKS[name][0], "--methods", ",".join(METHODS),
            "--timesteps", t, "--output", study.folder, settings=settings,
        )  # fmt: skip
        found += json.loads((study.folder / "memory.json").read_text())["measurements"]
    return found


def bench_step(study, name, batch, timesteps):
    settings = settings_of(study, name, batch) | frames_of(name, timesteps)
    study.sltt(
        "bench", "step", "--config", NETWORKS[name][0], "--methods", ",".join(METHODS),
        "--rounds", study.plan["rounds"], "--seconds", study.plan["seconds"],
        "--output", study.folder, settings=settings,
    )  # fmt: skip
    variants = json.loads((study.folder / "step.json").read_text())["variants"]
    return {
        variant["method"]: {
            "seconds": variant["iteration_seconds"],
            "firing rate": variant["firing_rate"],
            "images/s": variant["images_per_second"],
        }
        for variant in variants
    }


def mib(count):
    return f"{count / 2**20:.0f}"


def notes(study, scaled):
    width = study.plan["width"]
    lines = [f"Scaled: {'; '.join(scaled) or 'nothing'}."]
    if width != 64:
        lines.append(f"Width {width} in place of 64.")
    return [
        *lines,
        "Noise, with thresholds that let 15 % of the neurons fire. Peaks are of whole processes, without"
        " data and checkpoints; activations are what they hold of the time steps.",
        f"Times are medians of rounds ({study.plan['rounds']}) in which the methods take turns, in float32 on a"
        " CPU, where forward passes cost little under sparse spikes; SLTT-1 runs all T of them, as published.",
    ]
