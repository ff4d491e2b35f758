/* SPDX-License-Identifier: Apache-2.0 */
/* What all dialects share. The text is kept in the spelling it came in, so that nothing is decoded
 * and written anew: pieces of JSON strings side by side are a JSON string. */
#include "wire/resume_parts.h"

#include "base/limits.h"
#include "base/must.h"
#include "wire/answer.h"
#include "wire/estimate.h"
#include "wire/json_text.h"

/* ---- begin and end ---- */

void resume_begin(struct resume *resume, struct json_scan *scan, const struct request *request)
{
    struct json_hit hits[JSON_PATHS_MAX];
    const struct resume_row *row = request->operation->resume;

    *resume = (struct resume){.row = NULL};
    buf_init(&resume->text, LIMIT_RESUME_TEXT);
    buf_init(&resume->names_text, LIMIT_RESUME_NAMES);
    buf_init(&resume->turn, LIMIT_RESUME_TEXT + LIMIT_RESUME_NAMES);
    for (size_t i = 0; i < USAGE_FIGURES; i++) {
        resume->past[i] = -1;
    }
    if (row != NULL && request->is_stream &&
        answer_scan(scan, row->paths, row->paths_count, request->body, hits) &&
        hits[RESUME_MESSAGES].kind == JSON_ARRAY && row->may(hits, request->body)) {
        resume->row = row;
        resume->now.is_possible = true;
        resume->kept = resume->now;
    }
}

void resume_fini(struct resume *resume)
{
    resume->row = NULL;
    buf_fini(&resume->text);
    buf_fini(&resume->names_text);
    buf_fini(&resume->turn);
}

bool resume_can(const struct resume *resume, const struct stream *stream)
{
    return resume->row != NULL && resume->now.is_possible && !stream->saw_finish &&
           !stream->saw_terminal;
}

/* ---- text ---- */

void resume_give_up(struct resume *resume)
{
    resume->now.is_possible = false;
}

void resume_take_text(struct resume *resume, struct span raw)
{
    if (!resume->now.is_possible) {
        return;
    }
    buf_put(&resume->text, raw);
    resume->now.text_len = resume->text.len;
    if (resume->text.failed) {
        resume_give_up(resume);
    }
}

/* One character off the front of a raw text, as UTF-8. */
static struct span take_character(struct span *raw, char bytes[4])
{
    size_t length = 1;

    if (raw->at[0] == '\\') {
        return span_make(bytes, json_text_unescape(raw, bytes));
    }
    if ((unsigned char)raw->at[0] >= 0x80) {
        length = json_text_character(raw->at, raw->at + raw->len);
        length = length == 0 ? 1 : length;
    }
    memcpy(bytes, raw->at, length);
    *raw = span_from(*raw, length);
    return span_make(bytes, length);
}

/* What a provider may call white space: that of Unicode, as most languages trim it. */
static bool is_blank(struct span character)
{
    static const struct span wide[] = {
        SPAN("\xc2\x85"),     SPAN("\xc2\xa0"),     SPAN("\xe1\x9a\x80"), SPAN("\xe2\x80\x80"),
        SPAN("\xe2\x80\x81"), SPAN("\xe2\x80\x82"), SPAN("\xe2\x80\x83"), SPAN("\xe2\x80\x84"),
        SPAN("\xe2\x80\x85"), SPAN("\xe2\x80\x86"), SPAN("\xe2\x80\x87"), SPAN("\xe2\x80\x88"),
        SPAN("\xe2\x80\x89"), SPAN("\xe2\x80\x8a"), SPAN("\xe2\x80\xa8"), SPAN("\xe2\x80\xa9"),
        SPAN("\xe2\x80\xaf"), SPAN("\xe2\x81\x9f"), SPAN("\xe3\x80\x80")};
    unsigned char c = (unsigned char)character.at[0];

    if (character.len == 1) {
        return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(wide); i++) {
        if (span_equal(character, wide[i])) {
            return true;
        }
    }
    return false;
}

/* Where the white space at the end of a raw text begins. */
static size_t blank_tail(struct span text)
{
    struct span rest = text;
    size_t end = 0;

    while (rest.len > 0) {
        char bytes[4];

        if (!is_blank(take_character(&rest, bytes))) {
            end = text.len - rest.len;
        }
    }
    return end;
}

struct span resume_turn_text(struct resume *resume, bool is_trimmed)
{
    struct span text = buf_span(&resume->text);

    resume->now.blank_at = resume->now.blank_end = text.len;
    if (is_trimmed) {
        text.len = resume->now.blank_at = blank_tail(text);
    }
    return text;
}

