// Billing tasks get the ledger's invariants.
//
// Names of the contract (wit/context.wit) are in camelCase here. What a call of the host can fail with is thrown, and
// what this throws as `{ code, message }` is a failure of the plugin, told to the user.

import { get as config } from "purepoint:context/config@0.1.0";
import { search } from "purepoint:context/specs@0.1.0";

// Words that make a task one about billing, where the user has configured none.
const WORDS = ["billing", "invoice"];

export function assemble(task) {
  const { words = WORDS } = JSON.parse(config());
  const prompt = task.prompt.toLowerCase();
  const word = words.find((word) => prompt.includes(word));
  if (word === undefined) {
    return { labels: [], picks: [], notes: [] };
  }
  const hits = search({ text: "ledger invariants", fields: [], limit: 1, extra: [] });
  const picks = hits.map((hit) => ({
    spec: hit.spec.id,
    section: hit.section,
    score: 0.9,
    reason: `the task says "${word}"`,
    extra: [],
  }));
  return { labels: [], picks, notes: [] };
}
