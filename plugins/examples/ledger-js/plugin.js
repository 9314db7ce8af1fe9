// Tasks that touch billing get the ledger's invariants, and the label `billing`.
//
// A task touches billing by its tags, by the files that it names or its branch changes, or by its words: the first of
// these that holds is the reason. Which spec, words and folders that are is configured.
//
// Names of the contract (wit/context.wit) are in camelCase here. What a call of the host fails with is the `payload` of
// what it throws, and what this throws as `{ code, message }` is a failure of the plugin, told to the user. Anything else
// that is thrown would reach the user as a bare trap, without a word.

import { get as config } from "purepoint:context/config@0.1.1";
import { get as getSpec } from "purepoint:context/specs@0.1.1";

// As in manifest.json.
const DEFAULTS = {
  spec: "LEDGER",
  words: ["billing", "invoice", "refund"],
  folders: ["src/billing", "src/ledger"],
};

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
  const settings = { ...DEFAULTS, ...JSON.parse(config()) };
  const found = evidence(task, settings);
  if (found === undefined) {
    return { labels: [], picks: [], notes: [] };
  }
  const { certainty, reason } = found;
  const labels = [{ name: "billing", confidence: certainty }];
  const spec = findSpec(settings.spec);
  if (spec === undefined) {
    return { labels, picks: [], notes: [`there is no spec ${settings.spec}`] };
  }
  const pick = { spec: spec.id, section: undefined, score: certainty, reason, extra: [] };
  return { labels, picks: [pick], notes: [] };
}

// Why this is a task about billing, and how sure that is, from 0 to 1; the surest first.
function evidence(task, { words, folders }) {
  const isWord = (tag) => words.some((word) => word.toLowerCase() === tag.toLowerCase());
  const isInAFolder = (file) => folders.some((folder) => file.startsWith(folder.replace(/\/*$/, "/")));

  const tag = task.tags.find(isWord);
  if (tag !== undefined) return { certainty: 1.0, reason: `the task is tagged ${tag}` };

  const named = task.mentionedFiles.find(isInAFolder);
  if (named !== undefined) return { certainty: 0.9, reason: `the task names ${named}` };

  const changed = task.changedFiles.map(({ path }) => path).find(isInAFolder);
  if (changed !== undefined) return { certainty: 0.8, reason: `the branch changes ${changed}` };

  const prompt = task.prompt.toLowerCase();
  const word = words.find((word) => says(prompt, word.toLowerCase()));
  return word === undefined ? undefined : { certainty: 0.7, reason: `the task says ${word}` };
}

// Whether a word of the text is this one or begins with it: "invoice" is in "invoices", and not in "reinvoice".
function says(text, word) {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    // All beyond ASCII counts as letters: this engine is built without Unicode's classes (`\p{L}`).
    if (!/[a-z0-9\u0080-\uffff]$/.test(text.slice(0, at))) return true;
  }
  return false;
}

function findSpec(id) {
  try {
    return getSpec(id);
  } catch (error) {
    // No failure of the plugin: others can still use the label, and the user is told.
    if (error.payload?.code === "unknown_spec") return undefined;
    throw error;
  }
}
