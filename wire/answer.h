/* SPDX-License-Identifier: Apache-2.0 */
/* wire/answer.h: what the readers of answers share: how providers spell an error, whichever dialect
 * they were asked in, and a fast look for a member that avoids a scan of every streamed event. */
#ifndef WIRE_ANSWER_H
#define WIRE_ANSWER_H

#include "wire/dialect.h"

/* The places of an error. A reader's paths begin with these rows, its hits with their hits. */
#define ANSWER_ERROR_PATHS                                                                         \
    JSON_PATH1("error"), JSON_PATH2("error", "type"), JSON_PATH2("error", "code"),                 \
        JSON_PATH2("error", "message"), JSON_PATH2("error", "status"),                             \
        JSON_PATH3("error", "details", "error_code"),                                              \
        JSON_PATH3("error", "metadata", "error_type"), JSON_PATH1("type"), JSON_PATH1("code"),     \
        JSON_PATH1("message"), JSON_PATH1("detail")
enum { ANSWER_ERROR_PLACES = 11 };
/* Where a dialect's own members begin. */
enum { ANSWER_ERROR_PLACE = 0, ANSWER_TYPE_PLACE = 7, ANSWER_CODE_PLACE = 8, ANSWER_MESSAGE_PLACE = 9 };

/* Fills `error` from the hits of ANSWER_ERROR_PATHS. Without an error member, a bare message or
 * detail counts as an error too, but only where nothing that was asked for came (has_result). */
void answer_read_error(const struct json_hit *hits, struct span document, bool has_result,
                       struct provider_error *error);

/* The value's text: of a string without quotes, of a number its digits, else empty. */
struct span answer_text(const struct json_hit *hit, struct span document);
/* The same of a name that others know too, so without its escapes: put into `room` where it has any. One
 * that is longer than that stays as it stands. */
struct span answer_name(const struct json_hit *hit, struct span document, char *room, size_t size);
/* The bytes of an object; empty for anything else. */
struct span answer_object(const struct json_hit *hit, struct span document);
/* Whether there is something in it: a string, array or object that is not empty. */
bool answer_is_filled(const struct json_hit *hit);
/* Whether one of these hits is a number. */
bool answer_has_number(const struct json_hit *hits, size_t count);

/* Which of these members stand in the document with a value other than null, told from the bytes alone, never by
 * a mistake of text that looks like one: bit i for names[i]. `names` are plain text. ANSWER_ESCAPED: there is a
 * name that is spelled with escapes and may be one of them. */
enum { ANSWER_ESCAPED = 1 << 16 };
unsigned answer_members(struct span document, const struct span *names, size_t count);

/* In the last bytes of a document: the value behind the last `"name":` (`quoted`: with its quotes), an
 * object or a string; absent when it is of another kind or does not end there. A name that is spelled with
 * escapes is not found: no provider is known to write one. */
struct json_hit answer_last_value(struct json_scan *scan, struct span end, struct span quoted,
                                  enum json_kind kind);

/* Puts JSON into a line of an event: line breaks between its tokens become blanks. */
void answer_put_line(struct buf *out, struct span json);

/* Of a valid document: whether its value is an object. */
bool answer_is_object(struct span document);
/* One pass over a provider's document. False when it is not a valid JSON object. `paths` are constants of the
 * program. */
MUST_CHECK bool answer_scan(struct json_scan *scan, const struct json_path *paths, size_t count,
                            struct span document, struct json_hit *hits);

/* Finds the figures of a usage object that has been scanned: figures[USAGE_PLACES]. rows[i] is the
 * enum usage_figure that stands at hits[i]. Of several spellings the first with a number counts, else
 * the first that is not null. False: none is there. */
bool answer_figures(const uint8_t *rows, size_t count, const struct json_hit *hits,
                    struct json_hit *figures);

/* The model that answers, from the first event that tells it. */
void answer_note_model(struct stream *stream, const struct json_hit *hit, struct span data);
/* Counts what an event brought, once it has been read. An oversized event is one, whatever its
 * pieces are. */
static inline void answer_count(struct stream *stream, const struct sse_event *event,
                                bool is_content, bool is_usage)
{
    if (is_content) {
        stream->content_events += !event->is_piece || event->is_last_piece;
        stream->content_bytes += event->is_piece ? event->raw.len : event->data.len;
    }
    if (is_usage && stream->meter.took_output) {
        stream->told_events = stream->content_events;
        stream->told_bytes = stream->content_bytes;
    }
}

#endif
