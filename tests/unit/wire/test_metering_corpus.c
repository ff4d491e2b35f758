/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of tests/corpus/metering: each whole one and each whole stream comes to the figures
 * that were written by hand beside it. A stream that is cut, at any byte, comes to what a naive
 * reader gets from the events that are complete there, and no split of its bytes makes a
 * difference. */
#include <dirent.h>
#include <stdlib.h>

#include "data.h"
#include "tests/unit/wire/naive_usage.h"

enum { CASES_MIN = 200, CASES_MAX = 512, EVENTS_MAX = 128, NAME_LENGTH = 96, DATA_MAX = 1 << 16 };

/* An answer and what it should come to, in the naive reader's terms. */
struct recorded {
    const char *name;
    const struct operation *operation;
    enum naive_operation naive;
    bool is_stream;
    struct naive_usage expected;
    struct span bytes;
    struct buf file;
};

static const struct {
    const char *name;
    const struct dialect *dialect;
    enum naive_operation naive;
} operations[] = {
    {"chat", &dialect_openai, NAIVE_CHAT},
    {"completions", &dialect_openai, NAIVE_CHAT},
    {"embeddings", &dialect_openai, NAIVE_EMBEDDINGS},
    {"responses", &dialect_openai, NAIVE_RESPONSES},
    {"messages", &dialect_anthropic, NAIVE_MESSAGES},
};

/* ---- the files ---- */

static void expect_nothing(struct naive_usage *expected)
{
    *expected = (struct naive_usage){.input = -1,
                                     .cache_read = -1,
                                     .written_short = -1,
                                     .written_long = -1,
                                     .audio_input = -1,
                                     .image_input = -1,
                                     .output = -1,
                                     .audio_output = -1,
                                     .reasoning = -1,
                                     .searches = -1,
                                     .cost = -1};
}

static bool expect_figure(struct naive_usage *expected, struct span name, long long figure)
{
    const struct {
        const char *name;
        long long *figure;
    } known[] = {
        {"input", &expected->input},
        {"cache_read", &expected->cache_read},
        {"cache_write_5m", &expected->written_short},
        {"cache_write_30m", &expected->written_short},
        {"cache_write_1h", &expected->written_long},
        {"cache_write_12h", &expected->written_long},
        {"audio_input", &expected->audio_input},
        {"image_input", &expected->image_input},
        {"output", &expected->output},
        {"audio_output", &expected->audio_output},
        {"reasoning", &expected->reasoning},
        {"web_search", &expected->searches},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (span_equal(name, span_of(known[i].name))) {
            *known[i].figure = figure;
            return true;
        }
    }
    return false;
}

static bool expect_word(struct naive_usage *expected, struct span name, const char *value)
{
    if (span_equal(name, SPAN_OF("cost"))) {
        expected->cost = strtod(value, NULL);
    } else if (span_equal(name, SPAN_OF("tier"))) {
        (void)snprintf(expected->tier, sizeof expected->tier, "%.31s", value);
    } else if (span_equal(name, SPAN_OF("region"))) {
        (void)snprintf(expected->region, sizeof expected->region, "%.31s", value);
    } else if (span_equal(name, SPAN_OF("model"))) {
        (void)snprintf(expected->model, sizeof expected->model, "%.64s", value);
    } else if (span_equal(name, SPAN_OF("anomalous"))) {
        expected->is_odd = true;
    } else if (span_equal(name, SPAN_OF("other_models"))) {
        expected->has_others = true;
    } else {
        return false;
    }
    return true;
}

/* "input=9 output=5 tier=flex anomalous" */
static void read_expected(struct recorded *recorded, struct span text)
{
    expect_nothing(&recorded->expected);
    while (text.len > 0) {
        struct span value = span_trim(span_cut(&text, ' '));
        struct span name = span_cut(&value, '=');
        char number[80];

        if (name.len == 0) {
            continue;
        }
        (void)snprintf(number, sizeof number, "%.*s", SPAN_ARGS(value));
        if (!expect_figure(&recorded->expected, name, strtoll(number, NULL, 10)) &&
            !expect_word(&recorded->expected, name, number)) {
            fail_msg("%s expects '%.*s'", recorded->name, SPAN_ARGS(name));
        }
    }
}

