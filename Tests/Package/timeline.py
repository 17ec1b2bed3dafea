#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""timeline.py SCRIPT PROGRAM...: what scripts/timeline makes of traces is sound, and says what they say.

A PROGRAM is examples/leak, run with and without its leak. Hand-written traces have what is rare.
"""
import collections
import html
import importlib.machinery
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

RARE = """\
5.000001000 thread 7 id 3 spid - set 0 get references 2
5.000003000 thread 7 id 3 spid - set 0 put references 1
5.000002000 thread 8 id 3 spid - set 0 get references 3 by a b+0x12 tag x y
5.000003000 thread 7 id 9 spid - set 2 ALLOC to 0x10 priority -3 references 1 name "v <m> & 'x'" function f<1>
5.000004000 thread 7 id 4294967294 spid - set 2 ALLOC references 1 name "v <m> & 'x'" by main+0x1
5.000005000 thread 7 id 4294967294 spid - set 2 BIND references 1
5.000006000 thread 7 id 4294967294 spid - set 2 BIND to 0x10 priority -3 references 1 function f<1>
5.000006000 thread 7 id 4294967294 spid - set 2 get references 2 by f<1>+0x3 tag t
5.000007000 thread 7 id 9 spid - set 2 FREE references 1
5.000008000 thread 7 id 9 spid - set 2 FREE to 0x10 priority -3 references 1 function f<1>
5.000009000 thread 7 id 4294967294 spid - set 2 BIND to 0x20 priority -4 references 2 function g
5.000010000 thread 7 id 4294967294 spid - set 2 UNBIND references 2
5.000011000 thread 7 id 4294967294 spid - set 2 UNBIND references 2
5.000012000 thread 7 id 9 spid - set 2 put references 0
5.000012000 thread 7 id 9 spid - set 2 reclaim references 0
5.000012000 thread 7 id 9 spid - set 5 ALLOC references 1
5.000013000 thread 7 id - spid - set 2 SET_FREE references 0
5.000013000 thread 7 id - spid - set 2 SET_FREE to 0x20 priority 1 references 0 function g
5.000014000 thread 7 id - spid - set 2 SET_ALLOC references 0
5.000015000 thread 7 id 8 spid - set 0 reclaim references 0
"""
# When it ends, id 1 is in use, id 2 was freed but somebody has it, and id 3 is gone.
CUT = """\
6.000001000 thread 7 id 1 spid - set 4 ALLOC references 1
6.000002000 thread 7 id 2 spid - set 4 ALLOC references 1
6.000003000 thread 7 id 3 spid - set 4 ALLOC references 1
6.000004000 thread 7 id 1 spid - set 4 get references 2 by f+0x1 tag one
6.000005000 thread 7 id 2 spid - set 4 get references 2 by f+0x1 tag two
6.000006000 thread 7 id 1 spid 5 set 4 BIND references 2
6.000007000 thread 7 id 2 spid - set 4 FREE references 2
6.000008000 thread 7 id 2 spid - set 4 put references 1
6.000009000 thread 7 id 3 spid - set 4 FREE references 1
6.000010000 thread 7 id 3 spid - set 4 put references 0
6.000011000 thread 7 id 3 spid - set 4 reclaim references 0
"""
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)


def load(path):
    loader = importlib.machinery.SourceFileLoader("timeline", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("timeline", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def check_json(name, entries, events):
    """Every B has its E, in order and nested; flows have both ends, in slices; counters say what the lines say."""
    stacks, slices = collections.defaultdict(list), collections.defaultdict(list)
    starts, ends, counters = {}, {}, collections.defaultdict(list)
    named = set()
    for event in events:
        track = event["pid"], event["tid"]
        if event["ph"] == "M":
            named.add((event["name"], event["pid"], event["tid"] if event["name"] == "thread_name" else 0))
        elif event["ph"] == "B":
            check(not stacks[track] or stacks[track][-1]["ts"] <= event["ts"], f"{name}: B goes back in time")
            stacks[track].append(event)
        elif event["ph"] == "E":
            check(stacks[track], f"{name}: an E without its B on {track}")
            if stacks[track]:
                begin = stacks[track].pop()
                check(begin["ts"] <= event["ts"], f"{name}: a slice ends before it begins: {begin}")
                slices[track].append((begin["ts"], event["ts"]))
        elif event["ph"] in "sf":
            ends_of = starts if event["ph"] == "s" else ends
            check(event["id"] not in ends_of, f"{name}: two ends of flow {event['id']}")
            ends_of[event["id"]] = event
        elif event["ph"] == "C":
            counters[event["pid"], event["name"]].append(event["args"]["references"])
    check(not any(stacks.values()), f"{name}: a B without its E")
    check(starts.keys() == ends.keys(), f"{name}: flows with one end: {starts.keys() ^ ends.keys()}")
    for end in [*starts.values(), *ends.values()]:
        inside = any(a <= end["ts"] <= b for a, b in slices[end["pid"], end["tid"]])
        check(inside, f"{name}: a flow begins or ends in no slice: {end}")
    for flow in starts.keys() & ends.keys():
        check(starts[flow]["ts"] <= ends[flow]["ts"], f"{name}: an effect before its cause")
        check(starts[flow]["name"] == ends[flow]["name"], f"{name}: cause and effect differ")
    for pid, tid in slices:
        check(("process_name", pid, 0) in named and ("thread_name", pid, tid) in named, f"{name}: {pid} {tid} has no name")
    wanted = collections.defaultdict(list)
    for entry in entries:
        if entry.what == "reclaim":
            check(not any(a < entry.ns / 1000 < b for a, b in slices[entry.set + 1, entry.id]),
                  f"{name}: id {entry.id} goes on when it is gone")
        if entry.id is not None and not entry.to:
            wanted[entry.set + 1, f"references of {entry.id}"].append(entry.references)
    check(counters == wanted, f"{name}: the counters differ from the trace")
    return len(starts)


def check_page(name, entries, page):
    check("http" not in page and "src=" not in page and "@import" not in page, f"{name}: wants something of the network")
    svg = ET.fromstring(page[page.index("<svg"):page.index("</svg>") + 6])
    texts = ["".join(text.itertext()) for text in svg.iter("text")]
    titles = [title.text for title in svg.iter("title")]
    start, last = entries[0].ns, entries[-1].ns
    for bar in svg.iter("rect"):
        if "x" in bar.attrib:
            check(0 <= float(bar.get("x")) and float(bar.get("x")) + float(bar.get("width")) <= float(svg.get("width")),
                  f"{name}: a bar outside of the picture")
    rows = re.findall(r"<tr><td>(.*?)</tr>", page)
    check(len(rows) == len(entries), f"{name}: {len(rows)} rows of {len(entries)} lines")
    for entry, row in zip(entries, rows):
        check(row.startswith(f"{(entry.ns - start) / 10**6:.6f} ms<"), f"{name}: a row has another time")
        for text in (entry.by, entry.tag):
            check(not text or html.escape(text) in row, f"{name}: a row is without {text}")
    for entry in entries:
        when = f"{(entry.ns - start) / 10**6:.6f} ms"
        if entry.to and entry.id is not None:
            check(f"{entry.what}, {when}" in titles, f"{name}: nobody sees that {entry.function} was told")
        elif entry.what == "get" and entry.tag:
            check(any(title.startswith(f"{entry.tag} took it at {entry.by}, {when}") for title in titles),
                  f"{name}: nobody sees that {entry.tag} took it")
        elif entry.what == "put" and entry.tag:
            check(any(f"put it at {entry.by}, {when}" in title for title in titles), f"{name}: a put is not there")
    return texts, titles, last


def check_cut(page, events, said, texts, titles):
    """What was in use when the trace ended is no leak, and is said."""
    not_freed = "not freed when the trace ended"
    lines = [f"id 1 of set 4 was {not_freed}: 2 references; one took one at f+0x1 and has not put it",
             "id 2 of set 4 is not gone: 1 reference; two took one at f+0x1 and has not put it",
             "id 3 of set 4 was gone at 6.000011000, 2 µs after FREE"]
    check(said.splitlines() == lines, f"cut: it says {said}")
    check(f'<p class="open">{lines[0]}</p>' in page and f'<p class="leak">{lines[1]}</p>' in page, "cut: the page does not say it")
    check(texts.count(not_freed) == 1 and texts.count("not gone") == 1, "cut: the words beside the bars")
    check(texts.count("never put") == 1, "cut: only what was freed is never put")
    check(any(title.startswith("id 1: bound") and title.endswith(not_freed) for title in titles), "cut: the title of a bar")
    fates = {(event["tid"], event["args"]["fate"]) for event in events if "fate" in event.get("args", {})}
    check(fates == {(1, not_freed), (2, "not gone")}, f"cut: the events have {fates}")


def convert(script, trace, directory):
    out = {kind: os.path.join(directory, f"out.{kind}") for kind in ("html", "json")}
    done = subprocess.run([script, "--html", out["html"], "--json", out["json"], trace], check=True,
                          capture_output=True, text=True)
    with open(out["html"], encoding="utf-8") as page, open(out["json"], encoding="utf-8") as events:
        return page.read(), json.load(events)["traceEvents"], done.stdout


def main():
    script, program = sys.argv[1], sys.argv[2:]
    timeline = load(script)
    with tempfile.TemporaryDirectory() as directory:
        trace = os.path.join(directory, "trace")
        for arguments, leaks in (([], True), (["fixed"], False)):
            name = " ".join(["leak", *arguments])
            subprocess.run([*program, *arguments, trace], check=True, stdout=subprocess.DEVNULL,
                           env=dict(os.environ, IOASID_HISTORY="1", IOASID_LOG="none"))
            with open(trace, encoding="utf-8") as lines:
                entries = timeline.read(lines)
            page, events, said = convert(script, trace, directory)
            flows = check_json(name, entries, events)
            # Every subscriber that is told is told of something that the trace has.
            check(flows == sum(1 for entry in entries if entry.to), f"{name}: {flows} flows")
            texts, titles, _ = check_page(name, entries, page)
            check(("never put" in texts) == leaks, f"{name}: the leak")
            check(("not gone" in texts) == leaks, f"{name}: the id's end")
            check(leaks == any(title.endswith("never put it") for title in titles), f"{name}: who leaks")
            gone = [entry for entry in entries if entry.what == "reclaim"]
            check(len(gone) == (0 if leaks else 1), f"{name}: reclaimed {len(gone)} times")
            wanted = ('id 100 of set 1 "vm3" is not gone: 1 reference; ' if leaks else
                      f'id 100 of set 1 "vm3" was gone at {gone[0].ns / 10**9:.9f}, ')
            check(said.startswith(wanted) and said.count("\n") == 1, f"{name}: it says {said}")
        with open(trace, "w", encoding="utf-8") as out:
            out.write(RARE)
        page, events, said = convert(script, trace, directory)
        check(said.count("\n") == 5, f"rare: not one line for each life: {said}")
        entries = timeline.read(RARE.splitlines())
        check([entry.ns for entry in entries] == sorted(entry.ns for entry in entries), "rare: not in order of time")
        check_json("rare", entries, events)
        check_page("rare", entries, page)
        with open(trace, "w", encoding="utf-8") as out:
            out.write(CUT)
        page, events, said = convert(script, trace, directory)
        entries = timeline.read(CUT.splitlines())
        check_json("cut", entries, events)
        check_cut(page, events, said, *check_page("cut", entries, page)[:2])
        for bad in ("", "nonsense\n", RARE + "5.1 thread 1\n"):
            with open(trace, "w", encoding="utf-8") as out:
                out.write(bad)
            done = subprocess.run([script, trace], capture_output=True, text=True, check=False)
            check(done.returncode == 1 and "Traceback" not in done.stderr and done.stderr, f"bad trace: {bad[-20:]!r}")
        missing = subprocess.run([script, os.path.join(directory, "missing")], capture_output=True, text=True, check=False)
        check(missing.returncode == 1 and "missing: No such file" in missing.stderr
              and "Traceback" not in missing.stderr, "missing trace")
    for failure in failures:
        print(f"FAIL: {failure}", file=sys.stderr)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
