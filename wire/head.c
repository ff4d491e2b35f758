/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/head.h"

#include "base/block.h"

struct rule {
    struct span name;
    unsigned char use;
};

/* Length and last byte tell the names below apart from each other: only one of them can be meant,
 * and only that one is compared. `last` is in lower case. */
#define SHAPE(length, last) ((length) << 8 | (last))
#define RULE(name, use) ((struct rule){SPAN(name), use})

/* The bit that tells the cases of letters apart is set in a digit or a hyphen as well. */
static unsigned char lower(char c)
{
    return (unsigned char)c | 0x20;
}

static size_t shape_of(struct span name)
{
    return name.len == 0 ? 0 : SHAPE(name.len, lower(name.at[name.len - 1]));
}

static struct rule request_rule(struct span name)
{
    switch (shape_of(name)) {
    case SHAPE(6, 't'): return RULE("accept", HEAD_PASSES);
    case SHAPE(7, 'y'): return RULE("api-key", HEAD_KEY);
    case SHAPE(9, 'y'): return RULE("x-api-key", HEAD_KEY);
    case SHAPE(10, 'e'): return RULE("tracestate", HEAD_PASSES);
    case SHAPE(10, 't'): return RULE("user-agent", HEAD_PASSES);
    case SHAPE(11, 't'): return RULE("traceparent", HEAD_TRACEPARENT);
    case SHAPE(12, 'e'): return RULE("content-type", HEAD_CONTENT_TYPE);
    case SHAPE(12, 'd'): return lower(name.at[2]) == 'r' ? RULE("x-request-id", HEAD_REQUEST_ID)
                                                         : RULE("x-session-id", HEAD_SESSION);
    case SHAPE(13, 'n'): return RULE("authorization", HEAD_AUTHORIZATION);
    case SHAPE(14, 't'): return RULE("openai-project", HEAD_SCOPE);
    case SHAPE(14, 'y'): return RULE("x-goog-api-key", HEAD_KEY);
    case SHAPE(10, 'd'): return RULE("session-id", HEAD_SESSION);
    case SHAPE(15, 'y'): return RULE("idempotency-key", HEAD_IDEMPOTENCY);
    case SHAPE(15, 's'): return RULE("x-headgate-tags", HEAD_TAGS);
    case SHAPE(15, 'k'): return RULE("x-headgate-task", HEAD_TASK);
    case SHAPE(16, 'e'): return lower(name.at[11]) == 't'
                                    ? RULE("x-headgate-trace", HEAD_TRACE)
                                    : RULE("x-headgate-route", HEAD_ROUTE);
    case SHAPE(16, 'g'): return RULE("content-encoding", HEAD_CONTENT_ENCODING);
    case SHAPE(16, 't'): return RULE("x-server-timeout", HEAD_PATIENCE);
    case SHAPE(17, 't'): return RULE("x-goog-api-client", HEAD_PASSES);
    case SHAPE(19, 'n'): return RULE("openai-organization", HEAD_SCOPE);
    case SHAPE(19, 't'): return RULE("x-stainless-timeout", HEAD_PATIENCE);
    case SHAPE(19, 'd'): return RULE("x-client-request-id", HEAD_PASSES);
    case SHAPE(18, 'n'): return RULE("x-headgate-session", HEAD_SESSION);
    case SHAPE(18, 'y'): return RULE("x-session-affinity", HEAD_SESSION);
    case SHAPE(21, 's'): return RULE("x-headgate-timeout-ms", HEAD_TIMEOUT);
    case SHAPE(22, 'r'): return RULE("x-headgate-no-failover", HEAD_NO_FAILOVER);
    case SHAPE(24, 'd'): return RULE("x-claude-code-session-id", HEAD_SESSION);
    case SHAPE(22, 'd'): return RULE("anthropic-workspace-id", HEAD_SCOPE);
    default: return RULE("", HEAD_STAYS);
    }
}

