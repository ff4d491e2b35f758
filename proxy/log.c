/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are put together in one buffer and leave by a task at the end of the turn. */
#include "proxy/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "wire/json_out.h"

enum {
    LOG_RING = 1024 * 1024, /* bytes of lines that wait for a slow outlet */
    LOG_FIRST = 64 * 1024,
    LOG_SLICE = 4096 /* a pipe that polls writable takes this much without blocking (POSIX) */
};

struct log {
    struct loop *loop;
    struct loop_task task;
    struct loop_timer retry; /* the outlet was full: try again then */
    struct buf lines;
    size_t line_at; /* where the line being written begins */
    int fd;
    bool is_file;
    enum log_level level;
    enum log_format format;
    unsigned long long dropped;
    unsigned long long told; /* of the dropped ones */
    struct json_out json;
    wall_ms stamp_at;
    struct buf stamp; /* of this millisecond; many lines share it */
    wall_ms front_at;
    enum log_level front_level;
    struct buf front; /* what JSON lines of this millisecond and level begin with */
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static bool may_write(const struct log *log, int wait_ms)
{
    struct pollfd poll_fd = {.fd = log->fd, .events = POLLOUT};

    return log->is_file || poll(&poll_fd, 1, wait_ms) == 1;
}

/* Writes until all is gone or the outlet would block. False: the outlet is broken. */
static bool flush(struct log *log, int wait_ms)
{
    bool is_good = true;
    size_t done = 0;

    while (done < log->lines.len && may_write(log, wait_ms)) {
        size_t size = log->lines.len - done;
        ssize_t wrote = 0;

        if (!log->is_file && size > LOG_SLICE) {
            size = LOG_SLICE;
        }
        wrote = write(log->fd, log->lines.at + done, size);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            /* Nobody reads any more, or the disk is full: a log must not stop the calls. */
            log->dropped++;
            done = log->lines.len;
            is_good = false;
            break;
        }
        done += (size_t)wrote;
    }
    buf_drop_front(&log->lines, done);
    return is_good;
}

static void flush_task(struct loop_task *task)
{
    struct log *log = LIST_OWNER(task, struct log, task);

    bool is_good = flush(log, 0);

    if (log->lines.len > 0) {
        loop_timer_set(&log->retry, mono_add(loop_now(log->loop), 20));
    } else if (is_good && log->dropped > log->told) {
        /* Not to a broken outlet: each such line would be lost too, and told again, for ever. */
        log->told = log->dropped;
        log_begin(log, LOG_WARN, "log_dropped", "log lines were lost, the outlet was full");
        log_number(log, "dropped", (long long)log->dropped);
        log_end(log);
    }
}

static void retry_fire(struct loop_timer *timer, mono_ms now)
{
    struct log *log = LIST_OWNER(timer, struct log, retry);

    (void)now;
    loop_task_queue(log->loop, &log->task);
}

struct log *log_new(struct loop *loop, int fd, enum log_level level, enum log_format format)
{
    struct log *log = mem_take_zero(sizeof *log);
    struct stat status;

    if (log == NULL) {
        return NULL;
    }
    log->loop = loop;
    log->fd = fd;
    log->level = level;
    log->format = format;
    if (format == LOG_BY_TERMINAL) {
        log->format = isatty(fd) ? LOG_TEXT : LOG_JSON;
    }
    log->is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    buf_init(&log->lines, LOG_RING);
    buf_init(&log->stamp, 64);
    buf_init(&log->front, 128);
    if (buf_reserve(&log->lines, LOG_FIRST) != ERR_NONE) {
        mem_give(log, sizeof *log);
        return NULL;
    }
    loop_task_init(&log->task, flush_task);
    loop_timer_init(&log->retry, loop, retry_fire);
    return log;
}

void log_free(struct log *log)
{
    if (log == NULL) {
        return;
    }
    (void)flush(log, 1000);
    loop_task_cancel(&log->task);
    loop_timer_fini(&log->retry);
    buf_fini(&log->lines);
    buf_fini(&log->stamp);
    buf_fini(&log->front);
    mem_give(log, sizeof *log);
}

bool log_wants(const struct log *log, enum log_level level)
{
    return level <= log->level;
}

static struct span stamp(struct log *log)
{
    wall_ms now = loop_wall(log->loop);

    if (now != log->stamp_at) {
        log->stamp_at = now;
        buf_clear(&log->stamp);
        text_put_rfc3339(&log->stamp, now);
    }
    return buf_span(&log->stamp);
}

