/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as Bedrock tells them (bedrock.md 5, 8): by a name and a sentence. The name stands in a header of the
 * answer, in __type, or in the head of a message of a stream, where it begins with a small letter. */
#include "wire/dialects/bedrock.h"

#include "base/must.h"
#include "wire/json_walk.h"

static const struct {
    struct span name;
    int64_t status;
} statuses[] = {
    {SPAN("ThrottlingException"), 429},
    {SPAN("ValidationException"), 400},
    {SPAN("ModelNotReadyException"), 429},
    {SPAN("ModelTimeoutException"), 408},
    {SPAN("ModelErrorException"), 424},
    {SPAN("ModelStreamErrorException"), 424},
    {SPAN("InternalServerException"), 500},
    {SPAN("ServiceUnavailableException"), 503},
    {SPAN("ServiceQuotaExceededException"), 400},
    {SPAN("ResourceNotFoundException"), 404},
    {SPAN("AccessDeniedException"), 403},
    {SPAN("UnrecognizedClientException"), 403},
    {SPAN("InvalidSignatureException"), 403},
    {SPAN("ExpiredTokenException"), 403},
    {SPAN("IncompleteSignature"), 403},
};

struct span bedrock_error_name(struct span type)
{
    struct span rest = span_cut(&type, ':');
    struct span first = span_cut(&rest, '#'); /* a namespace, where anything follows */

    return rest.at == NULL ? first : rest;
}

int64_t bedrock_error_status(struct span name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        if (span_equal_nocase(name, statuses[i].name)) {
            return statuses[i].status;
        }
    }
    return 0;
}

/* Whether it can stand between the quotes of a string as it is. */
static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < ' ' || (unsigned char)text.at[i] > '~' || text.at[i] == '"' ||
            text.at[i] == '\\') {
            return false;
        }
    }
    return true;
}

void bedrock_error_of_message(struct json_scan *scan, const struct sse_event *event, struct provider_error *error)
{
    enum { MESSAGE, CAPITAL, ORIGINAL, PLACES };
    static const struct json_path paths[PLACES] = {JSON_PATH1("message"), JSON_PATH1("Message"),
                                                   JSON_PATH1("originalMessage")};
    struct json_hit hits[PLACES];

    *error = (struct provider_error){
        .is_present = true, .code = event->name, .status = bedrock_error_status(event->name)};
    if (!answer_scan(scan, paths, PLACES, event->data, hits)) {
        error->message = is_plain(event->data) ? event->data : span_make(NULL, 0);
        return;
    }
    for (size_t i = 0; i < PLACES && error->message.len == 0; i++) {
        error->message = hits[i].kind == JSON_STRING ? answer_text(&hits[i], event->data) : span_make(NULL, 0);
    }
}
