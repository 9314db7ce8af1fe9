// Billing tasks get the ledger's invariants.
//
// Names of the contract (wit/context.wit) are in camelCase here. What a call of the host fails with is the `payload` of
// what it throws, and what this throws as `{ code, message }` is a failure of the plugin, told to the user. Anything else
// that is thrown would reach the user as a bare trap, without a word.

import { get as config } from "purepoint:context/config@0.1.1";
import { search } from "purepoint:context/specs@0.1.1";

// Words that make a task one about billing, where the user has configured none.
const WORDS = ["billing", "invoice"];

export function assemble(task) {
  try {
    return answer(task);
  } catch (error) {
    throw failure(error);
  }
}

function failure(error) {
  if (!(error instanceof Error)) return error;
  const [place] = (error.stack ?? "").split("\n");
  return error.payload ?? { code: "exception", message: `${error} (${place})` };
}

function answer(task) {
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
