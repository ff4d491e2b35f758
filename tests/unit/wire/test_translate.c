/* SPDX-License-Identifier: Apache-2.0 */
/* The golden files of tests/data/translate: what each request is told as, and what each answer and stream comes back
 * as, pair by pair. A file is a row of blocks, each headed by a line:
 *
 *   ## request chat                          a request of an app
 *   ## asks messages MODEL [strict] [@ADDRESS]   what a provider is told for it; or
 *                                            'refused: PARAM ["WHICH"]: WHY'
 *   ## answer messages                       a whole answer of a provider
 *   ## tells chat                            what an app of that operation gets for it
 *   ## stream messages                       a stream of a provider; of converse in frames, though it is written so:
 *                                            the name of an exception begins with !, of what nobody knows with ?
 *   ## says chat                             what the app gets, in every split of the same bytes
 *
 * HEADGATE_BLESS=1 writes what came out into the files, to be read and committed. */
#include "translate_golden.h"

#include <stdlib.h>

#include "frames.h"
#include "tests/lib/bytes.h"

enum { OUT_MAX = 1 << 22 };

/* ---- what comes out ---- */

struct ask_line {
    char side[32], model[128], address[128];
    bool is_strict;
};

static struct ask_line ask_line_of(struct span rest)
{
    struct ask_line line = {.address = ""};
    char word[128];

    word_of(&rest, line.side, sizeof line.side);
    word_of(&rest, line.model, sizeof line.model);
    while (rest.at != NULL && rest.len > 0) {
        word_of(&rest, word, sizeof word);
        line.is_strict = line.is_strict || strcmp(word, "strict") == 0;
        if (word[0] == '@') {
            (void)snprintf(line.address, sizeof line.address, "%s", word + 1);
        }
    }
    return line;
}

static void put_request(struct buf *out, struct span head, const struct rig_side *from, struct span body)
{
    struct json_scan *scan = json_scan_new();
    struct ask_line line = ask_line_of(head);
    struct rig_side to = rig_side_of(line.side);
    struct translation *translation = rig_translate(from, &to, line.model, line.address[0] != '\0' ? line.address : NULL,
                                                    line.is_strict, scan, body);
    const struct chat_refused *refused = translation_refused(translation);
    struct span dropped = translation_dropped(translation);

    if (refused->param != NULL) {
        buf_put_format(out, "refused: %s", refused->param);
        if (refused->which.len > 0) {
            buf_put_format(out, " \"%.*s\"", SPAN_ARGS(refused->which));
        }
        buf_put_format(out, ": %s", refused->why == NULL ? "" : refused->why);
    } else {
        buf_put(out, translation_body(translation));
        if (!rig_accepts(&to, scan, translation_body(translation))) {
            buf_put_text(out, "\n(not accepted)");
        }
        if (dropped.len > 0) {
            buf_put_format(out, "\ndropped: %.*s", SPAN_ARGS(dropped));
        }
    }
    translation_free(translation);
    json_scan_free(scan);
}

/* The terms of the answer come with a request: the smallest one of the app. */
static struct translation *with_request(const struct rig_side *from, const struct rig_side *to, struct json_scan *scan,
                                        struct span request)
{
    static const struct {
        const char *side;
        struct span body;
    } smallest[] = {
        {"chat", SPAN("{\"model\":\"app-model\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                      "\"stream\":true,\"stream_options\":{\"include_usage\":true}}")},
        {"responses", SPAN("{\"model\":\"app-model\",\"input\":\"hi\"}")},
        {"messages", SPAN("{\"model\":\"app-model\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}")},
        {"generate", SPAN("{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}")}};
    struct span body = request;
    struct translation *translation = NULL;

    for (size_t i = 0; i < ARRAY_LENGTH(smallest) && body.len == 0; i++) {
        body = strcmp(smallest[i].side, from->name) == 0 ? smallest[i].body : body;
    }
    translation = rig_translate(from, to, to->model, NULL, false, scan, body);
    assert_null(translation_refused(translation)->param);
    return translation;
}

static void put_answer(struct buf *out, const struct rig_side *from, const struct rig_side *to, struct span body,
                       struct span request)
{
    struct json_scan *scan = json_scan_new();
    struct translation *translation = with_request(from, to, scan, request);
    struct answer answer;
    struct meter meter;
    struct usage usage;
    size_t at = out->len;

    meter_init(&meter);
    to->operation->read_answer(scan, body, &answer, &meter);
    meter_usage(&meter, to->operation->input_holds_cache, &usage);
    assert_true(translation_begin(translation));
    if (translation_whole(translation, body, &usage, out) != TRANSLATE_OK) {
        buf_put_text(out, "(failed)");
    } else {
        meter_init(&meter);
        from->operation->read_answer(scan, span_from(buf_span(out), at), &answer, &meter);
        if (!answer.is_json || !answer.has_result) {
            buf_put_text(out, "\n(no answer)");
        }
    }
    translation_free(translation);
    json_scan_free(scan);
}

struct streaming {
    struct rig_side from, to;
    struct span request;
};