static void put_plain(struct log *log, struct span name, struct span value, bool is_quoted)
{
    buf_put_char(&log->lines, ' ');
    buf_put(&log->lines, name);
    buf_put_char(&log->lines, '=');
    if (is_quoted) {
        buf_put_char(&log->lines, '"');
        json_escape(&log->lines, value);
        buf_put_char(&log->lines, '"');
    } else {
        buf_put(&log->lines, value);
    }
}

static bool needs_quotes(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') {
            return true;
        }
    }
    return value.len == 0;
}

static void begin_json(struct log *log, enum log_level level)
{
    wall_ms now = loop_wall(log->loop);

    if (now != log->front_at || level != log->front_level || log->front.len == 0) {
        log->front_at = now;
        log->front_level = level;
        buf_clear(&log->front);
        json_out_init(&log->json, &log->front);
        json_open_object(&log->json);
        log_field(log, "ts", stamp(log));
        log_field(log, "level", span_of(level_names[level]));
    }
    buf_put(&log->lines, buf_span(&log->front));
    json_out_init(&log->json, &log->lines);
    log->json.wants_comma = true;
}

void log_begin(struct log *log, enum log_level level, const char *event, const char *text)
{
    log->line_at = log->lines.len;
    if (log->format == LOG_TEXT) {
        buf_put(&log->lines, stamp(log));
        buf_put_format(&log->lines, " %-5s %s", level_names[level], text);
        return;
    }
    if (log->format == LOG_JSON) {
        begin_json(log, level);
        log_field(log, "msg", span_of(text));
        log_field(log, "event", span_of(event));
        return;
    }
    buf_put_text(&log->lines, "ts=");
    buf_put(&log->lines, stamp(log));
    log_field(log, "level", span_of(level_names[level]));
    log_field(log, "msg", span_of(text));
    log_field(log, "event", span_of(event));
}

void log_put_field(struct log *log, struct span name, struct span value)
{
    if (value.len == 0) {
        return;
    }
    if (log->format == LOG_JSON) {
        json_key_plain(&log->json, name);
        json_string(&log->json, value);
        return;
    }
    put_plain(log, name, value, needs_quotes(value));
}

void log_put_number(struct log *log, struct span name, long long value)
{
    char digits[24];
    int length = 0;

    if (log->format == LOG_JSON) {
        json_key_plain(&log->json, name);
        json_i64(&log->json, value);
        return;
    }
    length = snprintf(digits, sizeof digits, "%lld", value);
    put_plain(log, name, span_make(digits, (size_t)length), false);
}

void log_put_seconds(struct log *log, struct span name, unsigned long long micros)
{
    char digits[32];
    size_t at = sizeof digits;
    unsigned long long whole = micros / 1000000;
    unsigned long long part = micros % 1000000;
    struct span text;

    for (int i = 0; i < 6; i++) {
        digits[--at] = (char)('0' + part % 10);
        part /= 10;
    }
    digits[--at] = '.';
    do {
        digits[--at] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole > 0);
    text = span_make(digits + at, sizeof digits - at);
    if (log->format == LOG_JSON) {
        json_key_plain(&log->json, name);
        json_raw(&log->json, text);
        return;
    }
    put_plain(log, name, text, false);
}

void log_put_bool(struct log *log, struct span name, bool value)
{
    if (log->format == LOG_JSON) {
        json_key_plain(&log->json, name);
        json_bool(&log->json, value);
        return;
    }
    put_plain(log, name, value ? SPAN_OF("true") : SPAN_OF("false"), false);
}

void log_end(struct log *log)
{
    if (log->format == LOG_JSON) {
        json_close_object(&log->json);
    }
    buf_put_char(&log->lines, '\n');
    if (log->lines.failed) {
        /* The line did not fit: take it back whole. */
        log->lines.len = log->line_at;
        log->lines.failed = false;
        log->dropped++;
    }
    loop_task_queue(log->loop, &log->task);
}

void log_say(struct log *log, enum log_level level, const char *event, const char *format, ...)
{
    char text[512];
    va_list args;

    if (!log_wants(log, level)) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_begin(log, level, event, text);
    log_end(log);
}

void log_news(struct log *log, const struct log_news *news)
{
    if (!log_wants(log, news->level)) {
        return;
    }
    log_begin(log, news->level, news->event, news->text);
    log_field(log, "sink", news->sink);
    log_field(log, "reason", news->reason);
    if (news->records > 0) {
        log_number(log, "records", (long long)news->records);
    }
    if (news->dur_us > 0) {
        log_seconds(log, "dur_s", news->dur_us);
    }
    log_end(log);
}

unsigned long long log_dropped(const struct log *log)
{
    return log->dropped;
}
