/* SPDX-License-Identifier: Apache-2.0 */
/* The list of complaints and the places that must never be shown. */
#include "conf/complaint.h"

#include <string.h>

#include "base/format.h"
#include "base/suggest.h"

void complaints_init(struct complaints *complaints)
{
    *complaints = (struct complaints){.count = 0};
}

/* Less than, equal to or greater than zero, by place. */
static int place_order(const struct complaint *a, const struct complaint *b)
{
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    if (a->column != b->column) {
        return a->column < b->column ? -1 : 1;
    }
    return 0;
}

/* Where it belongs; `is_known` when the same one is already there. */
static size_t find_slot(const struct complaints *complaints, const struct complaint *complaint,
                        bool *is_known)
{
    size_t at = complaints->count;

    *is_known = false;
    while (at > 0 && place_order(&complaints->list[at - 1], complaint) >= 0) {
        const struct complaint *before = &complaints->list[at - 1];

        if (place_order(before, complaint) > 0) {
            at--;
            continue;
        }
        if (strcmp(before->text, complaint->text) == 0) {
            *is_known = true;
        }
        break;
    }
    return at;
}

struct complaint *complaint_add(struct complaints *complaints, uint32_t line, uint32_t column,
                                uint32_t width, const char *format, ...)
{
    struct complaint fresh = {.line = line, .column = column, .width = width == 0 ? 1 : width};
    bool is_known = false;
    size_t at = 0;
    va_list args;

    va_start(args, format);
    format_cut(fresh.text, sizeof fresh.text, format, args);
    va_end(args);
    at = find_slot(complaints, &fresh, &is_known);
    if (is_known) {
        return NULL;
    }
    if (complaints->count == COMPLAINTS_MAX) {
        complaints->more++;
        if (at == COMPLAINTS_MAX) {
            return NULL;
        }
        complaints->count--;
    }
    memmove(&complaints->list[at + 1], &complaints->list[at],
            (complaints->count - at) * sizeof fresh);
    complaints->list[at] = fresh;
    complaints->count++;
    return &complaints->list[at];
}

void complaint_help(struct complaint *complaint, const char *format, ...)
{
    va_list args;

    if (complaint == NULL) {
        return;
    }
    va_start(args, format);
    format_cut(complaint->help, sizeof complaint->help, format, args);
    va_end(args);
}

bool complaint_suggest(struct complaint *complaint, struct span word, const struct span *names,
                       size_t count)
{
    int near = suggest_nearest(word, names, count);

    if (near >= 0) {
        complaint_help(complaint, "did you mean \"%.*s\"?", SPAN_ARGS(names[near]));
    }
    return near >= 0;
}

void complaint_hide(struct complaints *complaints, struct hidden place)
{
    if (complaints->hidden_count == HIDDEN_MAX) {
        complaints->hides_lines = true;
        return;
    }
    complaints->hidden[complaints->hidden_count++] = place;
}

bool complaint_is_secret(struct span key)
{
    static const struct span words[] = {SPAN("cred"),  SPAN("token"), SPAN("secret"),
                                        SPAN("passw"), SPAN("auth"),  SPAN("key")};

    if (span_starts(key, SPAN_OF("tokens"))) {
        return false;
    }
    for (size_t from = 0; from < key.len; from++) {
        for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
            if (span_starts_nocase(span_from(key, from), words[i])) {
                return true;
            }
        }
    }
    return false;
}

/* The part of a text that may be quoted: a key that swallowed its value ends at the colon. */
static struct span quotable(struct span text)
{
    const char *colon = text.len == 0 ? NULL : memchr(text.at, ':', text.len);

    if (colon != NULL && complaint_is_secret(text)) {
        text.len = (size_t)(colon - text.at) + 1;
    }
    return text;
}

const char *complaint_quote(struct span text, char out[QUOTE_SIZE])
{
    static const char dots[] = "...";
    size_t max = QUOTE_SIZE - sizeof dots;
    size_t len = 0;

    if (span_starts(text, SPAN_OF("sk-"))) {
        memcpy(out, "sk-****", sizeof "sk-****");
        return out;
    }
    text = quotable(text);
    len = text.len <= max ? text.len : max;
    /* Never cut inside a UTF-8 character. */
    while (len > 0 && len < text.len && ((unsigned char)text.at[len] & 0xc0U) == 0x80U) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        out[i] = c < 0x20 || c == 0x7f ? '?' : text.at[i];
    }
    memcpy(out + len, len < text.len ? dots : "", len < text.len ? sizeof dots : 1);
    return out;
}
