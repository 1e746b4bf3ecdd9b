#!/usr/bin/env python3
"""
terminal ROWS COLUMNS COMMAND...: run a command on a terminal of that size until
it ends, and print what is then on its screen. Knows what lib/screen sends, and
nothing else; exit status 1 when a line is longer than the screen is wide, when
it scrolls in place, or when something unknown comes.
"""
import fcntl
import os
import pty
import re
import struct
import sys
import termios

TOKEN = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\r\n|\n|\r|\x1b|.", re.DOTALL)


class Screen:
    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines = [""] * rows
        self.row = self.column = 0
        self.in_place = False
        self.faults = []

    def feed(self, text):
        for token in TOKEN.findall(text):
            if token == "\x1b[H":
                self.row = self.column = 0
                self.in_place = True
            elif token == "\x1b[K":
                line = self.lines[self.row]
                self.lines[self.row] = line[: self.column]
            elif token == "\x1b[J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                for row in range(self.row + 1, self.rows):
                    self.lines[row] = ""
            elif token in ("\r\n", "\n"):
                self.column = 0
                self.row += 1
            elif token == "\r":
                self.column = 0
            elif token.startswith("\x1b"):
                self.faults.append(f"unknown sequence {token!r}")
            else:
                self.put(token)
            if self.row >= self.rows:
                if self.in_place:
                    self.faults.append("it scrolls")
                self.lines = self.lines[1:] + [""]
                self.row = self.rows - 1

    def put(self, char):
        if self.column >= self.columns:
            self.faults.append(f"too long: {self.lines[self.row]!r}")
            return
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = (
            line[: self.column] + char + line[self.column + 1 :]
        )
        self.column += 1


def main():
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    pid, fd = pty.fork()
    if pid == 0:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(sys.argv[3], sys.argv[3:])
    screen = Screen(rows, columns)
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        screen.feed(data.decode("utf-8", "replace"))
    status = os.waitpid(pid, 0)[1]
    print("\n".join(line.rstrip() for line in screen.lines).rstrip("\n"))
    for fault in screen.faults:
        print(f"terminal: {fault}", file=sys.stderr)
    if status:
        print(f"terminal: it ended with {status:#x}", file=sys.stderr)
    return 1 if screen.faults or status else 0


if __name__ == "__main__":
    sys.exit(main())
