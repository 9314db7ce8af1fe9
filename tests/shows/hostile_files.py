"""Ways to misbehave that take more than one file: damage, forgery, exchange, a grant. Each is given the show's table."""
from __future__ import annotations

import datetime
import hashlib
import json
import re
import subprocess
import time
from collections import Counter
from pathlib import Path

from purepoint.figures import duration
from purepoint.programs import REPOSITORY
from purepoint.world import World
from trial import DEADLINE, GRACE, Seen, Table, Trial, put, write

BUNDLED = REPOSITORY / "plugins/dist/keyword.wasm"
FLIPS, SPAWNS, SWAPS, TRIES = 64, 3, 3, 40
# What the busy plugin asks for.
BUSY = 0.250
# Specs that the task is not about: only who is told to picks them.
UNRELATED = "---\nid: {}\n---\n# Colours\n\nRed and green.\n"
TEXTS = {f"specs/{name.lower()}.md": UNRELATED.format(name) for name in ("OLD", "NEW")}
ASKED = re.compile(r'^(\S+)Z .*an assembler was asked plugin="busy" .*elapsed_us=(\d+)', re.MULTILINE)


def bit_flips(table: Table) -> None:
    """The bundled plugin with some bits turned over, other ones each time: whatever comes of it harms nobody else."""
    with World() as world:
        trial, ends, slowest = Trial(world, table.verdict), Counter(), 0.0
        for number in range(FLIPS):
            flipped = world.root / "flipped.wasm"
            write("flip", number, BUNDLED, flipped)
            put(flipped, trial.file("flipped"))
            if seen := trial.spawn("flipped"):
                ends[seen.code or "borne"] += 1
                slowest = max(slowest, seen.elapsed)
                # The chain's own code for a panic of the host's.
                table.verdict.check(seen.code != "internal", f"flip {number} made the host panic")
                late = seen.elapsed > DEADLINE + GRACE
                table.verdict.check(not late, f"flip {number}: went on for {duration(seen.elapsed)}")
        ended = ", ".join(f"{count} × {code}" for code, count in ends.most_common())
        table.row("bit-flips", f"{FLIPS} files: {ended}", f"at most {duration(slowest)}")


def changed_digest(table: Table) -> None:
    """A plugin that was pinned, and a file that lies in its place."""
    with World() as world:
        trial = Trial(world, table.verdict)
        built = world.root / "pinned.wasm"
        write("empty", built)
        world.pu("plugin", "add", "--name", "pinned", str(built), cwd=trial.root)
        first = trial.spawn("pinned")
        runs = first is not None and first.code is None
        table.verdict.check(runs, f"changed-digest: what was pinned does not run: {first}")
        write("endless-loop", built)
        put(built, trial.root / ".pu/plugins/pinned.wasm")
        untrusted = world.pu(*trial.argv(), cwd=trial.root, check=False)
        table.verdict.check(untrusted.returncode == 4, "changed-digest: it was not asked for again")
        # Even whoever allows it has pinned another one.
        trial.trust()
        seen = [trial.spawn("pinned") for _ in range(SPAWNS)]
        table.judge("changed-digest", seen, "digest_mismatch", trial.told("pinned"))
        table.verdict.check(not any(one and one.elapsed for one in seen), "changed-digest: it was called")


def state_quota(table: Table) -> None:
    """A plugin that was granted a state, and writes values of 64 KiB until one is refused."""
    with World() as world:
        trial, name = Trial(world, table.verdict), "state-flood"
        built = world.root / f"{name}.wasm"
        write(name, built, "AUTH")
        world.pu("plugin", "add", "--grant", "state", str(built), cwd=trial.root)
        seen = [trial.spawn(name) for _ in range(SPAWNS)]
        told = trial.told(name)
        table.judge("state-quota", seen, "failed", told)
        table.verdict.check("state_full" in told, f"state-quota: told is {told}")
        left = list((trial.root / ".pu/state").glob("*.json"))
        table.verdict.check(not left, f"state-quota: what failed calls wrote was kept: {left}")


