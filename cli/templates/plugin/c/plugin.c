// Billing tasks get the ledger's invariants.
//
// Names of the contract (wit/context.wit) carry their package and interface here. What is answered is freed by the
// bindings, so it has to be on the heap. Every task is worked on in a fresh memory: what is left there goes with it.

#include "assembler.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const WORDS[] = {"billing", "invoice"};

// The first of WORDS that the text has, in any case; NULL if it has none.
static const char *word_of(const assembler_string_t *text) {
  for (size_t w = 0; w < sizeof WORDS / sizeof *WORDS; w++) {
    size_t length = strlen(WORDS[w]);
    for (size_t at = 0; at + length <= text->len; at++) {
      size_t same = 0;
      while (same < length && tolower(text->ptr[at + same]) == WORDS[w][same]) same++;
      if (same == length) return WORDS[w];
    }
  }
  return NULL;
}

static void reason_of(const char *word, assembler_string_t *reason) {
  char text[64] = "the task says ";
  strncat(text, word, sizeof text - strlen(text) - 1);
  assembler_string_dup(reason, text);
}

bool exports_assembler_assemble(assembler_task_t *task, assembler_assembly_t *ret, assembler_failure_t *err) {
  memset(ret, 0, sizeof *ret);
  const char *word = word_of(&task->prompt);
  if (word == NULL) return true;

  purepoint_context_specs_query_t query = {.limit = 1};
  assembler_string_set(&query.text, "ledger invariants");
  purepoint_context_specs_list_hit_t hits;
  if (!purepoint_context_specs_search(&query, &hits, err)) return false;

  ret->picks.ptr = calloc(hits.len, sizeof *ret->picks.ptr);
  ret->picks.len = hits.len;
  for (size_t i = 0; i < hits.len; i++) {
    purepoint_context_types_pick_t *pick = &ret->picks.ptr[i];
    pick->spec = hits.ptr[i].spec.id;
    pick->section = hits.ptr[i].section;
    pick->score = 0.9f;
    reason_of(word, &pick->reason);
  }
  return true;
}
