#!/usr/bin/env python3
"""
breakpoints.py PID LIBRARY FUNCTION...: how many of these functions begin, in
the process' memory, with something else than in the file of the library? A
uprobe is a breakpoint there.
"""
import subprocess
import sys


def offsets(library):
    """Where in the file code begins: of each function that it exports."""
    out = subprocess.run(
        ["nm", "-D", "--defined-only", library],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    lines = (line.split() for line in out.splitlines())
    # Debian's libraries have their code at its offset in the file.
    return {name.split("@")[0]: int(at, 16) for at, kind, name in lines if kind == "T"}


def address(pid, library, offset):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if words[-1] != library or "x" not in words[1]:
                continue
            start, end = (int(x, 16) for x in words[0].split("-"))
            first = int(words[2], 16)
            if first <= offset < first + end - start:
                return start + offset - first
    sys.exit(f"{library} is no code of {pid}")


def main():
    pid, library, *names = sys.argv[1:]
    where = offsets(library)
    differ = 0
    with open(library, "rb") as f, open(f"/proc/{pid}/mem", "rb") as mem:
        for name in names:
            f.seek(where[name])
            mem.seek(address(pid, library, where[name]))
            differ += f.read(4) != mem.read(4)
    print(differ)


main()
