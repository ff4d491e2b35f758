/* SPDX-License-Identifier: Apache-2.0 */
/* There and back: what a request of the golden files is after one way there and back, it is after the next; and the
 * figures that an app reads in a told answer or stream are those that the provider told. */
#include "translate_golden.h"

#include <stdlib.h>

enum { OUT_MAX = 1 << 22 };

static const char *const side_names[] = {"chat", "responses", "messages", "generate"};

/* Told without a word lost or refused; false: it was not. */
static bool tell(const struct rig_side *from, const struct rig_side *to, struct json_scan *scan, struct span body,
                 struct buf *out)
{
    struct translation *translation = rig_translate(from, to, to->model, NULL, false, scan, body);
    bool is_told = translation_refused(translation)->param == NULL && translation_dropped(translation).len == 0;

    buf_put(out, translation_body(translation));
    translation_free(translation);
    return is_told;
}

/* Responses take a tool for strict that does not say otherwise; elsewhere it is the other way round. */
static void forget_default(struct buf *body)
{
    static const struct span said = SPAN(",\"strict\":false");
    const char *at = NULL;

    while ((at = span_find(buf_span(body), said)) != NULL) {
        size_t from = (size_t)(at - body->at);

        memmove(body->at + from, body->at + from + said.len, body->len - from - said.len);
        body->len -= said.len;
    }
}

static unsigned tried;

/* To the other side and back: nothing got lost. */
static bool go_round(const struct rig_side *from, const struct rig_side *to, struct json_scan *scan, struct span body,
                     struct buf *there, struct buf *back)
{
    buf_clear(there);
    buf_clear(back);
    return tell(from, to, scan, body, there) && tell(to, from, scan, buf_span(there), back);
}

/* The first way there may put things together (two texts of an assistant are one string in a chat completion); what
 * comes of it goes round as it is. */
static void there_and_back(const char *name, const struct rig_side *from, const struct rig_side *to,
                           struct json_scan *scan, struct span body)
{
    struct buf there, back, again, end;

    buf_init(&there, OUT_MAX);
    buf_init(&back, OUT_MAX);
    buf_init(&again, OUT_MAX);
    buf_init(&end, OUT_MAX);
    if (go_round(from, to, scan, body, &there, &back)) {
        (void)go_round(from, to, scan, buf_span(&back), &again, &end);
        tried++;
        forget_default(&back);
        forget_default(&end);
        if (!span_equal(buf_span(&back), buf_span(&end))) {
            fail_msg("%s: %s to %s and back:\n%.*s\n%.*s\n%.*s", name, from->name, to->name, (int)back.len, back.at,
                     (int)again.len, again.at, (int)end.len, end.at);
        }
    }
    buf_fini(&there);
    buf_fini(&back);
    buf_fini(&again);
    buf_fini(&end);
}

/* ---- names in other spellings ---- */

/* The first letter of each name as an escape: the same JSON. */
static void respell(struct span body, struct buf *out)
{
    for (size_t i = 0; i < body.len; i++) {
        size_t end = i + 1;

        if (body.at[i] != '"') {
            buf_put_char(out, body.at[i]);
            continue;
        }
        while (body.at[end] != '"') {
            end += body.at[end] == '\\' ? 2 : 1;
        }
        if (body.at[end + 1] == ':' && body.at[i + 1] >= 'A' && body.at[i + 1] <= 'z' && body.at[i + 1] != '\\') {
            char escape[8];

            (void)snprintf(escape, sizeof escape, "\"\\u%04x", (unsigned)body.at[i + 1]);
            buf_put_text(out, escape);
            i += 2;
        }
        buf_put(out, span_make(body.at + i, end + 1 - i));
        i = end;
    }
}

/* What such an escape stands for, in JSON within JSON as well. */
static void spell_out(struct span text, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < text.len; i++) {
        size_t from = i;
        char hex[5] = "";

        while (i < text.len && text.at[i] == '\\') {
            i++;
        }
        if (i > from && i + 5 <= text.len && text.at[i] == 'u') {
            memcpy(hex, text.at + i + 1, 4);
        }
        if (strtoul(hex, NULL, 16) >= 'A' && strtoul(hex, NULL, 16) <= 'z') {
            buf_put_char(out, (char)strtoul(hex, NULL, 16));
            i += 4;
        } else {
            i = from;
            buf_put_char(out, text.at[i]);
        }
    }
}

