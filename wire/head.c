/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/head.h"

#include "base/must.h"

struct rule {
    struct span name;
    unsigned char use;
};

/* Sorted by length: a name is compared with those of its own length only. */
static const struct rule request_names[] = {
    {SPAN("accept"), HEAD_PASSES},
    {SPAN("api-key"), HEAD_KEY},
        {SPAN("x-api-key"), HEAD_KEY},
    {SPAN("tracestate"), HEAD_PASSES},
    {SPAN("user-agent"), HEAD_PASSES},
    {SPAN("traceparent"), HEAD_PASSES},
    {SPAN("content-type"), HEAD_CONTENT_TYPE},
    {SPAN("x-request-id"), HEAD_REQUEST_ID},
    {SPAN("authorization"), HEAD_AUTHORIZATION},
    {SPAN("openai-project"), HEAD_SCOPE},
    {SPAN("x-goog-api-key"), HEAD_KEY},
    {SPAN("x-headgate-trace"), HEAD_TRACE},
    {SPAN("content-encoding"), HEAD_CONTENT_ENCODING},
    {SPAN("x-server-timeout"), HEAD_PATIENCE},
    {SPAN("x-goog-api-client"), HEAD_PASSES},
    {SPAN("openai-organization"), HEAD_SCOPE},
    {SPAN("x-stainless-timeout"), HEAD_PATIENCE},
    {SPAN("x-client-request-id"), HEAD_PASSES},
    {SPAN("x-headgate-timeout-ms"), HEAD_TIMEOUT},
    {SPAN("anthropic-workspace-id"), HEAD_SCOPE},
};

/* Asked after the names above. */
static const struct rule request_prefixes[] = {
    {SPAN("x-stainless-"), HEAD_PASSES},
    {SPAN("anthropic-"), HEAD_PASSES},
    {SPAN("openai-"), HEAD_PASSES},
};

/* Sorted by length, as above. */
static const struct rule answer_names[] = {
    {SPAN("request-id"), ANSWER_REQUEST_ID},
    {SPAN("retry-after"), ANSWER_RETRY_AFTER},
    {SPAN("content-type"), ANSWER_CONTENT_TYPE},
    {SPAN("x-request-id"), ANSWER_REQUEST_ID},
    {SPAN("retry-after-ms"), ANSWER_RETRY_AFTER},
    {SPAN("content-encoding"), ANSWER_CONTENT_ENCODING},
};

static const struct rule answer_prefixes[] = {
    {SPAN("x-ratelimit-"), ANSWER_PASSES},
    {SPAN("anthropic-"), ANSWER_PASSES},
    {SPAN("openai-"), ANSWER_PASSES},
};

static bool has_first(struct span name, struct span wanted)
{
    return (name.at[0] | 0x20) == wanted.at[0];
}

static const struct rule *find(const struct rule *names, size_t names_count,
                               const struct rule *prefixes, size_t prefixes_count,
                               struct span name)
{
    for (size_t i = 0; i < names_count && names[i].name.len <= name.len; i++) {
        if (names[i].name.len == name.len && has_first(name, names[i].name) &&
            span_equal_nocase(names[i].name, name)) {
            return &names[i];
        }
    }
    for (size_t i = 0; i < prefixes_count; i++) {
        if (name.len > prefixes[i].name.len && has_first(name, prefixes[i].name) &&
            span_starts_nocase(name, prefixes[i].name)) {
            return &prefixes[i];
        }
    }
    return NULL;
}

enum head_use head_use(struct span name)
{
    const struct rule *rule = find(request_names, ARRAY_LENGTH(request_names), request_prefixes,
                                   ARRAY_LENGTH(request_prefixes), name);

    return rule == NULL ? HEAD_STAYS : (enum head_use)rule->use;
}

enum answer_use answer_use(struct span name)
{
    const struct rule *rule = find(answer_names, ARRAY_LENGTH(answer_names), answer_prefixes,
                                   ARRAY_LENGTH(answer_prefixes), name);

    return rule == NULL ? ANSWER_STAYS : (enum answer_use)rule->use;
}

/* Eight bytes at once: true when none is below a blank, above '~', or beyond ASCII. */
static bool word_is_plain(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones << 7;
    uint64_t word = 0;

    memcpy(&word, at, sizeof word);
    return ((word | (word - ones * ' ') | (word + ones)) & tops) == 0;
}

bool head_value_is_plain(struct span value)
{
    size_t i = 0;

    while (i + sizeof(uint64_t) <= value.len && word_is_plain(value.at + i)) {
        i += sizeof(uint64_t);
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
