#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the built benchmarks interleaved, and reports: the bar, all figures, JSON, plots."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from bars import IDA, KERNEL, LIMIT, OURS, ROWS, UNITS
from plot import write_plots

QUIET = 1.15    # a chunk counts if the gauge beside it was at most this slower than its best ever,
LOST = 0.05     # and other processes took no more than this part of its time

PEERS = {OURS: "work-libioasid", KERNEL: "work-kernel", IDA: "work-ida",
         "JudyL": "work-judy", "urcu lfht": "work-lfht", LIMIT: "work-bitmap"}
# (column, program, group), in the order in which a repetition runs them: the same work of all
# columns side by side, so that what the machine goes through hits them alike.
# The raw costs go first: they show early how fast the gauge is on a quiet core.
JOBS = [("raw", "raw", "")]
JOBS += [(column, program, group) for group in ("alloc", "find", "threads", "latencies", "memory", "growth")
        for column, program in PEERS.items()]
JOBS += [(OURS, "features", group)
         for group in ("references", "spids", "spids-in-sequence", "data", "teardown", "memory")]
JOBS += [(OURS, "growth", "sets"), (OURS, "growth", "subscribers"), (OURS, "first", None)]
JOBS += [(OURS, "vtd", "")]


class Chunk(NamedTuple):
    """What the harness says of a chunk, in its order."""
    operations: float
    wall: float
    cpu: float
    gauge: float
    preempted: float

    def is_quiet(self, best_gauge):
        robbed = self.preempted and self.wall - self.cpu > LOST * self.wall
        return self.gauge <= QUIET * best_gauge and not robbed


class Figure:
    """One test of one column: a value per repetition, with how it came about."""

    def __init__(self):
        self.chunks = []        # per repetition: [Chunk]
        self.values = []        # per repetition: what is no time
        self.median = self.low = self.high = self.spread = self.cpu = self.quiet = None

    def settle(self, best_gauge):
        """Medians over repetitions of the quiet chunks' means; all chunks if none was quiet."""
        quiet = [[c for c in chunks if c.is_quiet(best_gauge)] for chunks in self.chunks]
        used = [q for q in quiet if q] or self.chunks
        walls = [mean(u, "wall") for u in used] or self.values
        self.median, self.low, self.high = statistics.median(walls), min(walls), max(walls)
        self.spread = (self.high - self.low) / self.median if self.median else 0.0
        if self.chunks:
            self.cpu = statistics.median(mean(u, "cpu") for u in used)
            self.quiet = sum(map(len, quiet)) / sum(map(len, self.chunks))


def mean(chunks, what):
    """ns an operation"""
    return sum(getattr(c, what) for c in chunks) / sum(c.operations for c in chunks)


class Run:
    def __init__(self, out, quick):
        self.out, self.quick = out, quick
        self.figures = defaultdict(Figure)
        self.best_gauge = float("inf")

    def job(self, column, program, group, library):
        command = [str(self.out / program), library if group is None else group]
        command += ["--quick"] if self.quick else []
        gauge = {} if self.best_gauge == float("inf") else {"BENCH_GAUGE": str(self.best_gauge)}
        done = subprocess.run(command, env=os.environ | gauge, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"failed ({done.returncode}): {' '.join(command)}")
        chunks, values = defaultdict(list), defaultdict(list)
        for line in done.stdout.splitlines():
            kind, test, *numbers = line.split()
            if kind == "chunk":
                chunk = Chunk(*map(float, numbers))
                chunks[test].append(chunk)
                self.best_gauge = min(self.best_gauge, chunk.gauge)
            else:
                values[test].append(float(numbers[0]))
        for test, seen in chunks.items():
            self.figures[column, test].chunks.append(seen)
        for test, seen in values.items():
            self.figures[column, test].values.append(statistics.median(seen))

    def settle(self):
        for figure in self.figures.values():
            figure.settle(self.best_gauge)
        self.derive_events()

    def derive_events(self):
        """What an event costs: a pair of alloc and free sends two to each subscriber."""
        silent = self.figures.get((OURS, "subscribers-pair@0"))
        for count in (1, 4) if silent else ():
            pair = self.figures[OURS, f"subscribers-pair@{count}"]
            event = self.figures[OURS, f"event-{count}"]
            event.median = event.low = event.high = (pair.median - silent.median) / 2
            event.cpu, event.spread = (pair.cpu - silent.cpu) / 2, pair.spread
            event.quiet = min(pair.quiet, silent.quiet)

    def medians(self):
        return {key: figure.median for key, figure in self.figures.items()}


