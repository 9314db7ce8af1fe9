"""Tasks that touch billing get the ledger's invariants, and the label `billing`.

A task touches billing by its tags, by the files that it names or its branch changes, or by its words: the first of
these that holds is the reason. Which spec, words and folders that are is configured.

Names of the contract (wit/context.wit) are in snake_case here. What a call of the host fails with is the `value` of
the `Err` that it raises, and an `Err(types.Failure(code, message))` that this raises is told to the user. Anything else
that is raised would reach the user as a bare trap, without a word.
"""

import json
import re

import wit_world
from componentize_py_types import Err
from wit_world.imports import config, specs
from wit_world.imports.types import Assembly, Failure, Label, Pick, SpecMeta, Task

# As in manifest.json.
DEFAULTS = {
    "spec": "LEDGER",
    "words": ["billing", "invoice", "refund"],
    "folders": ["src/billing", "src/ledger"],
}


class WitWorld(wit_world.WitWorld):
    def assemble(self, task: Task) -> Assembly:
        try:
            return answer(task)
        except Err:
            raise
        except Exception as error:
            raise failure(error)


def failure(error: Exception) -> Err:
    place = error.__traceback__
    while place.tb_next is not None:
        place = place.tb_next
    return Err(Failure("exception", f"{type(error).__name__}: {error} (line {place.tb_lineno})"))


def answer(task: Task) -> Assembly:
    settings = DEFAULTS | json.loads(config.get())
    found = evidence(task, settings["words"], settings["folders"])
    if found is None:
        return Assembly(labels=[], picks=[], notes=[])
    certainty, reason = found
    labels = [Label(name="billing", confidence=certainty)]
    spec = find_spec(settings["spec"])
    if spec is None:
        return Assembly(labels=labels, picks=[], notes=[f"there is no spec {settings['spec']}"])
    pick = Pick(spec=spec.id, section=None, score=certainty, reason=reason, extra=[])
    return Assembly(labels=labels, picks=[pick], notes=[])


def evidence(task: Task, words: list[str], folders: list[str]) -> tuple[float, str] | None:
    """How sure it is that this is a task about billing, from 0 to 1, and why; the surest first."""
    lower = [word.lower() for word in words]
    inside = tuple(folder.rstrip("/") + "/" for folder in folders)

    for tag in task.tags:
        if tag.lower() in lower:
            return 1.0, f"the task is tagged {tag}"
    for path in task.mentioned_files:
        if path.startswith(inside):
            return 0.9, f"the task names {path}"
    for changed in task.changed_files:
        if changed.path.startswith(inside):
            return 0.8, f"the branch changes {changed.path}"
    prompt = task.prompt.lower()
    for word in words:
        if says(prompt, word.lower()):
            return 0.7, f"the task says {word}"
    return None


def says(text: str, word: str) -> bool:
    """Whether a word of the text is this one or begins with it: `invoice` is in `invoices`, and not in `reinvoice`."""
    return re.search(r"(?<![^\W_])" + re.escape(word), text) is not None


def find_spec(name: str) -> SpecMeta | None:
    try:
        return specs.get(name)
    except Err as error:
        # No failure of the plugin: others can still use the label, and the user is told.
        if error.value.code == "unknown_spec":
            return None
        raise
