"""Billing tasks get the ledger's invariants.

Names of the contract (wit/context.wit) are in snake_case here. What a call of the host fails with is the `value` of
the `Err` that it raises, and an `Err(types.Failure(code, message))` that this raises is told to the user. Anything else
that is raised would reach the user as a bare trap, without a word.
"""

import json

import wit_world
from componentize_py_types import Err
from wit_world.imports import config, specs
from wit_world.imports.types import Assembly, Failure, Pick, Task

# Words that make a task one about billing, where the user has configured none.
WORDS = ["billing", "invoice"]


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
    words = json.loads(config.get()).get("words", WORDS)
    prompt = task.prompt.lower()
    word = next((word for word in words if word in prompt), None)
    if word is None:
        return Assembly(labels=[], picks=[], notes=[])
    hits = specs.search(specs.Query(text="ledger invariants", fields=[], limit=1, extra=[]))
    reason = f'the task says "{word}"'
    picks = [Pick(spec=hit.spec.id, section=hit.section, score=0.9, reason=reason, extra=[]) for hit in hits]
    return Assembly(labels=[], picks=picks, notes=[])
