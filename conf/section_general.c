/* SPDX-License-Identifier: Apache-2.0 */
/* version, environment, strict_models, response_headers. */
#include "conf/section.h"

enum environment { ENVIRONMENT_DEVELOPMENT, ENVIRONMENT_PRODUCTION };

static const struct span environments[] = {SPAN("development"), SPAN("production")};

/* The snapshot keeps a bool, so the word is read into a place of its own. */
struct environment_word {
    enum environment word;
};

static const struct field environment_field = {
    .name = "environment",
    .type = FIELD_WORD,
    .place = offsetof(struct environment_word, word),
    .words = environments,
    .words_count = ARRAY_LENGTH(environments),
};

static void read_environment(struct reader *reader, const struct node *node, void *object)
{
    struct environment_word read = {ENVIRONMENT_DEVELOPMENT};
    struct snapshot *snapshot = object;

    reader_value(reader, node, &environment_field, &read);
    snapshot->is_production = read.word == ENVIRONMENT_PRODUCTION;
}

/* Judged before anything else (load.c): other versions have other keys. */
static void read_version(struct reader *reader, const struct node *node, void *object)
{
    (void)reader;
    (void)node;
    (void)object;
}

static const struct field fields[] = {
    {.name = "version",
     .type = FIELD_CUSTOM,
     .read = read_version,
     .is_required = true,
     .help = "the version of the settings, always the first key: 1"},
    {.name = "environment",
     .type = FIELD_CUSTOM,
     .read = read_environment,
     .initial = "development",
     .help = "development or production; production refuses providers of kind fixtures"},
    {.name = "strict_models",
     .type = FIELD_BOOL,
     .place = offsetof(struct snapshot, routing.strict_models),
     .initial = "false",
     .help = "answer 404 to model names that no route has"},
    {.name = "response_headers",
     .type = FIELD_BOOL,
     .place = offsetof(struct snapshot, response_headers),
     .initial = "true",
     .help = "send our x-headgate-* response headers"},
};

const struct field_table section_general = FIELD_TABLE(fields);
