/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/log.h: one line per thing worth telling, to stderr, as json, text or logfmt with the same
 * fields. Lines gather in memory and leave once per turn; writing never blocks the loop: what does
 * not fit is dropped and counted. Never given bodies or keys. */
#ifndef PROXY_LOG_H
#define PROXY_LOG_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/snapshot.h"
#include "proxy/loop.h"

struct log;

/* fd is not owned. format LOG_BY_TERMINAL: text on a terminal, else json. */
struct log *log_new(struct loop *loop, int fd, enum log_level level, enum log_format format);
/* Writes what is left, blocking for at most a second. */
void log_free(struct log *log);

bool log_wants(const struct log *log, enum log_level level);

/* A line is begun, gets its fields, and ends; between begin and end nothing else is logged.
 * `event` is a stable word, `text` one plain sentence. */
void log_begin(struct log *log, enum log_level level, const char *event, const char *text);
void log_put_field(struct log *log, struct span name, struct span value);
void log_put_number(struct log *log, struct span name, long long value);
void log_put_seconds(struct log *log, struct span name, unsigned long long micros);
void log_put_bool(struct log *log, struct span name, bool value);
/* The same with names that are literals, whose length the compiler then knows. Escaped for the format;
 * an empty value leaves the field out. */
static inline void log_field(struct log *log, const char *name, struct span value)
{
    log_put_field(log, span_of(name), value);
}
static inline void log_number(struct log *log, const char *name, long long value)
{
    log_put_number(log, span_of(name), value);
}
/* A duration, given in microseconds, told in seconds with microsecond digits. */
static inline void log_seconds(struct log *log, const char *name, unsigned long long micros)
{
    log_put_seconds(log, span_of(name), micros);
}
static inline void log_bool(struct log *log, const char *name, bool value)
{
    log_put_bool(log, span_of(name), value);
}
void log_end(struct log *log);

/* A whole line without fields; printf form for the sentence. */
void log_say(struct log *log, enum log_level level, const char *event, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* A line as data: from those who may not write it themselves, because the log is another thread's. */
struct log_news {
    enum log_level level;
    const char *event; /* a literal, as is the sentence */
    const char *text;
    struct span sink;  /* whom it is about */
    struct span reason;
    uint64_t records;  /* 0: not told, as is the time */
    uint64_t dur_us;
};
void log_news(struct log *log, const struct log_news *news);
/* Lines lost because the outlet was full. */
unsigned long long log_dropped(const struct log *log);

#endif