static void read_header(struct recorded *recorded, struct span key, struct span value)
{
    if (span_equal(key, SPAN_OF("operation"))) {
        for (size_t i = 0; i < ARRAY_LENGTH(operations); i++) {
            if (span_equal(value, span_of(operations[i].name))) {
                recorded->operation = operation_named(operations[i].dialect, operations[i].name);
                recorded->naive = operations[i].naive;
            }
        }
    } else if (span_equal(key, SPAN_OF("mode"))) {
        recorded->is_stream = span_equal(value, SPAN_OF("stream"));
        assert_true(recorded->is_stream || span_equal(value, SPAN_OF("whole")));
    } else if (span_equal(key, SPAN_OF("expect"))) {
        read_expected(recorded, value);
    } else if (!span_equal(key, SPAN_OF("what"))) {
        fail_msg("%s has a line '%.*s'", recorded->name, SPAN_ARGS(key));
    }
}

static struct recorded recorded_read(const char *name)
{
    struct recorded recorded = {.name = name};
    char path[NAME_LENGTH + 32];

    (void)snprintf(path, sizeof path, "../corpus/metering/%s", name);
    recorded.file = data_read(path);
    struct span rest = buf_span(&recorded.file);
    struct span line = span_cut(&rest, '\n');
    while (!span_equal(line, SPAN_OF("---"))) {
        struct span key = span_cut(&line, ':');

        assert_true(rest.len > 0);
        read_header(&recorded, key, span_trim(line));
        line = span_cut(&rest, '\n');
    }
    recorded.bytes = rest;
    if (recorded.operation == NULL || rest.len == 0) {
        fail_msg("%s has no operation or no bytes", name);
    }
    return recorded;
}

/* ---- comparing ---- */

static struct naive_usage usage_of(const struct usage *usage, bool holds_cache, struct span model)
{
    const int64_t *tokens = usage->tokens;
    struct span cost = usage_cost_span(&usage->cost);
    char text[32];
    struct naive_usage got = {
        .input = tokens[TOKENS_INPUT],
        .cache_read = tokens[TOKENS_CACHE_READ],
        .written_short = tokens[holds_cache ? TOKENS_CACHE_WRITE_30M : TOKENS_CACHE_WRITE_5M],
        .written_long = tokens[holds_cache ? TOKENS_CACHE_WRITE_12H : TOKENS_CACHE_WRITE_1H],
        .audio_input = tokens[TOKENS_AUDIO_INPUT],
        .image_input = tokens[TOKENS_IMAGE_INPUT],
        .output = tokens[TOKENS_OUTPUT],
        .audio_output = tokens[TOKENS_AUDIO_OUTPUT],
        .reasoning = usage->reasoning,
        .searches = usage->fees[FEE_WEB_SEARCH],
        .is_odd = usage->is_anomalous,
        .has_others = usage->has_other_models,
    };

    assert_int_equal(tokens[holds_cache ? TOKENS_CACHE_WRITE_5M : TOKENS_CACHE_WRITE_30M], -1);
    assert_int_equal(tokens[holds_cache ? TOKENS_CACHE_WRITE_1H : TOKENS_CACHE_WRITE_12H], -1);
    (void)snprintf(text, sizeof text, "%.*s", SPAN_ARGS(cost));
    got.cost = cost.len == 0 ? -1 : strtod(text, NULL);
    (void)snprintf(got.tier, sizeof got.tier, "%.*s", SPAN_ARGS(usage_word_span(&usage->tier)));
    (void)snprintf(got.region, sizeof got.region, "%.*s",
                   SPAN_ARGS(usage_word_span(&usage->region)));
    (void)snprintf(got.model, sizeof got.model, "%.*s", SPAN_ARGS(model));
    return got;
}

static void describe(char *to, size_t size, const struct naive_usage *usage)
{
    (void)snprintf(to, size,
                   "input %lld read %lld written %lld+%lld audio %lld image %lld output %lld audio "
                   "%lld reasoning %lld searches %lld cost %g tier '%s' region '%s' model '%s'%s%s",
                   usage->input, usage->cache_read, usage->written_short, usage->written_long,
                   usage->audio_input, usage->image_input, usage->output, usage->audio_output,
                   usage->reasoning, usage->searches, usage->cost, usage->tier, usage->region,
                   usage->model, usage->is_odd ? " anomalous" : "",
                   usage->has_others ? " other models" : "");
}

