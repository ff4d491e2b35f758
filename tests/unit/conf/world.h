/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of conf share: variables and files from a table, loading of a text, and the claim
 * that a text is refused with these words at this place. Include after cmocka.h. */
#ifndef TESTS_UNIT_CONF_WORLD_H
#define TESTS_UNIT_CONF_WORLD_H

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conf/load.h"

enum { FAKES_MAX = 24 };

struct fake_world {
    struct {
        const char *name;
        const char *value;
    } variables[FAKES_MAX];
    struct {
        const char *path;
        struct span content;
    } files[FAKES_MAX];
};

static inline struct span fake_variable(void *to, struct span name)
{
    const struct fake_world *fake = to;

    for (size_t i = 0; i < FAKES_MAX && fake->variables[i].name != NULL; i++) {
        if (span_equal(span_of(fake->variables[i].name), name)) {
            return span_of(fake->variables[i].value);
        }
    }
    return span_make(NULL, 0);
}

static inline enum err fake_file(void *to, struct span path, struct buf *out, struct why *why)
{
    const struct fake_world *fake = to;

    for (size_t i = 0; i < FAKES_MAX && fake->files[i].path != NULL; i++) {
        if (span_equal(span_of(fake->files[i].path), path)) {
            if (fake->files[i].content.len > out->max) {
                why_set(why, "too large");
                return ERR_CEILING;
            }
            buf_put(out, fake->files[i].content);
            return out->failed ? ERR_MEMORY : ERR_NONE;
        }
    }
    why_set(why, "no such file");
    return ERR_MISSING;
}

/* A world in which the two usual keys are set. */
static const struct fake_world usual_world = {
    .variables = {{"OPENAI_API_KEY", "sk-test-openai-0001"},
                  {"ANTHROPIC_API_KEY", "sk-test-anthropic-0002"}},
};

static inline struct conf_world world_of(const struct fake_world *fake)
{
    return (struct conf_world){
        .variable = fake_variable, .file = fake_file, .to = (void *)(uintptr_t)fake};
}

/* Prints what was complained of into a static buffer. */
static inline const char *printed(const struct complaints *complaints, const char *text)
{
    static char shown[32 * 1024];
    struct buf out;

    buf_init(&out, sizeof shown - 1);
    complaints_print(complaints, SPAN_OF("test.yaml"), span_of(text), &out);
    assert_false(out.failed);
    memcpy(shown, out.len == 0 ? "" : out.at, out.len);
    shown[out.len] = '\0';
    buf_fini(&out);
    return shown;
}

/* The snapshot of a text that must be good. */
static inline struct snapshot *load_in(const struct fake_world *fake, const char *text)
{
    struct conf_world world = world_of(fake);
    struct complaints complaints;
    struct snapshot *snapshot = NULL;

    if (conf_load(SPAN_OF("test.yaml"), span_of(text), &world, &complaints, &snapshot) !=
        ERR_NONE) {
        fail_msg("refused:\n%s\n%s", text, printed(&complaints, text));
    }
    assert_non_null(snapshot);
    return snapshot;
}

static inline struct snapshot *load_good(const char *text)
{
    return load_in(&usual_world, text);
}

/* The text must be refused; what is printed must hold each of the words (NULL ends them). */
static inline void refuse_in(const struct fake_world *fake, const char *text,
                             const char *const *words)
{
    struct conf_world world = world_of(fake);
    struct complaints complaints;
    struct snapshot *snapshot = NULL;
    enum err err = conf_load(SPAN_OF("test.yaml"), span_of(text), &world, &complaints, &snapshot);

    if (err != ERR_CONFIG || snapshot != NULL || complaints.count == 0) {
        fail_msg("not refused:\n%s", text);
    }
    for (; *words != NULL; words++) {
        if (strstr(printed(&complaints, text), *words) == NULL) {
            fail_msg("not said: %s\n%s\n%s", *words, text, printed(&complaints, text));
        }
    }
    assert_int_equal(mem_held(), 0);
}

#define REFUSE_IN(fake, text, ...) refuse_in(fake, text, (const char *const[]){__VA_ARGS__, NULL})
#define REFUSE(text, ...)          REFUSE_IN(&usual_world, text, __VA_ARGS__)

static inline void assert_span(struct span actual, const char *expected)
{
    if (!span_equal(actual, span_of(expected))) {
        fail_msg("%.*s is not %s", SPAN_ARGS(actual), expected);
    }
}

#endif
