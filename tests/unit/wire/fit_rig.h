/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation in the hub form, made by hand, fitted, and told again in one line. */
#ifndef TESTS_UNIT_WIRE_FIT_RIG_H
#define TESTS_UNIT_WIRE_FIT_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/dialect.h"
#include "wire/fit.h"
#include "wire/habits.h"
#include "wire/models.h"

struct rig {
    struct arena arena;
    struct buf told;
    struct chat chat;
    struct chat_target target;
    struct fit_terms terms;
};

static const struct operation rig_operations[] = {
    {.name = "chat"}, {.name = "responses"}, {.name = "messages"}, {.name = "generate"}};
enum { CHAT, RESPONSES, MESSAGES, GENERATE };

/* From an app of one grammar to a model at a provider of another. */
static void rig_init(struct rig *rig, int from, int to, const char *model)
{
    static const char *const dialects[] = {"openai", "openai", "anthropic", "gemini"};

    *rig = (struct rig){.terms = {.from = &rig_operations[from]}};
    arena_init(&rig->arena, 64u << 20);
    buf_init(&rig->told, 1u << 20);
    chat_init(&rig->chat, &rig->arena, NULL, false);
    rig->target = (struct chat_target){.operation = &rig_operations[to],
                                       .model = model_facts_of(dialects[to], span_of(model))};
    rig->chat.target = &rig->target;
}

static void rig_fini(struct rig *rig)
{
    arena_fini(&rig->arena);
    buf_fini(&rig->told);
}

/* `string` with its quotes. */
static inline void rig_say(struct rig *rig, enum chat_role role, const char *string)
{
    struct chat_part *part = chat_add_part(&rig->chat, chat_turn(&rig->chat, role), CHAT_TEXT);

    part->text = span_of(string);
}

static inline void rig_call(struct rig *rig, const char *id, const char *name)
{
    struct chat_part *part = chat_add_part(&rig->chat, chat_turn(&rig->chat, CHAT_MODEL), CHAT_CALL);

    part->id = span_of(id);
    part->name = span_of(name);
    part->input = SPAN_OF("{}");
}

static inline struct chat_part *rig_result(struct rig *rig, const char *id, const char *string)
{
    struct chat_part *part = chat_add_part(&rig->chat, chat_turn(&rig->chat, CHAT_USER), CHAT_RESULT);

    part->id = span_of(id);
    chat_add_inner(&rig->chat, part, CHAT_TEXT)->text = span_of(string);
    return part;
}

static inline struct chat_tool *rig_tool(struct rig *rig, const char *name)
{
    struct chat_tool *tool = chat_add_tool(&rig->chat);

    tool->name = span_of(name);
    tool->schema = SPAN_OF("{\"type\":\"object\",\"properties\":{}}");
    return tool;
}

static inline void rig_put(struct buf *out, struct span bytes)
{
    buf_put(out, bytes);
}

/* "user: hi, result 1 ok; model: call 1": strings without their quotes. */
static inline const char *rig_turns(struct rig *rig)
{
    static const char *const roles[] = {"system", "user", "model"};
    static const char *const kinds[] = {"", "image", "document", "audio", "call ", "result "};

    buf_clear(&rig->told);
    for (const struct chat_turn *turn = rig->chat.turns; turn != NULL; turn = turn->next) {
        buf_put_text(&rig->told, turn == rig->chat.turns ? "" : "; ");
        buf_put_text(&rig->told, roles[turn->role]);
        for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            buf_put_text(&rig->told, part == turn->parts ? ": " : ", ");
            buf_put_text(&rig->told, kinds[part->kind]);
            rig_put(&rig->told, chat_inside(part->kind == CHAT_TEXT ? part->text : part->id));
            for (const struct chat_part *in = part->inner; in != NULL; in = in->next) {
                buf_put_text(&rig->told, " ");
                rig_put(&rig->told, in->kind == CHAT_TEXT ? chat_inside(in->text) : SPAN_OF("image"));
            }
        }
    }
    buf_put_char(&rig->told, '\0');
    return rig->told.at;
}

/* "seed, temperature=changed", or "refused stop". */
static inline const char *rig_lost(struct rig *rig)
{
    buf_clear(&rig->told);
    if (chat_is_refused(&rig->chat)) {
        assert_non_null(rig->chat.refused.why);
        buf_put_text(&rig->told, "refused ");
        buf_put_text(&rig->told, rig->chat.refused.param);
    } else {
        for (const struct chat_dropped *at = rig->chat.dropped; at != NULL; at = at->next) {
            buf_put_text(&rig->told, at == rig->chat.dropped ? "" : ", ");
            rig_put(&rig->told, at->name);
            buf_put_text(&rig->told, at->is_changed ? "=changed" : "");
        }
    }
    buf_put_char(&rig->told, '\0');
    return rig->told.at;
}

/* Fits, and looks at what is lost by it. */
static inline void rig_fit(struct rig *rig, const char *lost)
{
    chat_finish(&rig->chat);
    fit_chat(&rig->chat, &rig->terms);
    assert_false(rig->arena.failed);
    assert_string_equal(rig_lost(rig), lost);
}

#define assert_span_equal(span, text)                                                                                  \
    do {                                                                                                               \
        assert_int_equal((span).len, strlen(text));                                                                    \
        assert_memory_equal((span).at, text, strlen(text));                                                            \
    } while (0)

#endif