def number(value):
    return "-" if value is None else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def shown(figure, unit="ns"):
    """A median; marked if no chunk of it was quiet."""
    if not figure:
        return "-"
    return number(figure.median / UNITS[unit]) + loud(figure)


def loud(figure):
    return "!" if figure and figure.quiet == 0 else ""


def table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |")
    print()


def verdict(run, row, ours):
    """What was measured in the bar's terms; whether it is met; whether that can be believed."""
    others = [run.figures.get(check.against) for check in row.checks]
    if not ours or any(check.against and not o for check, o in zip(row.checks, others)):
        return "-", None, False
    results = [c.judge(ours.median, o and o.median) for c, o in zip(row.checks, others)]
    return ("; ".join(measured for measured, _ in results),
            None if run.quick else all(met for _, met in results),
            all(f.quiet != 0 for f in (ours, *others) if f))


def judged(run):
    """The rows of the bar, each with a verdict; none is given in a quick run."""
    rows = []
    for row in ROWS:
        ours = run.figures.get((OURS, row.test))
        measured, met, believed = verdict(run, row, ours)
        rows.append({
            "work": row.work, "test": row.test, "unit": row.unit,
            "kernel": run.figures.get((KERNEL, row.test)),
            "limit": run.figures.get((LIMIT, row.test)), "ours": ours,
            "bar": "; ".join(check.said() for check in row.checks),
            "measured": measured, "met": met, "believed": believed,
        })
    return rows


def print_report(run, rows):
    met = {True: "yes", False: "NO", None: "-"}
    print("The bar: medians; spread is (max - min) / median over the repetitions;"
          "\n! no chunk was quiet, or it is judged by one that was not:\n")
    table(["work", "unit", KERNEL, LIMIT, OURS, "spread", "CPU", "bar", "measured", "met"],
          [[r["work"], r["unit"],
            *(shown(r[who], r["unit"]) for who in ("kernel", "limit", "ours")),
            f"{r['ours'].spread:.0%}" if r["ours"] else "-",
            number(r["ours"].cpu and r["ours"].cpu / UNITS[r["unit"]]) if r["ours"] else "-",
            r["bar"], r["measured"],
            met[r["met"]] + ("!" if r["met"] is not None and not r["believed"] else "")]
           for r in rows])
    columns = [c for c in PEERS if any(key[0] == c for key in run.figures)]
    print("Everything: median wall (CPU) +-spread; ns an operation and thread, memory in B and KiB:"
          "\n")
    tests = dict.fromkeys(test for column, test in run.figures
                          if column != "raw" and "@" not in test and not is_latency(test))
    table(["test", *columns], [[test] + [detail(run.figures.get((c, test))) for c in columns]
                               for test in tests])
    print_latencies(run, columns)
    print("Growth, ns at each size (threads: an operation of all threads together):\n")
    for family in dict.fromkeys(t.split("-")[0] for _, t in run.figures if "@" in t):
        print_growth(run, family)
    print("Raw costs, ns:\n")
    table(["what", "median"], [[test, detail(f)] for (c, test), f in run.figures.items()
                               if c == "raw"])


def is_latency(test):
    return test.startswith("latency-")