/* The app has "Hello \n", the provider was given "Hello": what it repeats of " \n" is not new. */
struct span resume_new_text(struct resume *resume, struct span raw)
{
    struct resume_state *now = &resume->now;

    while (raw.len > 0 && now->blank_at < now->blank_end) {
        struct span had =
            span_make(resume->text.at + now->blank_at, now->blank_end - now->blank_at);
        struct span came = raw;
        char had_bytes[4];
        char came_bytes[4];

        if (!span_equal(take_character(&had, had_bytes), take_character(&came, came_bytes))) {
            now->blank_at = now->blank_end;
            break;
        }
        now->blank_at = now->blank_end - had.len;
        raw = came;
    }
    return raw;
}

/* ---- events ---- */

/* An event that is not read: too long to be held, or without data. */
static enum resume_step unread(struct resume *resume, const struct sse_event *event)
{
    if (event->is_piece) {
        resume_give_up(resume);
        return resume->is_continuing ? RESUME_BROKEN : RESUME_PASS;
    }
    return resume->is_continuing && !resume->now.is_joined ? RESUME_DROP : RESUME_PASS;
}

enum resume_step resume_event(struct resume *resume, const struct resume_look *look)
{
    bool had_text = resume->now.text_len > resume->kept.text_len;
    enum resume_step step = RESUME_PASS;

    if (resume->row == NULL || (!resume->now.is_possible && !resume->is_continuing)) {
        return RESUME_PASS;
    }
    if (look->event->is_piece || !look->event->has_data) {
        step = unread(resume, look->event);
    } else {
        step = resume->row->event(resume, look);
        resume->has_late_usage = resume->has_late_usage || (look->view->is_usage && had_text);
    }
    if (look->out->failed) {
        step = RESUME_BROKEN;
    }
    if (!resume->now.is_possible && !resume->is_continuing) {
        buf_fini(&resume->text); /* never needed again; a continuing stream may yet be taken back */
    }
    return step;
}

/* ---- edits of an event ---- */

static void add_change(struct resume_changes *changes, uint64_t at, uint64_t cut, struct span put)
{
    must(changes->count < RESUME_CHANGES_MAX);
    changes->list[changes->count++] = (struct json_edit){.at = at, .cut = cut, .put = put};
}

void resume_replace(struct resume_changes *changes, const struct json_hit *hit, struct span put)
{
    add_change(changes, hit->at, hit->len, put);
}

void resume_insert(struct resume_changes *changes, uint64_t at, struct span put)
{
    add_change(changes, at, 0, put);
}

static void number_put(struct buf *buf, char *at)
{
    *buf = (struct buf){.at = at, .cap = RESUME_DIGITS_MAX, .max = RESUME_DIGITS_MAX};
}

void resume_replace_number(struct resume_changes *changes, const struct json_hit *hit,
                           int64_t number)
{
    struct buf text;

    must(number >= 0 && changes->count < RESUME_CHANGES_MAX);
    number_put(&text, changes->digits[changes->count]);
    buf_put_u64(&text, (unsigned long long)number);
    resume_replace(changes, hit, buf_span(&text));
}

void resume_insert_number(struct resume_changes *changes, const struct json_hit *object,
                          struct span name, int64_t number)
{
    struct buf text;

    must(number >= 0 && changes->count < RESUME_CHANGES_MAX);
    number_put(&text, changes->digits[changes->count]);
    buf_put_char(&text, '"');
    buf_put(&text, name);
    buf_put(&text, SPAN_OF("\":"));
    buf_put_u64(&text, (unsigned long long)number);
    buf_put_char(&text, ',');
    must(!text.failed && object->count > 0);
    resume_insert(changes, object->at + 1, buf_span(&text));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void resume_cut_member(struct resume_changes *changes, struct span document,
                       const struct json_hit *value, struct span name)
{
    size_t from = (size_t)value->at;
    size_t to = from + (size_t)value->len;

    while (from > 0 && document.at[from - 1] != '"') { /* the colon and blanks */
        from--;
    }
    if (from < name.len + 2 || document.at[from - name.len - 2] != '"' ||
        memcmp(document.at + (from - name.len - 1), name.at, name.len) != 0) {
        return; /* spelled with escapes: nobody does */
    }
    from -= name.len + 2;
    while (to < document.len && is_space(document.at[to])) {
        to++;
    }
    if (to < document.len && document.at[to] == ',') {
        to++;
    } else {
        while (from > 0 && is_space(document.at[from - 1])) {
            from--;
        }
        from -= from > 0 && document.at[from - 1] == ',';
    }
    add_change(changes, from, to - from, span_make(NULL, 0));
}

void resume_sort(struct json_edit *edits, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct json_edit edit = edits[i];
        size_t k = i;

        for (; k > 0 && edits[k - 1].at > edit.at; k--) {
            edits[k] = edits[k - 1];
        }
        edits[k] = edit;
    }
}

