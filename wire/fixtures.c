/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to the built-in provider's answer: the path finds a row, the body becomes a wish,
 * the row's function writes the payload, and the head is put in front of it. */
#include "wire/fixtures.h"

#include "wire/fixtures_parts.h"
#include "wire/path_model.h"

enum { HEAD_MAX = 1024, MARK_WORD = 1 };

void fixture_init(struct fixture *fixture)
{
    buf_init(&fixture->head, HEAD_MAX);
    buf_init(&fixture->payload, FIXTURE_PAYLOAD_MAX);
    buf_init(&fixture->marks, FIXTURE_PAYLOAD_MAX);
    fixture->is_stream = false;
}

void fixture_fini(struct fixture *fixture)
{
    buf_fini(&fixture->head);
    buf_fini(&fixture->payload);
    buf_fini(&fixture->marks);
}

/* ---- events ---- */

/* A mark is the event's end, shifted, with one bit that says whether it is a word. */
static void put_mark(struct fixture *fixture, bool is_word)
{
    uint32_t mark = (uint32_t)fixture->payload.len << 1 | (is_word ? MARK_WORD : 0);
    char bytes[sizeof mark];

    memcpy(bytes, &mark, sizeof mark);
    buf_put(&fixture->marks, span_make(bytes, sizeof bytes));
}

size_t fixture_events(const struct fixture *fixture)
{
    return fixture->marks.len / sizeof(uint32_t);
}

struct fixture_event fixture_event_at(const struct fixture *fixture, size_t i)
{
    uint32_t mark = 0;

    must(i < fixture_events(fixture));
    memcpy(&mark, fixture->marks.at + i * sizeof mark, sizeof mark);
    return (struct fixture_event){.end = mark >> 1, .is_word = (mark & MARK_WORD) != 0};
}

void fixture_event_begin(struct fixture_writer *writer, const char *name)
{
    struct buf *payload = &writer->fixture->payload;

    if (name != NULL) {
        buf_put_text(payload, "event: ");
        buf_put_text(payload, name);
        buf_put_char(payload, '\n');
    }
    buf_put_text(payload, "data: ");
    json_out_init(&writer->json, payload);
}

void fixture_event_end(struct fixture_writer *writer, bool is_word)
{
    buf_put_text(&writer->fixture->payload, "\n\n");
    put_mark(writer->fixture, is_word);
}

/* ---- what the operations share ---- */

void fixture_put_i64(struct json_out *json, const char *key, int64_t number)
{
    json_key(json, key);
    json_i64(json, number);
}

void fixture_put_null(struct json_out *json, const char *key)
{
    json_key(json, key);
    json_null(json);
}

void fixture_put_id(struct fixture_writer *writer, const char *key, const char *prefix,
                    uint32_t salt)
{
    static const char digits[] = "0123456789abcdef";
    char bytes[64];
    size_t len = strlen(prefix);
    uint64_t number = writer->wish->hash + salt;

    must(len + 16 <= sizeof bytes);
    memcpy(bytes, prefix, len);
    for (int shift = 60; shift >= 0; shift -= 4) {
        bytes[len++] = digits[number >> shift & 15];
    }
    json_key(&writer->json, key);
    json_string(&writer->json, span_make(bytes, len));
}

void fixture_put_model(struct fixture_writer *writer)
{
    json_key(&writer->json, "model");
    json_raw(&writer->json, writer->wish->model);
}

bool fixture_make_words(struct fixture_writer *writer, uint32_t choice)
{
    bool is_call = writer->wish->tool.len > 0;

    if (is_call) {
        fixture_words_arguments(&writer->words, writer->scan, writer->wish);
    } else {
        fixture_words_text(&writer->words, writer->wish, choice);
    }
    writer->output_tokens += (int64_t)writer->words.count + (is_call ? 1 : 0);
    return is_call;
}

/* ---- failures ---- */

struct failure {
    unsigned status;
    const char *message;
};

static const char *openai_type(unsigned status)
{
    switch (status) {
    case 401: return "authentication_error";
    case 402: return "insufficient_quota";
    case 403: return "permission_error";
    case 429: return "requests";
    default: return status < 500 ? "invalid_request_error" : "server_error";
    }
}

static const char *openai_code(unsigned status)
{
    switch (status) {
    case 401: return "invalid_api_key";
    case 402: return "insufficient_quota";
    case 404: return "not_found";
    case 429: return "rate_limit_exceeded";
    default: return NULL;
    }
}

static const char *anthropic_type(unsigned status)
{
    switch (status) {
    case 401: return "authentication_error";
    case 402: return "billing_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 409: return "conflict_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 504: return "timeout_error";
    case 529: return "overloaded_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
    }
}

