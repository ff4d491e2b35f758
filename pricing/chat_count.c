/* SPDX-License-Identifier: Apache-2.0 */
#include "pricing/chat_count.h"

#include "base/must.h"
#include "pricing/chat_parts.h"
#include "wire/json_walk.h"
#include "wire/json_value.h"

enum {
    PERMILLE = 1000,
    SCRATCH_MAX =
        256 * 1024 * 1024,      /* above every body; decoded text is no longer than its string */
    SCRATCH_KEPT = 1024 * 1024, /* from one request to the next */
    SUFFIX_SLACK = 4,           /* what stands between the prompt and its suffix */
    CUT_SLACK = 2,              /* tokens: see bpe_room_cuts */
    SEALED_PER_TOKEN = 6        /* four bytes of text, in base64 */
};

bool count_shape_of(const char *operation, enum count_shape *shape)
{
    static const struct {
        struct span name;
        enum count_shape shape;
    } rows[] = {
        {SPAN("chat"), COUNT_CHAT},
        {SPAN("responses"), COUNT_RESPONSES},
        {SPAN("completions"), COUNT_COMPLETIONS},
        {SPAN("embeddings"), COUNT_EMBEDDINGS},
        {SPAN("messages"), COUNT_MESSAGES},
        {SPAN("generate_content"), COUNT_GENERATE},
        {SPAN("embed_content"), COUNT_EMBED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (span_equal(rows[i].name, span_of(operation))) {
            *shape = rows[i].shape;
            return true;
        }
    }
    return false;
}

void chat_counter_init(struct chat_counter *counter, const struct bpe *cl100k,
                       const struct bpe *o200k, struct bpe_room *room)
{
    *counter = (struct chat_counter){.room = room};
    counter->tables[BPE_CL100K] = cl100k;
    counter->tables[BPE_O200K] = o200k;
    buf_init(&counter->scratch, SCRATCH_MAX);
}

void chat_counter_fini(struct chat_counter *counter)
{
    buf_fini(&counter->scratch);
}

struct buf *counting_scratch(struct counting *counting)
{
    /* A failure must stay seen: only what is whole is begun anew. */
    if (!counting->counter->scratch.failed) {
        buf_clear(&counting->counter->scratch);
    }
    return &counting->counter->scratch;
}

void counting_text(struct counting *counting, struct span text)
{
    const struct chat_counter *counter = counting->counter;
    const struct bpe *table = counter->tables[counting->family.bpe];

    if (table != NULL) {
        counting->texts += bpe_count(table, counter->room, text);
    }
}

void counting_string(struct counting *counting, struct span value, const char *suffix)
{
    struct buf *scratch = NULL;

    if (!json_is_string(value)) {
        return;
    }
    if (*suffix == '\0' && json_string_is_plain(value)) {
        counting_text(counting, span_make(value.at + 1, value.len - 2));
        return;
    }
    scratch = counting_scratch(counting);
    json_string_decode(value, scratch);
    buf_put_text(scratch, suffix);
    counting_text(counting, buf_span(scratch));
}

void counting_json(struct counting *counting, struct span value)
{
    uint64_t before = counting->texts;

    counting_text(counting, value);
    counting->slack += (counting->texts - before) / 4;
}

void counting_sealed(struct counting *counting, struct span value)
{
    if (json_is_string(value)) {
        counting->frame += value.len / SEALED_PER_TOKEN;
        counting->slack += value.len;
    }
}

void counting_picture(struct counting *counting, struct span data)
{
    counting->media++;
    counting->pictures++;
    counting->picture_bytes += data.len;
}

/* Texts, or tokens that are counted already; one of them or a list. Providers add nothing. */
static void count_input(struct counting *counting, struct span input, bool is_nested)
{
    struct json_walk walk = json_walk_of(input);
    struct span item;

    counting_string(counting, input, "");
    if (!json_is_array(input)) {
        return;
    }
    while (json_walk_item(&walk, &item)) {
        if (json_is_array(item) && !is_nested) {
            count_input(counting, item, true);
        } else if (json_is_string(item)) {
            counting_string(counting, item, "");
        } else if (item.at[0] >= '0' && item.at[0] <= '9') {
            counting->frame++;
        }
    }
}

static void count_body(struct counting *counting, enum count_shape shape, struct span body)
{
    switch (shape) {
    case COUNT_CHAT: count_chat(counting, body); break;
    case COUNT_RESPONSES: count_responses(counting, body); break;
    case COUNT_MESSAGES: count_messages(counting, body); break;
    case COUNT_GENERATE: count_generate(counting, body); break;
    case COUNT_EMBED: count_embed(counting, body); break;
    case COUNT_COMPLETIONS:
        count_input(counting, json_walk_find(body, "prompt"), false);
        if (json_is_string(json_walk_find(body, "suffix"))) {
            counting_string(counting, json_walk_find(body, "suffix"), "");
            counting->slack += SUFFIX_SLACK;
        }
        break;
    case COUNT_EMBEDDINGS: count_input(counting, json_walk_find(body, "input"), false); break;
    }
}

static void conclude(const struct counting *counting, struct chat_count *count)
{
    uint64_t error = counting->family.error_permille;

    count->tokens = family_tokens(&counting->family, counting->texts) + counting->frame;
    count->media = counting->media;
    count->pictures = counting->pictures;
    count->picture_bytes = counting->picture_bytes;
    count->is_elsewhere = counting->is_elsewhere;
    if (counting->slack > 0) {
        error += (counting->slack * PERMILLE + count->tokens) / (count->tokens + 1);
    }
    if (counting->is_elsewhere || error > PERMILLE) {
        error = PERMILLE;
    }
    count->error_permille = (uint32_t)error;
    count->is_exact = error == 0 && count->media == 0;
}

enum err chat_count(struct chat_counter *counter, enum count_shape shape, struct span model,
                    struct span body, struct chat_count *count)
{
    struct counting counting = {.counter = counter, .family = family_of(model)};
    bool is_missing = counter->tables[counting.family.bpe] == NULL;
    uint64_t cuts = is_missing ? 0 : bpe_room_cuts(counter->room);
    bool has_failed = false;

    count_body(&counting, shape, json_walk_document(body));
    if (!is_missing) {
        counting.slack += (bpe_room_cuts(counter->room) - cuts) * CUT_SLACK;
    }
    has_failed = counter->scratch.failed;
    if (has_failed || counter->scratch.cap > SCRATCH_KEPT) {
        buf_fini(&counter->scratch);
    }
    if (has_failed) {
        return ERR_MEMORY;
    }
    conclude(&counting, count);
    return is_missing ? ERR_MISSING : ERR_NONE;
}