static void spelled_as_well(const char *name, const struct rig_side *from, const struct rig_side *to,
                            struct json_scan *scan, struct span body)
{
    struct buf other, plain, told;
    struct translation *one = rig_translate(from, to, to->model, NULL, false, scan, body);
    struct translation *two = NULL;
    const char *param = NULL;
    const char *other_param = NULL;

    buf_init(&other, OUT_MAX);
    buf_init(&plain, OUT_MAX);
    buf_init(&told, OUT_MAX);
    respell(body, &other);
    two = rig_translate(from, to, to->model, NULL, false, scan, buf_span(&other));
    param = translation_refused(one)->param == NULL ? "" : translation_refused(one)->param;
    other_param = translation_refused(two)->param == NULL ? "" : translation_refused(two)->param;
    spell_out(translation_body(one), &plain);
    spell_out(translation_body(two), &told);
    if (strcmp(param, other_param) != 0 || !span_equal(translation_dropped(one), translation_dropped(two)) ||
        !span_equal(buf_span(&plain), buf_span(&told))) {
        fail_msg("%s: %s to %s, names escaped: %.*s\n%s: %.*s\n%s: %.*s\n%.*s\n%.*s", name, from->name, to->name,
                 (int)other.len, other.at, param, SPAN_ARGS(translation_dropped(one)), other_param,
                 SPAN_ARGS(translation_dropped(two)), (int)plain.len, plain.at, (int)told.len, told.at);
    }
    tried++;
    translation_free(one);
    translation_free(two);
    buf_fini(&other);
    buf_fini(&plain);
    buf_fini(&told);
}

/* ---- all of them ---- */

typedef void way_fn(const char *name, const struct rig_side *from, const struct rig_side *to, struct json_scan *scan,
                    struct span body);

static void each_request(const char *name, way_fn *go)
{
    struct block blocks[BLOCKS_MAX];
    struct json_scan *scan = NULL;
    char path[200];
    struct buf text;
    size_t count = 0;

    scan = json_scan_new();
    (void)snprintf(path, sizeof path, "translate/%s", name);
    text = data_read(path);
    count = read_blocks(buf_span(&text), blocks);
    for (size_t i = 0; i < count; i++) {
        struct span head = blocks[i].head;

        if (is_headed(&head, "request")) {
            struct rig_side from = side_named(head);

            for (size_t k = 0; k < ARRAY_LENGTH(side_names); k++) {
                struct rig_side to = rig_side_of(side_names[k]);

                if (to.dialect != from.dialect) {
                    go(name, &from, &to, scan, blocks[i].text);
                }
            }
        }
    }
    buf_fini(&text);
    json_scan_free(scan);
}

static void there_and_back_of(const char *name)
{
    if (strcmp(name, "effort.golden") != 0) { /* efforts as budgets, and back, are two tables of their own (translation.md 7) */
        each_request(name, there_and_back);
    }
}

static void requests__come_back_as_they_went(void **state)
{
    (void)state;
    tried = 0;
    golden_each(NULL, there_and_back_of);
    assert_true(tried > 80);
}

static void spelled_as_well_of(const char *name)
{
    each_request(name, spelled_as_well);
}

static void requests__are_the_same_however_names_are_spelled(void **state)
{
    (void)state;
    tried = 0;
    golden_each(NULL, spelled_as_well_of);
    assert_true(tried > 200);
}

/* ---- figures ---- */

static void read_usage(const struct rig_side *side, struct json_scan *scan, struct span body, struct usage *usage)
{
    struct answer answer;
    struct meter meter;

    meter_init(&meter);
    side->operation->read_answer(scan, body, &answer, &meter);
    meter_usage(&meter, side->operation->input_holds_cache, usage);
}

static int64_t or_zero(int64_t figure)
{
    return figure < 0 ? 0 : figure;
}

/* Only how long a cache lives is not told by every dialect, and Google tells no writing at all. */
static void assert_same_figures(const char *name, const struct rig_side *app, const struct usage *told,
                                const struct usage *read)
{
    bool tells_writes = strcmp(app->name, "generate") != 0;
    int64_t writes = or_zero(usage_cache_write(told));
    int64_t input = or_zero(told->tokens[TOKENS_INPUT]);
    struct {
        const char *what;
        int64_t told, read;
    } rows[] = {
        {"input", tells_writes ? input : input + writes, or_zero(read->tokens[TOKENS_INPUT])},
        {"cache read", or_zero(told->tokens[TOKENS_CACHE_READ]), or_zero(read->tokens[TOKENS_CACHE_READ])},
        {"cache write", tells_writes ? writes : 0, or_zero(usage_cache_write(read))},
        {"output", or_zero(usage_output_all(told)), or_zero(usage_output_all(read))},
        {"reasoning", or_zero(told->reasoning), or_zero(read->reasoning)},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (rows[i].told != rows[i].read) {
            fail_msg("%s for %s: %s is %lld, was %lld", name, app->name, rows[i].what, (long long)rows[i].read,
                     (long long)rows[i].told);
        }
    }
    assert_false(read->is_anomalous);
}