static void put_request_id(struct buf *out, uint64_t number)
{
    buf_put_text(out, "req_fixture_");
    buf_put_u64(out, number);
}

/* Google's word for those statuses that settings and we ourselves make. */
static const char *gemini_word(unsigned status)
{
    switch (status) {
    case 401: return "UNAUTHENTICATED";
    case 403: return "PERMISSION_DENIED";
    case 404: return "NOT_FOUND";
    case 429: return "RESOURCE_EXHAUSTED";
    case 500: return "INTERNAL";
    case 504: return "DEADLINE_EXCEEDED";
    default: return status >= 500 ? "UNAVAILABLE" : "INVALID_ARGUMENT";
    }
}

static void write_gemini_failure(struct fixture *fixture, const struct failure *failure)
{
    struct json_out json;

    json_out_init(&json, &fixture->payload);
    json_open_object(&json);
    json_key(&json, "error");
    json_open_object(&json);
    fixture_put_i64(&json, "code", failure->status);
    json_member_text(&json, "message", failure->message);
    json_member_text(&json, "status", gemini_word(failure->status));
    json_close_object(&json);
    json_close_object(&json);
}

static void write_failure(struct fixture *fixture, const struct fixture_order *order,
                          const struct failure *failure)
{
    bool is_anthropic = order->dialect == &dialect_anthropic;
    struct json_out json;

    if (order->dialect == &dialect_gemini) {
        write_gemini_failure(fixture, failure);
        return;
    }
    json_out_init(&json, &fixture->payload);
    json_open_object(&json);
    if (is_anthropic) {
        json_member_text(&json, "type", "error");
    }
    json_key(&json, "error");
    json_open_object(&json);
    json_member_text(&json, "type",
                     is_anthropic ? anthropic_type(failure->status) : openai_type(failure->status));
    json_member_text(&json, "message", failure->message);
    if (!is_anthropic) {
        fixture_put_null(&json, "param");
        json_key(&json, "code");
        if (openai_code(failure->status) == NULL) {
            json_null(&json);
        } else {
            json_text(&json, openai_code(failure->status));
        }
    }
    json_close_object(&json);
    if (is_anthropic) {
        json_key(&json, "request_id");
        json_raw(&json, SPAN_OF("\""));
        put_request_id(&fixture->payload, order->number);
        buf_put_char(&fixture->payload, '"');
    }
    json_close_object(&json);
}

/* ---- the operations ---- */

struct row {
    const struct dialect *dialect;
    struct span operation;
    void (*write)(struct fixture_writer *writer);
    bool has_stream;
    bool has_tools;
    const char *(*judge)(const struct fixture_wish *wish); /* NULL: nothing more to check */
};

static const struct row rows[] = {
    {&dialect_openai, SPAN("chat"), fixture_openai_chat, true, true, NULL},
    {&dialect_openai, SPAN("responses"), fixture_openai_responses, true, true, NULL},
    {&dialect_openai, SPAN("completions"), fixture_openai_completions, true, false, NULL},
    {&dialect_openai, SPAN("embeddings"), fixture_openai_embeddings, false, false,
     fixture_wish_judge_vectors},
    {&dialect_openai, SPAN("models"), fixture_openai_models, false, false, NULL},
    {&dialect_anthropic, SPAN("messages"), fixture_anthropic_messages, true, true, NULL},
    {&dialect_anthropic, SPAN("count_tokens"), fixture_anthropic_count, false, false, NULL},
    {&dialect_anthropic, SPAN("models"), fixture_anthropic_models, false, false, NULL},
    {&dialect_gemini, SPAN("generate_content"), fixture_gemini_generate, true, true, NULL},
    {&dialect_gemini, SPAN("count_tokens"), fixture_gemini_count, false, false, NULL},
    {&dialect_gemini, SPAN("models"), fixture_gemini_models, false, false, NULL},
};

static const struct row *row_of(const struct dialect *dialect, struct span operation)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (rows[i].dialect == dialect && span_equal(rows[i].operation, operation)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* What the request line leads to. */
struct leads {
    const struct operation *operation;
    struct span model; /* that its path names */
};

static struct span path_of(struct span target)
{
    static const struct span versions[] = {SPAN("/v1"), SPAN("/v1beta"), SPAN("/v1alpha")};
    struct span path = span_cut(&target, '?');

    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        if (span_starts(path, versions[i]) && path.len > versions[i].len &&
            path.at[versions[i].len] == '/') {
            return span_from(path, versions[i].len);
        }
    }
    return path;
}

