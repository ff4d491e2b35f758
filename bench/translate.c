/* SPDX-License-Identifier: Apache-2.0 */
/* translate [calls]: what it costs to tell one call in another dialect, without sockets: the request of a chat
 * completions app for Messages and the whole answer back, at 1 KB and at 64 KB of conversation (the latter in turns and
 * calls as agents have them, and as one long text), and one event of a stream with sixteen letters of text. ns of the
 * processor's time; the clock is read around a batch, and the best of many counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/must.h"
#include "wire/models.h"
#include "wire/translate.h"

enum { BATCHES = 40, CALLS_DEFAULT = 2000, TEXT_MAX = 1 << 20 };

struct bench {
    const struct operation *app;
    const struct operation *target;
    const struct model_facts *facts;
    struct json_scan *scan;
    struct buf request;
    struct buf answer;
    struct buf out;
    struct translation *stream;
    uint64_t sink; /* what is computed must be used */
};

typedef void bench_fn(struct bench *bench);

static const struct operation *operation_of(const struct dialect *dialect, const char *name)
{
    for (const struct operation *one = dialect->operations; one->name != NULL; one++) {
        if (span_equal(span_of(one->name), span_of(name))) {
            return one;
        }
    }
    UNREACHABLE();
}

/* ---- bodies ---- */

static void put_words(struct buf *buf, size_t len)
{
    static const struct span words = SPAN("The quick brown fox says \\\"hi\\\",\\njumps over it and runs. ");

    for (size_t done = 0; done < len; done += words.len) {
        buf_put(buf, words);
    }
}

/* A turn of an agent: it calls a tool, and gets a page of text. */
static void put_step(struct buf *buf, size_t len, unsigned number)
{
    buf_put_format(buf,
                   ",{\"role\":\"assistant\",\"content\":\"Let me look.\",\"tool_calls\":[{\"id\":\"call_%u\",\"type\":"
                   "\"function\",\"function\":{\"name\":\"read_file\",\"arguments\":\"{\\\"path\\\":\\\"src/main.c\\\","
                   "\\\"from\\\":%u}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_%u\",\"content\":\"",
                   number, number, number);
    put_words(buf, len);
    buf_put_text(buf, "\"}");
}

static void put_request(struct buf *buf, size_t text, unsigned steps)
{
    buf_clear(buf);
    buf_put_text(buf, "{\"model\":\"m\",\"temperature\":0.2,\"max_tokens\":500,\"messages\":[{\"role\":\"system\",\"content\":"
                      "\"Be kind.\"},{\"role\":\"user\",\"content\":\"");
    put_words(buf, steps > 0 ? 64 : text);
    buf_put_text(buf, "\"}");
    for (unsigned i = 0; i < steps; i++) {
        put_step(buf, text / steps, i);
    }
    buf_put_text(buf, "],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"read_file\",\"description\":\"Reads a "
                      "file\",\"parameters\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},"
                      "\"from\":{\"type\":\"integer\"}},\"required\":[\"path\"]}}}]}");
}

static void put_answer(struct buf *buf, size_t text)
{
    buf_clear(buf);
    buf_put_text(buf, "{\"id\":\"msg_01\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\","
                      "\"content\":[{\"type\":\"text\",\"text\":\"");
    put_words(buf, text);
    buf_put_text(buf, "\"},{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"read_file\",\"input\":{\"path\":\"a.c\"}}],"
                      "\"stop_reason\":\"tool_use\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":20,"
                      "\"output_tokens\":40}}");
    must(!buf->failed);
}

/* ---- what is measured ---- */

static struct translation *translate(const struct bench *bench)
{
    struct translate_ask ask = {.from = bench->app,
                                .to = bench->target,
                                .facts = bench->facts,
                                .scan = bench->scan,
                                .model = SPAN_OF("claude-sonnet-4-5"),
                                .app_model = SPAN_OF("m"),
                                .body = buf_span(&bench->request),
                                .now_s = 1,
                                .seed = 1};
    struct translation *translation = translation_new(&ask);

    must(translation != NULL && translation_refused(translation)->param == NULL);
    return translation;
}

static void request(struct bench *bench)
{
    struct translation *translation = translate(bench);

    bench->sink += translation_body(translation).len;
    translation_free(translation);
}

/* As call_translate.c does it: the target's grammar reads what it is told. */
static void request_read_back(struct bench *bench)
{
    struct translation *translation = translate(bench);
    struct request read = {.output_cap = -1};

    bench->sink += bench->target->read_request(bench->scan, 1, translation_body(translation), &read).kind == REFUSAL_NONE;
    translation_free(translation);
}

static void answer(struct bench *bench)
{
    struct usage usage;

    usage_init(&usage);
    buf_clear(&bench->out);
    must(translation_whole(bench->stream, buf_span(&bench->answer), &usage, &bench->out) == TRANSLATE_OK);
    bench->sink += bench->out.len;
}

static void event(struct bench *bench)
{
    static const struct sse_event delta = {
        .data = SPAN("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
                     "\"text\":\"sixteen letters.\"}}"),
        .has_data = true};
    struct usage usage;

    usage_init(&usage);
    buf_clear(&bench->out);
    must(translation_event(bench->stream, &delta, &usage, &bench->out) == TRANSLATE_OK);
    bench->sink += bench->out.len;
}

static uint64_t clock_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static uint64_t measure(struct bench *bench, bench_fn *run, uint64_t calls)
{
    uint64_t best = UINT64_MAX;

    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t from = clock_ns();

        for (uint64_t i = 0; i < calls; i++) {
            run(bench);
        }
        from = clock_ns() - from;
        best = from < best ? from : best;
    }
    return best / calls;
}

static void row(struct bench *bench, const char *name, uint64_t calls)
{
    must(translation_begin(bench->stream));
    printf("%-24s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n", name, measure(bench, request, calls),
           measure(bench, request_read_back, calls), measure(bench, answer, calls));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        size_t text;
        unsigned steps;
    } rows[] = {{"1 KB", 512, 0}, {"64 KB, one text", 64 * 1024, 0}, {"64 KB, an agent's", 64 * 1024, 40}};
    uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 10) : CALLS_DEFAULT;
    struct bench bench = {.app = operation_of(dialect_by_name(SPAN_OF("openai")), "chat"),
                          .target = operation_of(dialect_by_name(SPAN_OF("anthropic")), "messages"),
                          .facts = model_facts_of("anthropic", SPAN_OF("claude-sonnet-4-5")),
                          .scan = json_scan_new()};

    if (calls == 0 || bench.scan == NULL) {
        return 2;
    }
    buf_init(&bench.request, TEXT_MAX);
    buf_init(&bench.answer, TEXT_MAX);
    buf_init(&bench.out, TEXT_MAX);
    printf("ns per call, chat told as messages\n");
    printf("%-24s %9s %9s %9s\n", "", "request", "and read", "answer");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        put_request(&bench.request, rows[i].text, rows[i].steps);
        put_answer(&bench.answer, rows[i].text);
        bench.stream = translate(&bench);
        row(&bench, rows[i].name, rows[i].text > 1024 ? calls / 16 + 1 : calls);
        if (i == 0) {
            must(translation_begin(bench.stream));
            printf("%-24s %9" PRIu64 "\n", "an event of a stream", measure(&bench, event, calls));
        }
        translation_free(bench.stream);
    }
    buf_fini(&bench.request);
    buf_fini(&bench.answer);
    buf_fini(&bench.out);
    json_scan_free(bench.scan);
    return bench.sink == 0 ? 1 : 0;
}
