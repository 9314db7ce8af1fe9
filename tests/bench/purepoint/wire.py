"""One connection to the daemon, as a program in any language would make it: lines of JSON over a Unix socket."""
import json
import socket
from pathlib import Path


class Wire:
    def __init__(self, path: Path, timeout: float = 300.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.rest = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def exchange(self, line: bytes) -> bytes:
        """Sends a line and answers with the next one, both with their newline. Parses nothing: this is timed."""
        self.socket.sendall(line)
        parts = [self.rest]
        while b"\n" not in parts[-1]:
            part = self.socket.recv(1 << 18)
            if not part:
                raise ConnectionError("the daemon closed the connection")
            parts.append(part)
        answer, newline, self.rest = b"".join(parts).partition(b"\n")
        return answer + newline

    def ask(self, request: dict) -> dict:
        answer = json.loads(self.exchange(line(request)))
        if answer["type"] == "error":
            raise RuntimeError(f"{request['type']}: {answer}")
        return answer


def line(request: dict) -> bytes:
    return json.dumps(request).encode() + b"\n"
