"""Billing tasks get the ledger's invariants.

Names of the contract (wit/context.wit) are in snake_case here. What a call of the host can fail with is raised as
`componentize_py_types.Err`, and what this raises as `Err(types.Failure(code, message))` is told to the user.
"""

import json

import wit_world
from wit_world.imports import config, specs
from wit_world.imports.types import Assembly, Pick, Task

# Words that make a task one about billing, where the user has configured none.
WORDS = ["billing", "invoice"]


class WitWorld(wit_world.WitWorld):
    def assemble(self, task: Task) -> Assembly:
        words = json.loads(config.get()).get("words", WORDS)
        prompt = task.prompt.lower()
        word = next((word for word in words if word in prompt), None)
        if word is None:
            return Assembly(labels=[], picks=[], notes=[])
        hits = specs.search(specs.Query(text="ledger invariants", fields=[], limit=1, extra=[]))
        reason = f'the task says "{word}"'
        picks = [Pick(spec=hit.spec.id, section=hit.section, score=0.9, reason=reason, extra=[]) for hit in hits]
        return Assembly(labels=[], picks=picks, notes=[])