static void trace_stream(const struct bytes_split *split, struct buf *trace, void *context)
{
    const struct streaming *streaming = context;
    struct json_scan *scan = json_scan_new();
    struct translation *translation = with_request(&streaming->from, &streaming->to, scan, streaming->request);
    struct rig_stream rig;

    rig_stream_begin(&rig, &streaming->to, translation, scan);
    for (size_t i = 0; i < split->count; i++) {
        rig_stream_feed(&rig, bytes_piece(split, i), trace);
    }
    rig_stream_end(&rig, trace);
    if (rig.has_failed || !translation_has_ended(translation)) {
        buf_put_text(trace, rig.has_failed ? "(failed)\n" : "(broken off)\n");
    }
    translation_free(translation);
    json_scan_free(scan);
}

/* What the app's own grammar reads in it: a whole stream with an end, or none. */
static void read_as_app(const struct rig_side *from, struct span text)
{
    struct json_scan *scan = json_scan_new();
    struct stream stream;
    struct walk walk;

    if (span_find(text, SPAN_OF("(failed)")) == NULL && span_find(text, SPAN_OF("(broken off)")) == NULL) {
        stream_init(&stream, from->operation, false);
        walk = walk_stream(&stream, scan, text);
        assert_int_equal(walk.errors, 0);
        assert_true(stream.saw_finish);
    }
    json_scan_free(scan);
}

static void put_stream(struct buf *out, const struct rig_side *from, const struct rig_side *to, struct span events,
                       struct span request)
{
    struct streaming streaming = {*from, *to, request};
    struct buf whole;
    struct buf bytes; /* with the blank line at the end, which the file has not */

    buf_init(&bytes, OUT_MAX);
    buf_init(&whole, OUT_MAX);
    buf_put(&bytes, events);
    buf_put_text(&bytes, "\n\n");
    if (to->dialect == &dialect_bedrock) {
        struct buf framed;

        buf_init(&framed, OUT_MAX);
        frames_of(&framed, buf_span(&bytes));
        buf_fini(&bytes);
        bytes = framed;
    }
    bytes_same_for_each_split(buf_span(&bytes), trace_stream, &streaming, &whole);
    read_as_app(from, buf_span(&whole));
    while (whole.len > 0 && whole.at[whole.len - 1] == '\n') {
        whole.len--;
    }
    buf_put(out, buf_span(&whole));
    buf_fini(&whole);
    buf_fini(&bytes);
}

/* ---- a run through the blocks ---- */

struct run {
    struct rig_side request_side, answer_side;
    struct span request, answer, events;
};

static struct span request_of(const struct run *run, const struct rig_side *from)
{
    return run->request.len > 0 && run->request_side.operation == from->operation ? run->request : span_make("", 0);
}

/* False: it is an input. */
static bool come_out(struct run *run, const struct block *block, struct buf *out)
{
    struct span head = block->head;
    struct rig_side side;

    if (is_headed(&head, "request")) {
        run->request_side = side_named(head);
        run->request = block->text;
        return false;
    }
    if (is_headed(&head, "answer") || is_headed(&head, "stream")) {
        bool is_stream = span_starts(block->head, SPAN_OF("stream"));

        run->answer_side = side_named(head);
        *(is_stream ? &run->events : &run->answer) = block->text;
        return false;
    }
    if (is_headed(&head, "asks")) {
        put_request(out, head, &run->request_side, run->request);
    } else if (is_headed(&head, "tells")) {
        side = side_named(head);
        put_answer(out, &side, &run->answer_side, run->answer, request_of(run, &side));
    } else if (is_headed(&head, "says")) {
        side = side_named(head);
        put_stream(out, &side, &run->answer_side, run->events, request_of(run, &side));
    } else {
        fail_msg("no block is called %.*s", SPAN_ARGS(block->head));
    }
    return true;
}

static void bless(const char *path, struct span text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

static void check_file(const char *name)
{
    struct block blocks[BLOCKS_MAX];
    char path[200];
    struct run run = {.request = {"", 0}};
    struct buf text;
    struct buf all;
    size_t count = 0;
    unsigned wrong = 0;

    (void)snprintf(path, sizeof path, "translate/%s", name);
    text = data_read(path);
    count = read_blocks(buf_span(&text), blocks);
    buf_init(&all, OUT_MAX);
    for (size_t i = 0; i < count; i++) {
        struct buf out;

        buf_init(&out, OUT_MAX);
        buf_put_format(&all, "## %.*s\n", SPAN_ARGS(blocks[i].head));
        if (come_out(&run, &blocks[i], &out)) {
            if (!span_equal(buf_span(&out), blocks[i].text)) {
                print_error("%s: ## %.*s\n  is  %.*s\n  not %.*s\n", name, SPAN_ARGS(blocks[i].head), (int)out.len,
                            out.at, SPAN_ARGS(blocks[i].text));
                wrong++;
            }
            buf_put(&all, buf_span(&out));
        } else {
            buf_put(&all, blocks[i].text);
        }
        buf_put_char(&all, '\n');
        buf_fini(&out);
    }
    if (getenv("HEADGATE_BLESS") != NULL) {
        (void)snprintf(path, sizeof path, "tests/data/translate/%s", name);
        bless(path, buf_span(&all));
    } else {
        assert_int_equal(wrong, 0);
    }
    buf_fini(&all);
    buf_fini(&text);
}

static void translations__are_as_the_golden_files_have_them(void **state)
{
    const char *only = getenv("HEADGATE_GOLDEN");

    (void)state;
    golden_each(only, check_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translations__are_as_the_golden_files_have_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