/* Asked after the names above, by the first letter. */
static struct rule request_prefix(struct span name)
{
    switch (name.len == 0 ? 0 : lower(name.at[0])) {
    case 'x': return RULE("x-stainless-", HEAD_PASSES);
    case 'a': return RULE("anthropic-", HEAD_PASSES);
    case 'o': return RULE("openai-", HEAD_PASSES);
    default: return RULE("", HEAD_STAYS);
    }
}

static struct rule answer_rule(struct span name)
{
    switch (shape_of(name)) {
    case SHAPE(10, 'd'): return RULE("request-id", ANSWER_REQUEST_ID);
    case SHAPE(11, 'r'): return RULE("retry-after", ANSWER_RETRY_AFTER);
    case SHAPE(12, 'e'): return RULE("content-type", ANSWER_CONTENT_TYPE);
    case SHAPE(12, 'd'): return RULE("x-request-id", ANSWER_REQUEST_ID);
    case SHAPE(14, 'y'): return RULE("x-should-retry", ANSWER_SHOULD_RETRY);
    case SHAPE(14, 's'): return RULE("retry-after-ms", ANSWER_RETRY_AFTER);
    case SHAPE(16, 'd'): return RULE("x-amzn-requestid", ANSWER_REQUEST_ID);
    case SHAPE(16, 'g'): return RULE("content-encoding", ANSWER_CONTENT_ENCODING);
    default: return RULE("", ANSWER_STAYS);
    }
}

static struct rule answer_prefix(struct span name)
{
    switch (name.len == 0 ? 0 : lower(name.at[0])) {
    case 'x': return RULE("x-ratelimit-", ANSWER_PASSES);
    case 'a': return RULE("anthropic-", ANSWER_PASSES);
    case 'o': return RULE("openai-", ANSWER_PASSES);
    default: return RULE("", ANSWER_STAYS);
    }
}

static bool begins_with(struct span name, struct span prefix)
{
    return name.len > prefix.len && span_starts_nocase(name, prefix);
}

enum head_use head_use(struct span name)
{
    struct rule rule = request_rule(name);
    struct rule prefix = {0};

    if (rule.name.len > 0 && span_equal_nocase(name, rule.name)) {
        return (enum head_use)rule.use;
    }
    prefix = request_prefix(name);
    return begins_with(name, prefix.name) ? (enum head_use)prefix.use : HEAD_STAYS;
}

enum answer_use answer_use(struct span name)
{
    struct rule rule = answer_rule(name);
    struct rule prefix = {0};

    if (rule.name.len > 0 && span_equal_nocase(name, rule.name)) {
        return (enum answer_use)rule.use;
    }
    prefix = answer_prefix(name);
    return begins_with(name, prefix.name) ? (enum answer_use)prefix.use : ANSWER_STAYS;
}

static bool block_is_plain(const char *at)
{
    struct block_marks marks;

    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        signed char c = (signed char)at[i]; /* below 0: not ASCII */

        marks.at[i] = block_mark(((c < ' ') & (c != '\t')) | (c == 0x7f));
    }
    return block_first(&marks) == BLOCK_BYTES;
}

bool head_value_is_plain(struct span value)
{
    size_t i = 0;

    for (; i + BLOCK_BYTES <= value.len; i += BLOCK_BYTES) {
        if (!block_is_plain(value.at + i)) {
            return false;
        }
    }
    for (; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < ' ' && c != '\t') || c >= 0x7f) {
            return false;
        }
    }
    return true;
}

bool head_nominates(struct span connection, struct span name)
{
    while (connection.len > 0) {
        if (span_equal_nocase(span_trim(span_cut(&connection, ',')), name)) {
            return true;
        }
    }
    return false;
}

void head_put(struct buf *out, struct span name, struct span value)
{
    buf_put(out, name);
    buf_put(out, SPAN_OF(": "));
    buf_put(out, value);
    buf_put(out, SPAN_OF("\r\n"));
}