static void assert_same(const struct recorded *recorded, size_t at, const struct naive_usage *got,
                        const struct naive_usage *wanted)
{
    char a[512];
    char b[512];

    describe(a, sizeof a, got);
    describe(b, sizeof b, wanted);
    if (strcmp(a, b) != 0) {
        fail_msg("%s at %zu:\n  %s, instead of\n  %s", recorded->name, at, a, b);
    }
}

/* ---- whole answers ---- */

static void check_whole(const struct recorded *recorded)
{
    struct usage usage;
    struct answer answer = answer_of(recorded->operation, recorded->bytes, &usage);
    struct naive naive;
    struct naive_usage wanted;
    struct naive_usage got = usage_of(&usage, recorded->operation->input_holds_cache, answer.model);

    assert_same(recorded, recorded->bytes.len, &got, &recorded->expected);
    naive_begin(&naive, recorded->naive);
    naive_document(&naive, recorded->bytes.at, recorded->bytes.len, false);
    naive_usage(&naive, &wanted);
    if (!naive.is_beyond) {
        assert_same(recorded, recorded->bytes.len, &wanted, &recorded->expected);
    }
    if (usage.tokens[TOKENS_OUTPUT] >
        0) { /* told somewhere: the raw text is an object of the body */
        assert_true(answer.usage.len >= 2 && answer.usage.at[0] == '{' &&
                    answer.usage.at[answer.usage.len - 1] == '}');
        assert_true(answer.usage.at >= recorded->bytes.at &&
                    answer.usage.at + answer.usage.len <= recorded->bytes.at + recorded->bytes.len);
    }
}

/* ---- streams, naively ---- */

/* Where each event ends, and what had been used by then. */
struct story {
    size_t count;
    size_t ends[EVENTS_MAX];
    struct naive_usage usage[EVENTS_MAX + 1];
    bool is_beyond;
};

/* The end of the line at `at`, its break included; 0 when it is not complete. */
static size_t line_end(struct span bytes, size_t at, size_t *text_end)
{
    while (at < bytes.len && bytes.at[at] != '\n' && bytes.at[at] != '\r') {
        at++;
    }
    *text_end = at;
    if (at == bytes.len) {
        return 0;
    }
    return bytes.at[at] == '\r' && at + 1 < bytes.len && bytes.at[at + 1] == '\n' ? at + 2 : at + 1;
}

static void tell(struct story *story, struct naive *naive, const char *data, size_t len, size_t end)
{
    if (len > 0) {
        naive_document(naive, data, len - 1, true); /* without the last line feed */
    }
    assert_true(story->count < EVENTS_MAX);
    story->ends[story->count++] = end;
    naive_usage(naive, &story->usage[story->count]);
    story->is_beyond = naive->is_beyond;
}

static void story_read(struct story *story, const struct recorded *recorded)
{
    static char data[DATA_MAX];
    struct span bytes = recorded->bytes;
    struct naive naive;
    size_t len = 0;
    size_t text_end = 0;
    size_t at = span_starts(bytes, SPAN_OF("\xef\xbb\xbf")) ? 3 : 0;

    *story = (struct story){.count = 0};
    naive_begin(&naive, recorded->naive);
    naive_usage(&naive, &story->usage[0]);
    for (size_t end = line_end(bytes, at, &text_end); end > 0;
         at = end, end = line_end(bytes, at, &text_end)) {
        struct span line = span_make(bytes.at + at, text_end - at);

        if (line.len == 0) {
            tell(story, &naive, data, len, end);
            len = 0;
        } else if (span_starts(line, SPAN_OF("data:"))) {
            line = span_from(line, 5);
            line = span_from(line, span_starts(line, SPAN_OF(" ")) ? 1 : 0);
            assert_true(len + line.len + 1 < sizeof data);
            memcpy(data + len, line.at, line.len);
            data[len + line.len] = '\n';
            len += line.len + 1;
        }
    }
}

static const struct naive_usage *story_at(const struct story *story, size_t cut)
{
    size_t count = 0;

    while (count < story->count && story->ends[count] <= cut) {
        count++;
    }
    return &story->usage[count];
}

/* ---- streams, as they are metered ---- */

struct metered {
    struct json_scan *scan;
    struct sse sse;
    struct stream stream;
};

static void metered_begin(struct metered *metered, const struct recorded *recorded)
{
    sse_init(&metered->sse, (size_t)1 << 20, (size_t)1 << 22);
    stream_init(&metered->stream, recorded->operation, true);
}

