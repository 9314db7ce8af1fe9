// What the user configured: an object of strings and lists of strings.
//
// The host holds the configuration against the schema in manifest.json before it calls the plugin, so this reads what that
// allows and refuses the rest. It is no parser of all of JSON.

#pragma once

#include "assembler.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  assembler_string_t spec;
  assembler_list_string_t words;
  assembler_list_string_t folders;
} config_t;

// What is left of a text.
typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} rest_t;

static assembler_string_t text_of(const char *text) {
  assembler_string_t string;
  assembler_string_set(&string, text);
  return string;
}

static bool is_text(assembler_string_t string, const char *text) {
  return string.len == strlen(text) && memcmp(string.ptr, text, string.len) == 0;
}

// Passes over blanks, and then over this character if it comes.
static bool takes(rest_t *rest, char c) {
  while (rest->at < rest->end && strchr(" \t\r\n", *rest->at) != NULL) rest->at++;
  if (rest->at == rest->end || *rest->at != c) return false;
  rest->at++;
  return true;
}

// The character behind a backslash. Of \u the host writes only control characters, the others as they are.
static bool read_escape(rest_t *rest, uint8_t *out) {
  if (rest->at == rest->end) return false;
  uint8_t c = *rest->at++;
  const char *plain = "\"\\/bfnrt", *found = strchr(plain, c);
  if (c != '\0' && found != NULL) {
    *out = (uint8_t)"\"\\/\b\f\n\r\t"[found - plain];
    return true;
  }
  if (c != 'u' || rest->end - rest->at < 4) return false;
  char digits[5] = {0}, *stopped;
  memcpy(digits, rest->at, 4);
  unsigned long code = strtoul(digits, &stopped, 16);
  rest->at += 4;
  *out = (uint8_t)code;
  return stopped == digits + 4 && code < 0x80;
}

static bool read_string(rest_t *rest, assembler_string_t *out) {
  if (!takes(rest, '"')) return false;
  // It gets no longer by being unescaped.
  out->ptr = malloc((size_t)(rest->end - rest->at) + 1);
  out->len = 0;
  while (rest->at < rest->end && *rest->at != '"') {
    uint8_t c = *rest->at++;
    if (c == '\\' && !read_escape(rest, &c)) return false;
    out->ptr[out->len++] = c;
  }
  return takes(rest, '"');
}

static bool read_list(rest_t *rest, assembler_list_string_t *out) {
  *out = (assembler_list_string_t){0};
  if (!takes(rest, '[')) return false;
  if (takes(rest, ']')) return true;
  do {
    out->ptr = realloc(out->ptr, (out->len + 1) * sizeof *out->ptr);
    if (!read_string(rest, &out->ptr[out->len++])) return false;
  } while (takes(rest, ','));
  return takes(rest, ']');
}

static bool read_entry(rest_t *rest, config_t *config) {
  assembler_string_t key;
  if (!read_string(rest, &key) || !takes(rest, ':')) return false;
  if (is_text(key, "spec")) return read_string(rest, &config->spec);
  if (is_text(key, "words")) return read_list(rest, &config->words);
  if (is_text(key, "folders")) return read_list(rest, &config->folders);
  return false;
}

// Reads into `config` what was configured; the rest of it stays as it is.
static bool read_config(config_t *config) {
  assembler_string_t json;
  purepoint_context_config_get(&json);
  rest_t rest = {json.ptr, json.ptr + json.len};
  if (!takes(&rest, '{')) return false;
  if (takes(&rest, '}')) return true;
  do {
    if (!read_entry(&rest, config)) return false;
  } while (takes(&rest, ','));
  return takes(&rest, '}');
}
