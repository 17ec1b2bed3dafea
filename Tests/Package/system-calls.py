#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""system-calls.py DOCUMENT INCLUDE LIBDIR: each row of the document's table of system calls is enough.

The rows are read from the document, so that there is no second list. What is done of a row is done where only
its calls may be made, and those that the program under test makes itself."""
import os
import re
import subprocess
import sys
import tempfile

document, include, libdir = map(os.path.abspath, sys.argv[1:])
here = os.path.dirname(os.path.abspath(__file__))

# By row: what is done (system_calls.c), the other rows that it needs, the calls of the program, its environment
# and status.
WORKS = {
    "malloc()": [("few", "ids, sets, events")],
    "a thread": [("walk_in_a_thread", "ids, sets, events")],
    "a thread's first call": [("first_calls", "a thread", "malloc()", "sched_yield")],
    "`current`": [("tasks", "a thread", "malloc()", "a thread's first call")],
    "work queues, deferred frees": [
        ("queues", "malloc()", "clock_nanosleep"),
        ("free_later", "grace periods", "malloc()"),
        ("call_later", "grace periods", "malloc()")],
    "grace periods": [
        ("grace_period", "a thread", "malloc()", "clock_nanosleep"),
        ("attach_data", "ids, sets, events")],
    "address spaces": [("address_spaces", "ids, sets, events")],
    "ids, sets, events": [
        ("few",), ("walk",), ("all_ids",), ("sets",), ("spids",), ("capacity",),
        ("many_threads", "a thread", "a thread's first call", "sched_yield")],
    "`ioasid_free_wait()`, `ioasid_set_put_wait()`": [
        ("free_wait", "ids, sets, events", "a thread", "the log", "clock_nanosleep")],
    "fork()": [("fork", "ids, sets, events", "a thread", "wait4")],
    "the log": [("be_refused",)],
    "`ioasid_set_log()`": [("replace_sink", "a thread", "malloc()", "clock_nanosleep")],
    "a trace": [("trace", "ids, sets, events", "write")],
    "a history": [
        ("history", "ids, sets, events"),
        ("write_history", "ids, sets, events", "a thread", "a thread's first call", "write sched_yield")],
    "exit() with IOASID_REPORT_LEAKS": [
        ("leave_some", "ids, sets, events", "IOASID_REPORT_LEAKS=1"),
        ("leave_while_locked", "ids, sets, events", "a thread", "pause", "IOASID_REPORT_LEAKS=1")],
    "the same with `=fail`": [
        ("few", "ids, sets, events", "IOASID_REPORT_LEAKS=fail"),
        ("leave_some", "ids, sets, events", "IOASID_REPORT_LEAKS=fail", 23),
        ("leave_while_locked", "ids, sets, events", "pause", "IOASID_REPORT_LEAKS=fail", 23)],
    "loading": [
        ("libioasid.so.0",), ("libioasid-kernel.so.0",),
        ("libioasid.so.0", "ids, sets, events", "a history", "IOASID_HISTORY=1")],
}
# exit(), return from the handler that names a call, and what names it.
ALWAYS = {"exit_group", "rt_sigreturn", "write"}

with open(document, encoding="utf-8") as file:
    section = file.read().split("\n## System calls\n")[1].split("\n## ")[0]
rows = dict(re.match(r"\| (.*?) \| (.*) \|$", line).groups() for line in section.splitlines()
            if line.startswith("| ") and line != "| by | calls |")


def allowed(row):
    """The calls of a row, and of the rows that it names."""
    named = r"\*([^*]+)\*"
    calls = set(re.findall(r"`([a-z_0-9]+)`", re.sub(named, "", rows[row])))
    for other in re.findall(named, rows[row]):
        calls |= allowed(other)
    return calls


failures = []
if rows.keys() != WORKS.keys():
    failures.append(f"rows and works differ: {sorted(rows.keys() ^ WORKS.keys())}")

with tempfile.TemporaryDirectory() as work:
    def compiled(name, *libraries):
        program = os.path.join(work, name)
        subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread",
                        f"-I{include}/ioasid-kernel", f"-I{include}/ioasid", f"{here}/{name}.c", f"-L{libdir}",
                        *libraries, f"-Wl,-rpath,{libdir}", "-o", program], check=True)
        return program

    program, loader = compiled("system_calls", "-lioasid-kernel", "-lioasid"), compiled("system_calls_load")
    for row, works in WORKS.items():
        for name, *others in works:
            if row not in rows:
                continue
            calls, environment, status = ALWAYS | allowed(row), dict(os.environ), 0
            for other in others:
                if isinstance(other, int):
                    status = other
                elif other in rows:
                    calls |= allowed(other)
                elif "=" in other:
                    environment.update([other.split("=")])
                else:
                    calls |= set(other.split())
            command = [loader, os.path.join(libdir, name)] if name.startswith("lib") else [program, name]
            done = subprocess.run(command + sorted(calls), env=environment, capture_output=True, text=True,
                                  timeout=300, check=False)
            if done.returncode == 77:
                print("no filters of system calls here", file=sys.stderr)
                sys.exit(77)
            if done.returncode != status or (status and not done.stderr):
                failures.append(f"{row}: {name} {' '.join(map(str, others))}: status {done.returncode} "
                                f"{done.stdout.strip()} {done.stderr.strip()[:300]}")

for failure in failures:
    print("FAIL:", failure, file=sys.stderr)
sys.exit(1 if failures else 0)