static void metered_feed(struct metered *metered, struct span bytes)
{
    struct sse_event event;
    struct event_view view;

    while (sse_feed(&metered->sse, &bytes, &event) == SSE_EVENT) {
        metered->stream.operation->read_event(&metered->stream, metered->scan, &event, &view);
        assert_int_equal(view.is_usage, view.usage.len > 0);
        if (view.is_usage) {
            assert_true(view.usage.at >= event.data.at &&
                        view.usage.at + view.usage.len <= event.data.at + event.data.len);
        }
    }
}

static struct naive_usage metered_usage(const struct metered *metered)
{
    const struct stream *stream = &metered->stream;
    struct usage usage;

    meter_usage(&stream->meter, stream->operation->input_holds_cache, &usage);
    return usage_of(&usage, stream->operation->input_holds_cache, stream_model(stream));
}

static void check_cuts(const struct recorded *recorded, const struct story *story,
                       struct metered *metered)
{
    for (size_t cut = 0; cut <= recorded->bytes.len; cut++) {
        metered_begin(metered, recorded);
        metered_feed(metered, span_make(recorded->bytes.at, cut));
        struct naive_usage got = metered_usage(metered);
        assert_same(recorded, cut, &got, story_at(story, cut));
        sse_fini(&metered->sse);
    }
}

static void check_bytes(const struct recorded *recorded, const struct story *story,
                        struct metered *metered)
{
    metered_begin(metered, recorded);
    for (size_t at = 0; at < recorded->bytes.len; at++) {
        metered_feed(metered, span_make(recorded->bytes.at + at, 1));
        struct naive_usage got = metered_usage(metered);
        assert_same(recorded, at + 1, &got, story_at(story, at + 1));
    }
    sse_fini(&metered->sse);
}

static void check_splits(const struct recorded *recorded, struct metered *metered)
{
    uint32_t random = 7;

    for (size_t round = 0; round < 16; round++) {
        struct span rest = recorded->bytes;

        metered_begin(metered, recorded);
        while (rest.len > 0) {
            random = random * 1664525u + 1013904223u;
            size_t piece = 1 + (random >> 16) % 97;
            piece = piece < rest.len ? piece : rest.len;
            metered_feed(metered, span_make(rest.at, piece));
            rest = span_from(rest, piece);
        }
        struct naive_usage got = metered_usage(metered);
        assert_same(recorded, recorded->bytes.len, &got, &recorded->expected);
        sse_fini(&metered->sse);
    }
}

static void check_stream(const struct recorded *recorded)
{
    static struct story story;
    struct metered metered = {.scan = json_scan_new()};

    metered_begin(&metered, recorded);
    metered_feed(&metered, recorded->bytes);
    struct naive_usage got = metered_usage(&metered);
    assert_same(recorded, recorded->bytes.len, &got, &recorded->expected);
    sse_fini(&metered.sse);
    story_read(&story, recorded);
    if (!story.is_beyond) {
        assert_same(recorded, recorded->bytes.len, story_at(&story, recorded->bytes.len),
                    &recorded->expected);
        check_cuts(recorded, &story, &metered);
        check_bytes(recorded, &story, &metered);
    }
    check_splits(recorded, &metered);
    json_scan_free(metered.scan);
}

/* ---- all of them ---- */

static size_t list(char names[CASES_MAX][NAME_LENGTH])
{
    DIR *folder = opendir("tests/corpus/metering");
    size_t count = 0;

    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (span_ends(span_of(entry->d_name), SPAN_OF(".case"))) {
            assert_true(count < CASES_MAX && strlen(entry->d_name) < NAME_LENGTH);
            (void)snprintf(names[count++], NAME_LENGTH, "%.95s", entry->d_name);
        }
    }
    (void)closedir(folder);
    return count;
}

static void corpus__comes_to_what_was_written_beside_it(void **state)
{
    static char names[CASES_MAX][NAME_LENGTH];
    size_t count = list(names);
    size_t streams = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct recorded recorded = recorded_read(names[i]);

        if (recorded.is_stream) {
            check_stream(&recorded);
        } else {
            check_whole(&recorded);
        }
        streams += recorded.is_stream;
        buf_fini(&recorded.file);
    }
    print_message("%zu answers, %zu of them streams\n", count, streams);
    assert_true(count >= CASES_MIN);
    assert_true(streams >= count / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus__comes_to_what_was_written_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