/* NULL: `failure` says why there is no row. */
static const struct row *find_row(const struct fixture_order *order, struct leads *leads,
                                  struct failure *failure)
{
    struct span line = order->head;
    struct span method = span_cut(&line, ' ');
    struct span path = path_of(span_cut(&line, ' '));

    for (const struct operation *o = order->dialect->operations; o->name != NULL; o++) {
        if (!span_equal(path, o->path) && !(path_model_is_method(o->path) &&
                                            path_model_find(path, o->path, &leads->model))) {
            continue;
        }
        leads->operation = o;
        if (span_equal(method, SPAN_OF("POST")) == (o->kind == OPERATION_MODELS)) {
            *failure = (struct failure){405, "The method is not allowed on this path."};
            return NULL;
        }
        break;
    }
    if (leads->operation == NULL ||
        row_of(order->dialect, span_of(leads->operation->name)) == NULL) {
        *failure = (struct failure){404, "The built-in provider does not serve this path."};
        return NULL;
    }
    return row_of(order->dialect, span_of(leads->operation->name));
}

/* What the path says and the body of other dialects would. `room`: for the name with its quotes. */
static void read_path(struct fixture_wish *wish, const struct leads *leads, struct buf *room)
{
    struct json_out json;

    wish->is_stream = wish->is_stream || leads->operation->is_stream;
    if (leads->model.len > 0) {
        json_out_init(&json, room);
        json_string(&json, leads->model);
        wish->model = buf_span(room);
        wish->hash = fixture_hash(wish->hash, wish->model);
    }
}

static bool write_answer(struct fixture *fixture, struct json_scan *scan,
                         const struct fixture_order *order, struct failure *failure)
{
    struct fixture_wish wish;
    struct fixture_writer writer = {.fixture = fixture, .scan = scan, .wish = &wish};
    struct leads leads = {0};
    const struct row *row = find_row(order, &leads, failure);
    struct span body = order->body;
    const char *complaint = NULL;
    char model[2 * LIMIT_MODEL_NAME + 2];
    struct buf room = {.at = model, .cap = sizeof model, .max = sizeof model};

    if (row == NULL) {
        return false;
    }
    if (body.len == 0) {
        body = SPAN_OF("{}"); /* the model list has none */
    }
    complaint = fixture_wish_read(&wish, scan, order->seed, body);
    if (complaint == NULL && row->judge != NULL) {
        complaint = row->judge(&wish);
    }
    if (complaint != NULL) {
        *failure = (struct failure){400, complaint};
        return false;
    }
    read_path(&wish, &leads, &room);
    wish.is_stream = wish.is_stream && row->has_stream;
    if (!row->has_tools) {
        wish.tool = span_make(NULL, 0);
    }
    fixture->is_stream = wish.is_stream;
    fixture_words_init(&writer.words);
    json_out_init(&writer.json, &fixture->payload);
    row->write(&writer);
    fixture->payload.failed |= writer.words.bytes.failed;
    fixture_words_fini(&writer.words);
    return true;
}

static void write_head(struct fixture *fixture, const struct fixture_order *order, unsigned status)
{
    struct buf *head = &fixture->head;
    const char *id = order->dialect->request_id_header;

    buf_put_text(head, "HTTP/1.1 ");
    buf_put_u64(head, status);
    buf_put_text(head, status == 200 ? " OK\r\n" : " Error\r\n");
    if (fixture->is_stream) {
        buf_put_text(head, "content-type: text/event-stream\r\ncache-control: no-cache\r\n"
                           "transfer-encoding: chunked\r\n");
    } else {
        buf_put_text(head, "content-type: application/json\r\ncontent-length: ");
        buf_put_u64(head, fixture->payload.len);
        buf_put_text(head, "\r\n");
    }
    if (status == 429) {
        buf_put_text(head, "retry-after: 1\r\n");
    }
    buf_put_text(head, id != NULL ? id : "x-request-id");
    buf_put_text(head, ": ");
    put_request_id(head, order->number);
    buf_put_text(head, "\r\n\r\n");
}

enum err fixture_write(struct fixture *fixture, struct json_scan *scan,
                       const struct fixture_order *order)
{
    struct failure failure = {order->status, "The built-in provider was told to fail here."};
    unsigned status = 200;

    if (order->status != 0 || !write_answer(fixture, scan, order, &failure)) {
        status = failure.status;
        write_failure(fixture, order, &failure);
    }
    if (!fixture->is_stream) {
        put_mark(fixture, false);
    }
    write_head(fixture, order, status);
    return fixture->payload.failed || fixture->marks.failed || fixture->head.failed ? ERR_MEMORY
                                                                                    : ERR_NONE;
}