def print_latencies(run, columns):
    """A row for each of alloc, free, find; in a cell the percentiles."""
    print("Latencies of one call beside others that load the allocator, ns with the clock's own:"
          "\np50 / p99 / p99.9 / longest\n")
    calls = dict.fromkeys(t.rpartition("-")[0] for _, t in run.figures if is_latency(t))
    rows = []
    for call in calls:
        what, others = call.split("-")[1:]
        at = [[run.figures.get((c, f"{call}-{part}"))
               for part in ("p50", "p99", "p99.9", "longest")] for c in columns]
        rows.append([f"{what}, {others} other" + "s" * (others != "1"),
                     *(" / ".join(f"{f.median:.0f}" for f in cell) if all(cell) else "-"
                       for cell in at)])
    table(["call", *columns], rows)


def print_growth(run, family):
    lines, sizes = defaultdict(dict), set()
    for (column, test), figure in run.figures.items():
        name, _, size = test.partition("@")
        if size and name.startswith(family + "-"):
            lines[column, name][int(size)] = figure
            sizes.add(int(size))
    sizes = sorted(sizes)
    table([family, *map(str, sizes)],
          [[f"{column}: {name.partition('-')[2]}", *(shown(line.get(n)) for n in sizes)]
           for (column, name), line in lines.items()])


def detail(figure):
    if not figure:
        return "-"
    cpu = "" if figure.cpu is None else f" ({number(figure.cpu)})"
    return f"{shown(figure)}{cpu} +-{figure.spread:.0%}"


def machine():
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    thp = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        "cpu": next((l.split(": ")[1] for l in cpuinfo if l.startswith("model name")), "unknown"),
        "cpus": len(os.sched_getaffinity(0)), "kernel": platform.release(),
        "hugepages": thp.read_text().strip() if thp.exists() else "none",
    }


def save(run, rows, facts):
    fields = ("median", "low", "high", "spread", "cpu", "quiet")
    figures = [{"column": c, "test": t, **{k: getattr(f, k) for k in fields}}
               for (c, t), f in run.figures.items()]
    bar = [{k: v.median if isinstance(v, Figure) else v for k, v in r.items()} for r in rows]
    text = json.dumps({"run": facts, "bar": bar, "figures": figures}, indent=1)
    (run.out / "results.json").write_text(text + "\n")
    write_plots(run.out, run.medians(), list(PEERS))


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("out", type=Path, help="where the programs are and results go")
    args.add_argument("--library", default="", help="the libioasid.so to load in the first-id test")
    args.add_argument("--reps", type=int, default=5)
    args.add_argument("--minutes", type=float, default=float("inf"),
                      help="begin no more repetitions after that")
    args.add_argument("--quick", action="store_true", help="see that it works; judge nothing")
    args.add_argument("--only", help="columns, separated by commas")
    args = args.parse_args()
    reps = 1 if args.quick else args.reps
    only = args.only and args.only.split(",")
    jobs = [j for j in JOBS if (not only or j[0] in only) and (args.out / j[1]).exists()]
    missing = sorted({j[0] for j in JOBS if not (args.out / j[1]).exists()})

    run, start = Run(args.out, args.quick), time.monotonic()
    done = 0
    for rep in range(reps):
        if time.monotonic() - start > args.minutes * 60:
            break
        done += 1
        for column, program, group in jobs:
            if sys.stderr.isatty():
                print(f"\r{rep + 1}/{reps} {column} {program} {group or ''}".ljust(60), end="",
                      file=sys.stderr, flush=True)
            run.job(column, program, group, args.library)
    run.settle()
    facts = machine() | {"repetitions": done, "quick": args.quick, "missing": missing,
                         "seconds": round(time.monotonic() - start),
                         "best gauge, ns": run.best_gauge}
    print(", ".join(f"{k}: {v}" for k, v in facts.items()), end="\n\n")
    rows = judged(run)
    print_report(run, rows)
    save(run, rows, facts)
    print(f"{args.out}/results.json and {args.out}/*.svg written")


if __name__ == "__main__":
    main()