/* A line feed in the data is a line of its own on the wire. */
static void put_data(struct buf *out, struct span data)
{
    while (data.len > 0) {
        const char *feed = memchr(data.at, '\n', data.len);
        size_t line = feed == NULL ? data.len : (size_t)(feed - data.at);

        buf_put(out, span_make(data.at, line));
        if (feed != NULL) {
            buf_put(out, SPAN_OF("\ndata: "));
            line++;
        }
        data = span_from(data, line);
    }
}

enum resume_step resume_write(struct buf *out, const struct sse_event *event,
                              struct resume_changes *changes)
{
    size_t at = 0;

    if (changes->count == 0) {
        return RESUME_PASS;
    }
    resume_sort(changes->list, changes->count);
    if (event->name.len > 0) {
        buf_put(out, SPAN_OF("event: "));
        buf_put(out, event->name);
        buf_put_char(out, '\n');
    }
    buf_put(out, SPAN_OF("data: "));
    for (size_t i = 0; i < changes->count; i++) {
        const struct json_edit *edit = &changes->list[i];

        must(edit->at >= at && edit->at + edit->cut <= event->data.len);
        put_data(out, span_make(event->data.at + at, (size_t)edit->at - at));
        put_data(out, edit->put);
        at = (size_t)(edit->at + edit->cut);
    }
    put_data(out, span_from(event->data, at));
    buf_put(out, SPAN_OF("\n\n"));
    return RESUME_PUT;
}

/* ---- usage ---- */

static int64_t add_told(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : a + b;
}

int64_t resume_sum(const struct resume *resume, const struct meter *meter, enum usage_figure figure)
{
    return add_told(resume->past[figure], meter->told[figure]);
}

/* The figures of one stream that broke off. Before its end a provider tells its output not at all
 * or as it was at the beginning (anthropic.md 6): it is estimated then, from the text. */
static void own_figures(const struct resume *resume, const struct meter *meter,
                        int64_t told[USAGE_FIGURES])
{
    size_t bytes = resume->now.text_len - resume->kept.text_len;
    int64_t guess = (int64_t)estimate_input(bytes);

    memcpy(told, meter->told, USAGE_FIGURES * sizeof told[0]);
    if (!resume->has_late_usage && guess > told[USAGE_OUTPUT]) {
        told[USAGE_OUTPUT] = guess;
    }
    if (told[USAGE_TOTAL] < 0 || !resume->has_late_usage) {
        told[USAGE_TOTAL] = add_told(told[USAGE_INPUT], told[USAGE_OUTPUT]);
    }
}

void resume_usage(const struct resume *resume, const struct stream *stream, struct meter *sum)
{
    *sum = stream->meter;
    if (!resume->is_continuing) {
        return;
    }
    for (size_t i = 0; i < USAGE_FIGURES; i++) {
        sum->told[i] = resume_sum(resume, &stream->meter, (enum usage_figure)i);
    }
    if (stream->meter.told[USAGE_TOTAL] < 0) {
        sum->told[USAGE_TOTAL] = -1; /* one of two parts is no total */
    }
    sum->is_anomalous = sum->is_anomalous || resume->past_is_anomalous;
    sum->has_other_models = sum->has_other_models || resume->past_has_other_models;
    sum->cost = (struct usage_cost){.len = 0}; /* nor is the cost of the last one that of all */
}

void resume_leave(struct resume *resume, const struct stream *stream, bool was_shown)
{
    int64_t told[USAGE_FIGURES];

    if (was_shown) {
        own_figures(resume, &stream->meter, told);
        for (size_t i = 0; i < USAGE_FIGURES; i++) {
            resume->past[i] = add_told(resume->past[i], told[i]);
        }
        resume->kept = resume->now;
        resume->past_is_anomalous = resume->past_is_anomalous || stream->meter.is_anomalous;
        resume->past_has_other_models =
            resume->past_has_other_models || stream->meter.has_other_models;
    } else {
        resume->now = resume->kept;
        if (resume->now.text_len < resume->text.len) {
            buf_truncate(&resume->text, resume->now.text_len);
        }
    }
    resume->now.is_joined = resume->kept.is_joined = false;
    resume->is_continuing = true;
    resume->has_late_usage = false;
}
