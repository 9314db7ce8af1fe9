"""A terminal as a person has it in front of him, around one program."""
from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from pathlib import Path


class Screen:
    """What was shown in it, and how what is typed gets in."""

    def __init__(self, argv: list[str], env: dict[str, str], cwd: Path) -> None:
        self.shown = bytearray()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        # As the controlling terminal of a session of its own.
        take = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, preexec_fn=take)
        os.close(slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.shown += data

    def is_raw(self) -> bool:
        """What is typed before that may be thrown away with the old settings."""
        return not termios.tcgetattr(self.master)[3] & termios.ICANON

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def close(self) -> None:
        """As when a window is closed: the program ends with its terminal, and nobody reads it any more."""
        self.process.kill()
        self.process.wait()
        # It ends when nobody holds the other end; closed before, its number could be another file's by then.
        self.reader.join(10)
        if not self.reader.is_alive():
            os.close(self.master)
