/* SPDX-License-Identifier: Apache-2.0 */
/* What a refusal is about: the code first, as the narrowest word; then the sentences, as the type
 * that comes with them is mostly "invalid_request_error"; then the type; then the status. */
#include "wire/blame.h"

#include "base/must.h"

/* With which statuses a row counts. */
enum statuses {
    STATUSES_ANY,
    STATUSES_UNAUTHORIZED,
    STATUSES_NOT_FOUND,
    STATUSES_FAULT, /* of the request: 400, 404, 413, 422 */
    STATUSES_BUSY   /* 429 and 5xx */
};

struct word {
    const char *text;
    uint8_t blame;    /* enum blame */
    uint8_t statuses; /* enum statuses */
};

struct sentence {
    const char *begins;
    const char *holds;
    uint8_t blame;
    uint8_t statuses;
};

static const struct word words[] = {
#define BLAME_WORD(blame, statuses, word) {word, BLAME_##blame, STATUSES_##statuses},
#include "wire/blames.def"
#undef BLAME_WORD
};

static const struct sentence sentences[] = {
#define BLAME_SENTENCE(blame, statuses, begins, holds)                                             \
    {begins, holds, BLAME_##blame, STATUSES_##statuses},
#include "wire/blames.def"
#undef BLAME_SENTENCE
};

static bool is_among(unsigned status, enum statuses statuses)
{
    switch (statuses) {
    case STATUSES_ANY: return true;
    case STATUSES_UNAUTHORIZED: return status == 401;
    case STATUSES_NOT_FOUND: return status == 404;
    case STATUSES_FAULT: return status == 400 || status == 404 || status == 413 || status == 422;
    case STATUSES_BUSY: return status == 429 || status >= 500;
    }
    return false;
}

static enum blame by_word(unsigned status, struct span text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal_nocase(span_of(words[i].text), text) &&
            is_among(status, (enum statuses)words[i].statuses)) {
            return (enum blame)words[i].blame;
        }
    }
    return BLAME_NONE;
}

static bool holds(struct span message, struct span needle)
{
    for (size_t i = 0; i + needle.len <= message.len; i++) {
        if (span_starts_nocase(span_from(message, i), needle)) {
            return true;
        }
    }
    return false;
}

static enum blame by_sentence(unsigned status, struct span message)
{
    if (message.len > BLAME_MESSAGE_MAX) {
        message.len = BLAME_MESSAGE_MAX;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(sentences); i++) {
        const struct sentence *sentence = &sentences[i];
        if (is_among(status, (enum statuses)sentence->statuses) &&
            span_starts_nocase(message, span_of(sentence->begins)) &&
            holds(message, span_of(sentence->holds))) {
            return (enum blame)sentence->blame;
        }
    }
    return BLAME_NONE;
}

/* 498 is a bad token at Cohere and no capacity at Groq (openai-compatible.md 3); 408, 409, 424 and
 * 425 tell of a moment, not of the request (resilience.md 3). */
static enum blame by_status(unsigned status)
{
    switch (status) {
    case 401: return BLAME_AUTH;
    case 402: return BLAME_QUOTA;
    case 403: return BLAME_PERMISSION;
    case 429: return BLAME_RATE;
    case 529: return BLAME_OVERLOADED;
    case 408:
    case 409:
    case 424:
    case 425:
    case 498:
    case 499: return BLAME_NONE;
    default: return status >= 400 && status < 500 ? BLAME_REQUEST : BLAME_NONE;
    }
}

enum blame blame_of(unsigned status, const struct provider_error *error)
{
    enum blame blame = BLAME_NONE;

    if (error != NULL && error->is_present) {
        if (error->status >= 400 && error->status <= 599) {
            status = (unsigned)error->status;
        }
        blame = by_word(status, error->code);
        if (blame == BLAME_NONE) {
            blame = by_sentence(status, error->message);
        }
        if (blame == BLAME_NONE) {
            blame = by_word(status, error->type);
        }
    }
    return blame == BLAME_NONE ? by_status(status) : blame;
}

struct span blame_name(const struct http1_head *head, const char *base)
{
    int i = http1_find(head, base, SPAN_OF("x-amzn-errortype"), 0);
    struct span value = i < 0 ? span_make("", 0) : http1_value(head, base, (size_t)i);
    struct span rest = span_cut(&value, ':');
    struct span name = span_cut(&rest, '#'); /* a namespace, where anything follows */

    return span_trim(rest.at == NULL ? name : rest);
}
