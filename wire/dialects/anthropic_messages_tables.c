/* SPDX-License-Identifier: Apache-2.0 */
/* The members and the words of the messages grammar as tables, and its row for translation. */
#include "wire/dialects/anthropic.h"
#include "wire/dialects/anthropic_messages.h"

#include "wire/json_walk.h"

static const struct chat_field rows[] = {
#define FIELDS(GROUP, where)
#define FIELDS_END(GROUP)
#define FIELD(GROUP, NAME, name, MARK, why) CHAT_FIELD(name, MARK),
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELD
#undef FIELDS_END
#undef FIELDS
};

/* Where an object's rows begin. */
enum {
#define FIELDS(GROUP, where) GROUP##_FIRST, GROUP##_AHEAD = GROUP##_FIRST - 1,
#define FIELDS_END(GROUP)
#define FIELD(GROUP, NAME, name, MARK, why) GROUP##_##NAME##_ROW,
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELD
#undef FIELDS_END
#undef FIELDS
};

static const struct chat_fields objects[] = {
#define FIELDS(GROUP, where) [MESSAGES_##GROUP] = {where, &rows[GROUP##_FIRST], GROUP##_FIELDS},
#define FIELDS_END(GROUP)
#define FIELD(GROUP, NAME, name, MARK, why)
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELD
#undef FIELDS_END
#undef FIELDS
};

void messages_take(struct chat *chat, enum messages_object object, struct span json, struct span *values)
{
    chat_take(chat, &objects[object], json, values);
}

void messages_take_next(struct chat *chat, enum messages_object object, struct json_walk *walk, struct span *values)
{
    (void)chat_take_next(chat, &objects[object], walk, values);
}

void messages_expect(struct chat *chat, enum messages_object object, struct span *values,
                     const struct chat_expected *expected, size_t count)
{
    chat_expect(chat, &objects[object], values, expected, count);
}

void messages_spare(struct chat *chat, enum messages_object object, const struct span *values, uint32_t used)
{
    chat_spare(chat, &objects[object], values, used);
}

/* `minimal` is none of Anthropic's: the nearest is low (translation.md 7). */
static const struct {
    enum chat_effort effort;
    struct span word;
} efforts[] = {
    {CHAT_EFFORT_LOW, SPAN("low")},     {CHAT_EFFORT_MEDIUM, SPAN("medium")}, {CHAT_EFFORT_HIGH, SPAN("high")},
    {CHAT_EFFORT_XHIGH, SPAN("xhigh")}, {CHAT_EFFORT_MAX, SPAN("max")},       {CHAT_EFFORT_MINIMAL, SPAN("low")},
};

enum chat_effort messages_effort_of(struct span string)
{
    for (size_t i = 0; i < ARRAY_LENGTH(efforts); i++) {
        if (span_equal(chat_inside(string), efforts[i].word)) {
            return efforts[i].effort;
        }
    }
    return CHAT_EFFORT_UNSAID;
}

struct span messages_effort_word(enum chat_effort effort)
{
    for (size_t i = 0; i < ARRAY_LENGTH(efforts); i++) {
        if (efforts[i].effort == effort) {
            return efforts[i].word;
        }
    }
    return span_make("", 0);
}

/* anthropic.md 5, translation.md 10. Of two rows with one meaning the first is written, of two with one word the
 * first is read. */
static const struct {
    enum chat_finish finish;
    struct span word;
} finishes[] = {
    {CHAT_FINISH_STOP, SPAN("end_turn")},
    {CHAT_FINISH_STOP_TEXT, SPAN("stop_sequence")},
    {CHAT_FINISH_LENGTH, SPAN("max_tokens")},
    {CHAT_FINISH_WINDOW, SPAN("model_context_window_exceeded")},
    {CHAT_FINISH_CALLS, SPAN("tool_use")},
    {CHAT_FINISH_FILTERED, SPAN("refusal")},
    {CHAT_FINISH_PAUSED, SPAN("pause_turn")},
    {CHAT_FINISH_PAUSED, SPAN("compaction")},
};

enum chat_finish messages_finish_of(struct span word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(finishes); i++) {
        if (span_equal(word, finishes[i].word)) {
            return finishes[i].finish;
        }
    }
    return CHAT_FINISH_UNKNOWN;
}

struct span messages_finish_word(enum chat_finish finish)
{
    for (size_t i = 0; i < ARRAY_LENGTH(finishes); i++) {
        if (finishes[i].finish == finish) {
            return finishes[i].word;
        }
    }
    return SPAN_OF("end_turn"); /* NONE, UNKNOWN */
}

const struct translator anthropic_messages_translator = {
    .read_request = messages_read_request,
    .write_request = messages_write_request,
    .read_answer = messages_read_answer,
    .write_answer = messages_write_answer,
    .reader_size = sizeof(struct messages_reader),
    .read_event = messages_read_event,
    .read_end = messages_read_end,
    .writer_size = sizeof(struct messages_writer),
    .write_event = messages_write_event,
    .end_writer = messages_end_writer,
};
