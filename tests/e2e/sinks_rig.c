/* SPDX-License-Identifier: Apache-2.0 */
/* sinks_rig SETTINGS JOURNAL STATE: a loop with the sinks of a settings file over a journal that grows
 * by commands on standard input, one a line. It writes what calls of a moment cannot: hundreds of thousands
 * of records at once, and damaged ones.
 *
 *   append FIRST COUNT   records FIRST, FIRST+1, ... go into the journal, and the sinks are stepped
 *   break                a line that no CRC fits goes into the journal
 *   tidy                 what no sink needs is deleted: {"event":"tidy","bytes": what is left}
 *   counts               a line on standard error for each sink: {"event":"counts", ...}
 *   finish MS            ends as the program does
 *
 * The log goes to standard error as JSON. Standard output belongs to the sinks. */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxy/files.h"
#include "proxy/sinks.h"
#include "usage/record.h"

enum { RETENTION_MS = 3600000 };

static struct {
    struct loop *loop;
    struct log *log;
    struct journal *journal;
    struct snapshot *snapshot;
    struct sinks *sinks;
    struct follower follower;
    struct loop_task again;
    struct event input;
    struct buf lines;
    char typed[256];
    size_t typed_len;
    bool is_over;
    uint32_t finish_ms;
} rig;

static void die(const char *text)
{
    (void)fprintf(stderr, "sinks_rig: %s\n", text);
    exit(1);
}

static void step_all(struct loop_task *task)
{
    if (rig.follower.ops->step(rig.follower.to, journal_end(rig.journal))) {
        loop_task_queue_later(rig.loop, task);
    }
}

/* About as long as a usual one. */
static void put_record(unsigned long long n)
{
    struct record record;
    char id[64];
    char call[64];

    (void)snprintf(id, sizeof id, "01930000-0000-7000-8000-%012llu-1", n);
    (void)snprintf(call, sizeof call, "01930000-0000-7000-8000-%012llu", n);
    record_init(&record);
    record.texts[RECORD_ID] = span_of(id);
    record.texts[RECORD_CALL] = span_of(call);
    record.texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record.texts[RECORD_PROVIDER] = SPAN_OF("openai");
    record.texts[RECORD_MODEL] = SPAN_OF("gpt-5.4-mini");
    record.texts[RECORD_ROUTE] = SPAN_OF("smart");
    record.texts[RECORD_KEY] = SPAN_OF("key-\"7\"");
    record.texts[RECORD_OUTCOME] = SPAN_OF("ok");
    record.texts[RECORD_PROVENANCE] = SPAN_OF("provider");
    record.numbers[RECORD_AT] = 1795000000000 + (int64_t)n;
    record.numbers[RECORD_ATTEMPT] = 1;
    record.numbers[RECORD_STATUS] = 200;
    record.numbers[RECORD_CHARGED] = 1234567;
    record.numbers[RECORD_TOTAL_US] = 2345678;
    record.numbers[RECORD_TTFB_US] = 345678;
    record_put_line(&rig.lines, &record);
}

static void append_lines(void)
{
    struct journal_place at;
    struct why why;

    if (!journal_append(rig.journal, buf_span(&rig.lines), loop_wall(rig.loop), &at, &why)) {
        die(why.text);
    }
    buf_clear(&rig.lines);
}

static void append(unsigned long long first, unsigned long long count)
{
    for (unsigned long long i = 0; i < count; i++) {
        put_record(first + i);
        if (rig.lines.len > 4 << 20) {
            append_lines();
        }
    }
    if (rig.lines.len > 0) {
        append_lines();
    }
    step_all(&rig.again);
}

