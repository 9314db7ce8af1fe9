// Tasks that touch billing get the ledger's invariants, and the label `billing`.
//
// A task touches billing by its tags, by the files that it names or its branch changes, or by its words: the first of
// these that holds is the reason. Which spec, words and folders that are is configured.
//
// Names of the contract (wit/context.wit) carry their package and interface here. What is answered is freed by the
// bindings, so it has to be on the heap. Every task is worked on in a fresh memory: what is left there goes with it.
//
// Other than in the examples in other languages, case is ASCII's alone: `É` and `é` are two letters here.

#include "assembler.h"
#include "config.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

// Why a task is one about billing; none if it has no certainty.
typedef struct {
  float certainty; // 0 to 1
  assembler_string_t reason;
} evidence_t;

// As in manifest.json.
static config_t defaults(void) {
  static assembler_string_t words[3], folders[2];
  words[0] = text_of("billing");
  words[1] = text_of("invoice");
  words[2] = text_of("refund");
  folders[0] = text_of("src/billing");
  folders[1] = text_of("src/ledger");
  return (config_t){
      .spec = text_of("LEDGER"),
      .words = {words, LENGTH(words)},
      .folders = {folders, LENGTH(folders)},
  };
}

static assembler_string_t joined(const char *before, assembler_string_t text) {
  size_t length = strlen(before);
  assembler_string_t out = {malloc(length + text.len), length + text.len};
  memcpy(out.ptr, before, length);
  memcpy(out.ptr + length, text.ptr, text.len);
  return out;
}

static bool begins_with(const uint8_t *text, const uint8_t *end, assembler_string_t word) {
  if ((size_t)(end - text) < word.len) return false;
  for (size_t i = 0; i < word.len; i++) {
    if (tolower(text[i]) != tolower(word.ptr[i])) return false;
  }
  return true;
}

// A byte of a letter beyond ASCII counts as one.
static bool is_alphanumeric(uint8_t c) { return c >= 0x80 || isalnum(c); }

// Whether a word of the text is this one or begins with it: "invoice" is in "invoices", and not in "reinvoice".
static bool says(assembler_string_t text, assembler_string_t word) {
  const uint8_t *end = text.ptr + text.len;
  for (const uint8_t *at = text.ptr; at < end; at++) {
    bool inside = at > text.ptr && is_alphanumeric(at[-1]);
    if (!inside && begins_with(at, end, word)) return true;
  }
  return false;
}

static bool is_word(assembler_string_t tag, const config_t *config) {
  for (size_t i = 0; i < config->words.len; i++) {
    assembler_string_t word = config->words.ptr[i];
    if (word.len == tag.len && begins_with(tag.ptr, tag.ptr + tag.len, word)) return true;
  }
  return false;
}

static bool is_in_a_folder(assembler_string_t file, const config_t *config) {
  for (size_t i = 0; i < config->folders.len; i++) {
    assembler_string_t folder = config->folders.ptr[i];
    while (folder.len > 0 && folder.ptr[folder.len - 1] == '/') folder.len--;
    bool longer = file.len > folder.len && file.ptr[folder.len] == '/';
    if (longer && memcmp(file.ptr, folder.ptr, folder.len) == 0) return true;
  }
  return false;
}

// The surest first.
static evidence_t evidence(const assembler_task_t *task, const config_t *config) {
  for (size_t i = 0; i < task->tags.len; i++) {
    assembler_string_t tag = task->tags.ptr[i];
    if (is_word(tag, config)) return (evidence_t){1.0f, joined("the task is tagged ", tag)};
  }
  for (size_t i = 0; i < task->mentioned_files.len; i++) {
    assembler_string_t file = task->mentioned_files.ptr[i];
    if (is_in_a_folder(file, config)) return (evidence_t){0.9f, joined("the task names ", file)};
  }
  for (size_t i = 0; i < task->changed_files.len; i++) {
    assembler_string_t file = task->changed_files.ptr[i].path;
    if (is_in_a_folder(file, config)) return (evidence_t){0.8f, joined("the branch changes ", file)};
  }
  for (size_t i = 0; i < config->words.len; i++) {
    assembler_string_t word = config->words.ptr[i];
    if (says(task->prompt, word)) return (evidence_t){0.7f, joined("the task says ", word)};
  }
  return (evidence_t){0};
}

static void label(assembler_assembly_t *assembly, float certainty) {
  assembly->labels.ptr = calloc(1, sizeof *assembly->labels.ptr);
  assembly->labels.len = 1;
  assembler_string_dup(&assembly->labels.ptr->name, "billing");
  assembly->labels.ptr->confidence = certainty;
}

static void pick(assembler_assembly_t *assembly, assembler_string_t spec, evidence_t found) {
  assembly->picks.ptr = calloc(1, sizeof *assembly->picks.ptr);
  assembly->picks.len = 1;
  assembly->picks.ptr->spec = spec;
  assembly->picks.ptr->score = found.certainty;
  assembly->picks.ptr->reason = found.reason;
}

static void note(assembler_assembly_t *assembly, assembler_string_t text) {
  assembly->notes.ptr = calloc(1, sizeof *assembly->notes.ptr);
  assembly->notes.len = 1;
  *assembly->notes.ptr = text;
}

bool exports_assembler_assemble(assembler_task_t *task, assembler_assembly_t *ret, assembler_failure_t *err) {
  memset(ret, 0, sizeof *ret);
  config_t config = defaults();
  if (!read_config(&config)) {
    assembler_string_dup(&err->code, "config_invalid");
    assembler_string_dup(&err->message, "the configuration cannot be read");
    return false;
  }
  evidence_t found = evidence(task, &config);
  if (found.certainty == 0) return true;

  label(ret, found.certainty);
  purepoint_context_types_spec_meta_t spec;
  if (purepoint_context_specs_get(&config.spec, &spec, err)) {
    pick(ret, spec.id, found);
    return true;
  }
  if (!is_text(err->code, "unknown_spec")) return false;
  // No failure of the plugin: others can still use the label, and the user is told.
  note(ret, joined("there is no spec ", config.spec));
  return true;
}