def damage(code: Path) -> None:
    """Turns over a quarter of it, the machine code in the middle."""
    bytes_ = bytearray(code.read_bytes())
    for at in range(len(bytes_) // 4, len(bytes_) // 2):
        bytes_[at] ^= 0x55
    code.write_bytes(bytes_)


def seals(code: Path) -> list[Path]:
    """What lies beside the code of an entry."""
    return [path for path in code.parent.glob(f"{code.stem}.*") if path != code]


def damaged_code(codes: list[Path]) -> None:
    for code in codes:
        damage(code)


def forged_digest(codes: list[Path]) -> None:
    for code in codes:
        damage(code)
        for seal in seals(code):
            seal.write_text(hashlib.sha256(code.read_bytes()).hexdigest())


def no_seal(codes: list[Path]) -> None:
    for code in codes:
        damage(code)
        for seal in seals(code):
            seal.unlink()


def exchanged(codes: list[Path]) -> None:
    """Two entries, each in the other's place, its seal along with it."""
    one, other = ([code, *sorted(seals(code))] for code in codes[:2])
    for left, right in zip(one, other):
        kept = left.read_bytes()
        left.write_bytes(right.read_bytes())
        right.write_bytes(kept)


def poisoned_cache(table: Table) -> None:
    """Compiled plugins that are not what the compiler wrote, as a new daemon finds them: it compiles anew."""
    for poison in (damaged_code, forged_digest, no_seal, exchanged):
        with World() as world:
            trial, name = Trial(world, table.verdict, TEXTS), f"poisoned-cache, {poison.__name__.replace('_', ' ')}"
            write("busy", trial.file("sound"), "NEW")
            table.verdict.check(bool(trial.spawn("sound")), f"{name}: did not run before")
            codes = sorted((world.home / "cache").glob("*.cwasm"))
            sound = [code.read_bytes() for code in codes]
            # The bundled ones and the one at hand.
            table.verdict.check(len(codes) == 5, f"{name}: five plugins were compiled, and the cache has {codes}")
            world.pu("daemon", "stop")
            poison(codes)
            trial.daemon = [world.json("health")["pid"]]
            seen = [trial.spawn("sound") for _ in range(SPAWNS)]
            table.judge(name, seen, None, f"nothing; in the daemon's log: {complaint(world)}", BUSY)
            own = all(one and one.picks == ["NEW"] for one in seen)
            table.verdict.check(own, f"{name}: it picked what it does not pick: {seen}")
            mended = [code.read_bytes() for code in codes] == sound
            table.verdict.check(mended, f"{name}: what was compiled anew is not what the compiler made before")


def complaint(world: World) -> str:
    lines = (world.home / "daemon.log").read_text().splitlines()
    about = [line.partition(": ")[2] for line in lines if "compiling it anew" in line]
    return f"{len(about)} × {about[0].partition(' path=')[0]}" if about else "nothing"


class Call:
    """The last call of the busy plugin, by the daemon's log."""

    def __init__(self, world: World) -> None:
        ended, elapsed = ASKED.findall((world.home / "daemon.log").read_text())[-1]
        self.end = datetime.datetime.fromisoformat(f"{ended}+00:00").timestamp()
        self.begin = self.end - int(elapsed) / 1e6

    @property
    def middle(self) -> float:
        return (self.begin + self.end) / 2


def replaced_mid_call(table: Table) -> None:
    """A plugin that works for some tens of milliseconds, and amidst that is replaced by one that picks another spec."""
    with World() as world:
        world.env["PU_LOG"] = "info"
        trial = Trial(world, table.verdict, TEXTS)
        made = {spec: world.root / f"{spec}.wasm" for spec in ("OLD", "NEW")}
        for spec, file in made.items():
            write("busy", file, spec)
            put(file, trial.file("busy"))
            started = time.time()
            seen = trial.spawn("busy")
            table.verdict.check(bool(seen) and seen.picks == [spec], f"busy of {spec}: {seen}")
        swaps = Swaps(table, world, trial, made, Call(world).middle - started)
        for _ in range(TRIES):
            if swaps.once() == SWAPS:
                break
        table.verdict.check(swaps.hit == SWAPS, f"replaced-mid-call: hit the call {swaps.hit} times in {TRIES} tries")
        told = "nothing: each call answered as what had been called, each spawn behind it as what then was there"
        ran = f"at most {duration(swaps.slowest)}; replaced in the middle of {swaps.hit} calls"
        table.row("replaced-mid-call", told, ran)


class Swaps:
    def __init__(self, table: Table, world: World, trial: Trial, made: dict[str, Path], offset: float) -> None:
        self.table, self.world, self.trial, self.made, self.offset = table, world, trial, made, offset
        self.current, self.hit, self.slowest = "NEW", 0, 0.0

    def once(self) -> int:
        """One spawn with the file replaced meanwhile, and one behind it; answers how often the call was hit so far."""
        other = "OLD" if self.current == "NEW" else "NEW"
        argv = self.world.argv("--json", *self.trial.argv(), cwd=self.trial.root)
        started = time.time()
        running = subprocess.Popen(argv, env=self.world.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        time.sleep(max(0.0, started + self.offset - time.time()))
        put(self.made[other], self.trial.file("busy"))
        moment = time.time()
        report = json.loads(running.communicate(timeout=60)[0].splitlines()[0])
        self.judge(self.trial.seen("busy", report, moment - started), Call(self.world), started, moment, other)
        self.current = other
        return self.hit

    def judge(self, seen: Seen | None, call: Call, started: float, moment: float, other: str) -> None:
        inside = call.begin < moment < call.end
        self.hit, self.offset = self.hit + inside, call.middle - started
        wanted = [[self.current]] if inside else [[self.current], [other]]
        self.table.verdict.check(bool(seen) and seen.code is None and seen.picks in wanted,
                                 f"replaced-mid-call: expected one of {wanted}, seen {seen}")
        self.slowest = max(self.slowest, seen.elapsed if seen else 0.0)
        after = self.trial.spawn("busy")
        self.table.verdict.check(bool(after) and after.picks == [other],
                                 f"replaced-mid-call: {other} is in its place, and the next spawn says {after}")


SCENARIOS = {
    "state-quota": state_quota,
    "bit-flips": bit_flips,
    "changed-digest": changed_digest,
    "poisoned-cache": poisoned_cache,
    "replaced-mid-call": replaced_mid_call,
}