static void tell_counts(void)
{
    struct rusage used;

    (void)getrusage(RUSAGE_SELF, &used);
    for (size_t i = 0; i < sinks_count(rig.sinks); i++) {
        struct sink_state state = sinks_state(rig.sinks, i);

        (void)fprintf(stderr,
                      "{\"event\":\"counts\",\"sink\":\"%.*s\",\"delivered\":%llu,\"known\":%llu,"
                      "\"batches\":%llu,\"failures\":%llu,\"damaged\":%llu,\"is_down\":%s,"
                      "\"segment\":%llu,\"offset\":%llu,\"cpu_us\":%lld}\n",
                      SPAN_ARGS(state.name), (unsigned long long)state.delivered,
                      (unsigned long long)state.known, (unsigned long long)state.batches,
                      (unsigned long long)state.failures, (unsigned long long)state.damaged,
                      state.is_down ? "true" : "false", (unsigned long long)state.cursor.segment,
                      (unsigned long long)state.cursor.offset,
                      (long long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                          used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    }
}

/* As the store thread does: when its loop has ended. */
static void finish(uint32_t ms)
{
    rig.follower.ops->finish(rig.follower.to, ms);
    tell_counts();
}

static void obey(const char *line)
{
    unsigned long long a = 0;
    unsigned long long b = 0;

    if (sscanf(line, "append %llu %llu", &a, &b) == 2) {
        append(a, b);
    } else if (strcmp(line, "break") == 0) {
        buf_put_text(&rig.lines, "{\"record_id\":\"broken\",\"crc\":\"00000000\"}\n");
        append_lines();
        step_all(&rig.again);
    } else if (strcmp(line, "counts") == 0) {
        tell_counts();
    } else if (strcmp(line, "tidy") == 0) {
        /* As if all of it were older than it need be. */
        (void)fprintf(stderr, "{\"event\":\"tidy\",\"bytes\":%llu}\n",
                      (unsigned long long)journal_tidy(rig.journal,
                                                       rig.follower.ops->cursor(rig.follower.to),
                                                       loop_wall(rig.loop) + 2 * RETENTION_MS));
    } else if (sscanf(line, "finish %llu", &a) == 1) {
        rig.is_over = true;
        rig.finish_ms = (uint32_t)a;
        loop_stop(rig.loop);
    } else {
        die(line);
    }
}

static void input_cb(evutil_socket_t fd, short what, void *to)
{
    char c = '\0';

    (void)fd;
    (void)what;
    (void)to;
    for (;;) {
        ssize_t count = read(STDIN_FILENO, &c, 1);

        if (count <= 0) {
            loop_stop(rig.loop);
            return;
        }
        if (c == '\n') {
            rig.typed[rig.typed_len] = '\0';
            rig.typed_len = 0;
            obey(rig.typed);
            return;
        }
        if (rig.typed_len + 1 < sizeof rig.typed) {
            rig.typed[rig.typed_len++] = c;
        }
    }
}

static void load(const char *path)
{
    struct conf_world world = files_world();
    struct complaints complaints;
    struct why why;
    struct buf text;

    buf_init(&text, 1 << 20);
    if (files_read(span_of(path), &text, &why) != ERR_NONE) {
        die(why.text);
    }
    if (conf_load(span_of(path), buf_span(&text), &world, &complaints, &rig.snapshot) != ERR_NONE) {
        die(complaints.count > 0 ? complaints.list[0].text : "no memory");
    }
    buf_fini(&text);
}

static void tell(void *to, const struct log_news *news)
{
    (void)to;
    log_news(rig.log, news);
}

static void begin(char **arguments)
{
    struct journal_rules rules = {.retention_ms = RETENTION_MS, .segment_bytes = 4 << 20};
    struct sinks_options options = {
        .journal = span_of(arguments[2]), .state_dir = span_of(arguments[3]), .seed = 7};
    struct why why;

    load(arguments[1]);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    rig.loop = loop_new(NULL);
    rig.log = log_new(rig.loop, STDERR_FILENO, LOG_INFO, LOG_JSON);
    if (journal_open(options.journal, &rules, NULL, &rig.journal, &why) != ERR_NONE) {
        die(why.text);
    }
    options.loop = rig.loop;
    options.tell = tell;
    options.snapshot = rig.snapshot;
    if (sinks_new(&options, &rig.sinks, &why) != ERR_NONE) {
        die(why.text);
    }
    rig.follower = sinks_follower(rig.sinks);
    buf_init(&rig.lines, 64 << 20);
    loop_task_init(&rig.again, step_all);
}

int main(int count, char **arguments)
{
    if (count != 4) {
        die("wants SETTINGS JOURNAL STATE");
    }
    (void)signal(SIGPIPE, SIG_IGN);
    begin(arguments);
    (void)event_assign(&rig.input, loop_base(rig.loop), STDIN_FILENO, EV_READ | EV_PERSIST,
                       input_cb, NULL);
    (void)event_add(&rig.input, NULL);
    step_all(&rig.again);
    (void)fprintf(stderr, "{\"event\":\"ready\"}\n");
    loop_run(rig.loop);
    if (rig.is_over) {
        finish(rig.finish_ms);
    }
    (void)event_del(&rig.input);
    rig.follower.ops->free(rig.follower.to);
    loop_task_cancel(&rig.again);
    journal_close(rig.journal);
    buf_fini(&rig.lines);
    snapshot_give(rig.snapshot);
    log_free(rig.log);
    loop_free(rig.loop);
    curl_global_cleanup();
    return rig.is_over ? 0 : 3;
}
