"""Terminal multiplexers beside PurePoint: the same writers in their sessions, and their server killed."""
from __future__ import annotations

import os
import pty
import shutil
import subprocess
import time
from typing import NamedTuple

import stage  # noqa: F401, for the path to the benches
from purepoint import processes
from purepoint.world import World, wait_until
from writers import install


class Survival(NamedTuple):
    name: str
    kills: int
    # Sessions that were there after the first kill, and processes that ran on without one.
    sessions: int
    processes: int
    of: int


def writers(world: World) -> int:
    return sum(1 for process in processes.of_folder(world.root) if "writer.py" in process.line
               and process.program.startswith("python"))


class Tmux:
    name = "tmux"

    def __init__(self, world: World) -> None:
        self.world = world
        self.argv = ["tmux", "-f", os.devnull, "-S", str(world.root / "tmux.sock")]

    def start(self, commands: list[str]) -> None:
        for number, command in enumerate(commands):
            subprocess.run([*self.argv, "new-session", "-d", "-s", f"w{number}", command], env=self.world.env, check=True)

    def servers(self) -> list[int]:
        return [process.pid for process in processes.of_folder(self.world.root) if process.line.startswith("tmux")]

    def sessions(self) -> int:
        listed = subprocess.run([*self.argv, "list-sessions"], env=self.world.env, capture_output=True, text=True)
        return len(listed.stdout.splitlines()) if listed.returncode == 0 else 0

    def end(self) -> None:
        subprocess.run([*self.argv, "kill-server"], env=self.world.env, capture_output=True)


class Shpool:
    """A session is made by attaching to it, so each has a client of its own, in a terminal of its own."""
    name = "shpool"

    def __init__(self, world: World) -> None:
        self.world, self.clients = world, []
        self.argv = ["shpool", "--socket", str(world.root / "shpool.sock")]

    def start(self, commands: list[str]) -> None:
        nowhere = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
        self.daemon = subprocess.Popen([*self.argv, "daemon"], env=self.world.env, start_new_session=True, **nowhere)
        wait_until("shpool listens", (self.world.root / "shpool.sock").exists)
        for number, command in enumerate(commands):
            master, slave = pty.openpty()
            client = subprocess.Popen([*self.argv, "attach", "--cmd", command, f"w{number}"], env=self.world.env,
                                      stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
            os.close(slave)
            self.clients.append((client, master))

    def servers(self) -> list[int]:
        return [process.pid for process in processes.of_folder(self.world.root)
                if process.program == "shpool" and process.line.split()[-1] == "daemon"]

    def sessions(self) -> int:
        listed = subprocess.run([*self.argv, "list"], env=self.world.env, capture_output=True, text=True)
        return len(listed.stdout.splitlines()[1:]) if listed.returncode == 0 else 0

    def end(self) -> None:
        for client, master in self.clients:
            client.kill()
            client.wait()
            os.close(master)
        for server in self.servers():
            processes.kill(server)


def survive(commands: list[str], kills: int) -> list[Survival]:
    """Kills the server of each that is installed; what there is to be killed again is told by its absence."""
    seen = []
    for peer in (Tmux, Shpool):
        if not shutil.which(peer.name):
            print(f"SKIPPED: {peer.name} is not installed, so nothing is compared with it")
            continue
        with World() as world:
            # The writers are given this world's own program, so that they are found and ended with it.
            own = [command.replace("@ROOT@", str(world.root)) for command in commands]
            install(world.root)
            multiplexer = peer(world)
            try:
                multiplexer.start(own)
                wait_until(f"all writers run in {peer.name}", lambda: writers(world) == len(own), limit=60)
                seen.append(killed(world, multiplexer, len(own), kills))
            except (OSError, subprocess.CalledProcessError, TimeoutError) as error:
                # What was seen of PurePoint before is not lost by that.
                print(f"SKIPPED: {peer.name} does not run its sessions here: {error}")
            finally:
                multiplexer.end()
    return seen


def killed(world: World, multiplexer: Tmux | Shpool, count: int, kills: int) -> Survival:
    """The first kill decides: without a server there is nothing left to kill."""
    done = 0
    for _ in range(kills):
        servers = multiplexer.servers()
        if not servers:
            break
        for server in servers:
            processes.kill(server)
        done += 1
        time.sleep(1.0)
    return Survival(multiplexer.name, done, multiplexer.sessions(), writers(world), count)