static const struct {
    const char *name, *side, *body;
} answers[] = {
    {"openai, cached and written", "chat",
     "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"x\"},"
     "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":960,\"completion_tokens\":40,\"total_tokens\":1000,"
     "\"prompt_tokens_details\":{\"cached_tokens\":900,\"cache_write_tokens\":50},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":25}}}"},
    {"deepseek", "chat",
     "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"x\"},"
     "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":7,\"prompt_cache_hit_tokens\":64,"
     "\"prompt_cache_miss_tokens\":36}}"},
    {"xai, reasoning beside", "chat",
     "{\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"x\"},"
     "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":35,"
     "\"completion_tokens_details\":{\"reasoning_tokens\":20}}}"},
    {"anthropic, both caches", "messages",
     "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}],"
     "\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":50,"
     "\"cache_read_input_tokens\":900,\"cache_creation\":{\"ephemeral_5m_input_tokens\":30,"
     "\"ephemeral_1h_input_tokens\":20},\"output_tokens\":40,\"output_tokens_details\":{\"thinking_tokens\":25}}}"},
    {"anthropic, nulls", "messages",
     "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}],"
     "\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":null,"
     "\"cache_read_input_tokens\":null,\"output_tokens\":4}}"},
    {"gemini, thoughts and tool use", "generate",
     "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}],\"role\":\"model\"},\"finishReason\":\"STOP\"}],"
     "\"usageMetadata\":{\"promptTokenCount\":960,\"cachedContentTokenCount\":900,\"toolUsePromptTokenCount\":7,"
     "\"candidatesTokenCount\":15,\"thoughtsTokenCount\":25,\"totalTokenCount\":1007}}"},
    {"responses", "responses",
     "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"m\",\"output\":[{\"type\":\"message\","
     "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"x\"}]}],\"usage\":{\"input_tokens\":960,"
     "\"input_tokens_details\":{\"cached_tokens\":900},\"output_tokens\":40,"
     "\"output_tokens_details\":{\"reasoning_tokens\":25},\"total_tokens\":1000}}"},
};

static struct span plain_request(const char *side)
{
    static const struct {
        const char *side;
        struct span body;
    } rows[] = {
        {"chat", SPAN("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}")},
        {"responses", SPAN("{\"model\":\"m\",\"input\":\"x\"}")},
        {"messages", SPAN("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}")},
        {"generate", SPAN("{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}]}")}};

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (strcmp(rows[i].side, side) == 0) {
            return rows[i].body;
        }
    }
    fail_msg("no request of %s", side);
    return span_make("", 0);
}

static void figures__are_the_same_for_every_app(void **state)
{
    struct json_scan *scan = json_scan_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        struct rig_side provider = rig_side_of(answers[i].side);
        struct usage told;

        read_usage(&provider, scan, span_of(answers[i].body), &told);
        for (size_t k = 0; k < ARRAY_LENGTH(side_names); k++) {
            struct rig_side app = rig_side_of(side_names[k]);
            struct translation *translation = NULL;
            struct usage read;
            struct buf out;

            if (app.operation == provider.operation) {
                continue;
            }
            buf_init(&out, OUT_MAX);
            translation = rig_translate(&app, &provider, provider.model, NULL, false, scan, plain_request(app.name));
            assert_true(translation_begin(translation));
            assert_int_equal(translation_whole(translation, span_of(answers[i].body), &told, &out), TRANSLATE_OK);
            read_usage(&app, scan, buf_span(&out), &read);
            assert_same_figures(answers[i].name, &app, &told, &read);
            translation_free(translation);
            buf_fini(&out);
        }
    }
    json_scan_free(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests__come_back_as_they_went),
        cmocka_unit_test(requests__are_the_same_however_names_are_spelled),
        cmocka_unit_test(figures__are_the_same_for_every_app),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
