#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""debugging.py SOURCE INCLUDE LIBDIR [--print]: the outputs in docs/debugging.md are what its commands print.

Addresses, offsets, threads and times differ from run to run and are not compared. --print shows the document with
the outputs of now.
"""
import os
import re
import subprocess
import sys
import tempfile

MOVES = [(r"0x[0-9a-f]+", "0x"), (r"thread \d+", "thread"), (r"\d+\.\d+ s ago", "ago"), (r"\d+\.\d{9}", "time"),
         (r"[\d.e+]+ (ns|µs|ms|s) after", "after")]


def fixed(lines):
    """What must be the same."""
    for pattern, stands_for in MOVES:
        lines = [re.sub(pattern, stands_for, line) for line in lines]
    return [line.rstrip() for line in lines]


def main():
    source, include, libdir = (os.path.abspath(path) for path in sys.argv[1:4])
    with open(os.path.join(source, "docs/debugging.md"), encoding="utf-8") as document:
        lines = document.read().split("\n")
    out, differs, commands = [], False, 0
    with tempfile.TemporaryDirectory() as work:
        os.symlink(os.path.join(source, "scripts/timeline"), os.path.join(work, "ioasid-timeline"))
        subprocess.run(["cc", "-g", "-rdynamic", f"-I{include}/ioasid", os.path.join(source, "examples/leak.c"),
                        f"-L{libdir}", "-lioasid", "-o", os.path.join(work, "leak")], check=True)
        environment = dict(os.environ, LD_LIBRARY_PATH=libdir, IOASID_LOG="none", PATH=work + ":" + os.environ["PATH"])
        status, at = 0, 0
        while at < len(lines):
            out.append(lines[at])
            at += 1
            if not lines[at - 1].startswith("    $ "):
                continue
            command, said = lines[at - 1][6:], []
            while at < len(lines) and lines[at].startswith("    ") and not lines[at].startswith("    $ "):
                said.append(lines[at][4:])
                at += 1
            commands += 1
            done = subprocess.run(["bash", "-c", f"(exit {status}); {command}"], cwd=work, env=environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            status, now = done.returncode, done.stdout.splitlines()
            out += ["    " + line for line in now]
            if fixed(now) != fixed(said):
                differs = True
                print(f"FAIL: {command}\n--- docs\n" + "\n".join(said) + "\n--- now\n" + "\n".join(now), file=sys.stderr)
    if "--print" in sys.argv:
        print("\n".join(out), end="")
        return 0
    if not commands:
        print("FAIL: no command found", file=sys.stderr)
    return differs or not commands


if __name__ == "__main__":
    sys.exit(main())
