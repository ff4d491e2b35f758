/* SPDX-License-Identifier: Apache-2.0 */
/* Complaints as people read them:
 *
 *     headgate.yaml:14:7: error: unknown key "retrys" in routes.smart
 *       14 |       retrys: { attempts: 3 }
 *          |       ^~~~~~
 *       help: did you mean "retry"? keys here: match, targets, timeouts
 *
 * Columns count characters, as editors do. A long line is shown as a window around the place. */
#include "conf/complaint.h"

enum { WINDOW = 100, BEFORE = 40, SPANS_MAX = 16, SUSPECT = 20 };

/* What of one line is masked on suspicion, as offsets into the line. */
struct masked {
    size_t count;
    struct {
        size_t from;
        size_t to;
    } list[SPANS_MAX];
    bool is_full; /* more than fit: everything is masked */
};

static void mask(struct masked *masked, size_t from, size_t to)
{
    if (masked->count == SPANS_MAX) {
        masked->is_full = true;
        return;
    }
    masked->list[masked->count].from = from;
    masked->list[masked->count].to = to;
    masked->count++;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == '+' || c == '/' || c == '=';
}

/* Words that look like keys: begun like one, or (when nothing else is known) long with digits. */
static void mask_words(struct span line, bool is_cautious, struct masked *masked)
{
    size_t start = 0;
    size_t digits = 0;

    for (size_t i = 0; i <= line.len; i++) {
        struct span word = span_make(line.at + start, i - start);

        if (i < line.len && is_word(line.at[i])) {
            digits += is_digit(line.at[i]) ? 1 : 0;
            continue;
        }
        if (span_starts(word, SPAN_OF("sk-")) ||
            (is_cautious && word.len >= SUSPECT && digits > 0)) {
            mask(masked, start, i);
        }
        start = i + 1;
        digits = 0;
    }
}

/* Without a tree everything behind a key that names a secret is hidden, to the end of the line. */
static void mask_values(struct span line, struct masked *masked)
{
    static const struct span names[] = {SPAN("credential"), SPAN("token"), SPAN("secret"),
                                        SPAN("password"), SPAN("key")};

    for (size_t from = 0; from < line.len; from++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (span_starts_nocase(span_from(line, from), names[i])) {
                mask(masked, from + names[i].len, line.len);
                return;
            }
        }
    }
}

static struct span line_at(struct span text, uint32_t line)
{
    struct span found = {NULL, 0};

    if (span_starts(text, SPAN_OF("\xef\xbb\xbf"))) {
        text = span_from(text, 3);
    }
    for (uint32_t i = 0; i < line && text.at != NULL; i++) {
        found = span_cut(&text, '\n');
        if (i + 1 < line && text.at == NULL) {
            return span_make("", 0);
        }
    }
    if (found.len > 0 && found.at[found.len - 1] == '\r') {
        found.len--;
    }
    return found;
}

static bool is_hidden(const struct complaints *complaints, uint32_t line, size_t column)
{
    for (size_t i = 0; i < complaints->hidden_count; i++) {
        const struct hidden *hidden = &complaints->hidden[i];
        bool has_begun = line > hidden->line || (line == hidden->line && column >= hidden->column);
        bool has_ended =
            line > hidden->end_line || (line == hidden->end_line && column >= hidden->end_column);

        if (has_begun && !has_ended) {
            return true;
        }
    }
    return false;
}

static bool is_masked(const struct masked *masked, size_t at)
{
    for (size_t i = 0; i < masked->count; i++) {
        if (at >= masked->list[i].from && at < masked->list[i].to) {
            return true;
        }
    }
    return masked->is_full;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0U) == 0x80U;
}

/* The characters first..last of the line (from 1), secrets as stars, controls as question marks.
 * Returns how many characters the line has. */
static size_t put_window(const struct complaints *complaints, uint32_t number, struct span line,
                         size_t first, struct buf *out)
{
    struct masked masked = {.count = 0};
    size_t column = 0;

    mask_words(line, complaints->is_cautious, &masked);
    if (complaints->is_cautious) {
        mask_values(line, &masked);
    }
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.at[i];
        bool is_hiding = false;
        bool is_odd = false;

        column += is_continuation(line.at[i]) ? 0 : 1;
        if (column < first || column >= first + WINDOW) {
            continue;
        }
        is_hiding = is_masked(&masked, i) || is_hidden(complaints, number, column);
        /* A file that could not be read may hold anything, also what moves a terminal's cursor. */
        is_odd = c < 0x20 || c == 0x7f || (c >= 0x80 && complaints->is_cautious);
        if ((is_hiding || is_odd) && is_continuation(line.at[i])) {
            continue;
        }
        buf_put_char(out, is_hiding ? '*' : is_odd ? '?' : line.at[i]);
    }
    return column;
}

static void put_many(struct buf *out, char c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put_char(out, c);
    }
}

static size_t digits_of(uint32_t number)
{
    size_t digits = 1;

    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

static void put_line(const struct complaints *complaints, const struct complaint *complaint,
                     struct span text, struct buf *out)
{
    struct span line = line_at(text, complaint->line);
    size_t first = complaint->column > WINDOW - BEFORE / 2 ? complaint->column - BEFORE : 1;
    size_t lead = first > 1 ? 3 : 0;
    size_t room = WINDOW - (complaint->column - first);
    size_t width = complaint->width < room ? complaint->width : room;
    size_t columns = 0;

    buf_put_text(out, "  ");
    buf_put_u64(out, complaint->line);
    buf_put_text(out, lead > 0 ? " | ..." : " | ");
    columns = put_window(complaints, complaint->line, line, first, out);
    buf_put_text(out, columns >= first + WINDOW ? "...\n" : "\n");
    put_many(out, ' ', 2 + digits_of(complaint->line));
    buf_put_text(out, " | ");
    put_many(out, ' ', lead + complaint->column - first);
    buf_put_char(out, '^');
    put_many(out, '~', width - 1);
    buf_put_char(out, '\n');
}

static void put_complaint(const struct complaints *complaints, const struct complaint *complaint,
                          struct span name, struct span text, struct buf *out)
{
    buf_put(out, name);
    if (complaint->line > 0) {
        buf_put_text(out, name.len > 0 ? ":" : "line ");
        buf_put_u64(out, complaint->line);
        buf_put_char(out, ':');
        buf_put_u64(out, complaint->column);
    }
    buf_put_text(out, name.len > 0 || complaint->line > 0 ? ": error: " : "error: ");
    buf_put_text(out, complaint->text);
    buf_put_char(out, '\n');
    if (complaint->line > 0 && complaint->column > 0 && !complaints->hides_lines) {
        put_line(complaints, complaint, text, out);
    }
    if (complaint->help[0] != '\0') {
        buf_put_text(out, "  help: ");
        buf_put_text(out, complaint->help);
        buf_put_char(out, '\n');
    }
}

void complaints_print(const struct complaints *complaints, struct span name, struct span text,
                      struct buf *out)
{
    for (size_t i = 0; i < complaints->count; i++) {
        put_complaint(complaints, &complaints->list[i], name, text, out);
    }
    if (complaints->more > 0) {
        buf_put_text(out, "and ");
        buf_put_u64(out, complaints->more);
        buf_put_text(out, " more\n");
    }
}
