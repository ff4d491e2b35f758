/* SPDX-License-Identifier: Apache-2.0 */
/* The head that a provider is sent, and the body as pieces: the app's own bytes but for spliced
 * spans. */
#include "proxy/call_hold.h"
#include "proxy/call_translate.h"

#include "wire/head.h"
#include "wire/path_model.h"
#include "wire/request.h"
#include "wire/sigv4.h"

static bool provider_wants(const struct provider *provider, struct span name)
{
    for (size_t k = 0; k < provider->forward_headers_count; k++) {
        if (span_equal_nocase(provider->forward_headers[k], name)) {
            return true;
        }
    }
    return provider->credential_mode == CREDENTIAL_PASSTHROUGH && head_use(name) == HEAD_SCOPE;
}

static void put_optional(struct buf *out, const struct call_head *head,
                         const struct provider *provider)
{
    struct span rest = call_head_span(head, head->optional);

    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        struct span left = line;
        if (provider_wants(provider, span_cut(&left, ':'))) {
            buf_put(out, line);
            buf_put_char(out, '\n');
        }
    }
}

static void put_credential(struct buf *out, const struct call_head *head,
                           const struct provider *provider)
{
    switch (provider->credential_mode) {
    case CREDENTIAL_NONE: return;
    case CREDENTIAL_SECRET:
        if (provider->access_key_id.len == 0) { /* else it is signed, when all of it is known */
            provider->kind->dress(out, provider->credential);
        }
        return;
    case CREDENTIAL_PASSTHROUGH: break;
    }
    /* As it came: a provider may tell kinds of tokens apart by their carrier. */
    if (head->bearer.len > 0) {
        head_put(out, SPAN_OF("authorization"), call_head_span(head, head->bearer));
    } else if (head->key.len > 0) {
        provider->kind->dress(out, call_head_span(head, head->key));
    }
}

/* Whether the provider is to read another model's name than the app wrote. */
static bool target_renames(const struct call *call, const struct target *target)
{
    return target->model.len > 0 && !span_equal(target->model, buf_span(&call->model));
}

/* Where the provider's own operation is, or the app's path as it came. The target: its path and query. */
static struct span put_request_line(struct buf *out, const struct call *call, const struct target *target, struct span model)
{
    const struct provider *provider = target->provider;
    const struct operation *operation = call->match.operation;
    size_t from = 0;
    size_t to = 0;
    struct provider_where where = {
        .base = provider->endpoint.path,
        .version = provider->api_version,
        .lead = call_head_span(&call->head, call->head.version),
        .path = call_head_span(&call->head, call->head.path),
        .model = model,
        .query = call_head_span(&call->head, call->head.query),
    };

    if (call->relay.translation != NULL) {
        where.lead = provider->dialect->version;
        where.path = call->relay.translation->operation->path;
        where.query = call->relay.translation->operation->query;
    } else if (operation->kind == OPERATION_MODELS && operation->query.len > 0) {
        where.query = operation->query;
    }
    if (call->relay.translation == NULL && call->match.model.len > 0 && target_renames(call, target)) {
        where.path = operation->path;
    }
    buf_put(out, call_head_span(&call->head, call->head.method));
    buf_put_char(out, ' ');
    from = out->len;
    provider_put_target(provider->kind, out, &where);
    to = out->len;
    buf_put(out, SPAN_OF(" HTTP/1.1\r\nhost: "));
    buf_put(out, provider->endpoint.authority);
    buf_put(out, SPAN_OF("\r\n"));
    return span_make(out->at + from, to - from);
}

/* A signature counts for these very bytes and a few minutes: each attempt has its own. Only what is translated is
 * signed, so the type of the body is the one that stands there. False: no memory, or a name that cannot be signed. */
static bool put_signature(struct buf *out, const struct call *call, struct span target, const struct span *pieces,
                          size_t count)
{
    const struct provider *provider = call_target(call)->provider;
    struct sigv4_credential credential = {
        .id = provider->access_key_id, .secret = provider->credential, .token = provider->session_token};
    struct sigv4_scope scope = {.region = provider->region, .service = span_of(provider->kind->signs_for)};
    struct span query = target;
    struct sigv4_request request = {.method = call_head_span(&call->head, call->head.method),
                                    .path = span_cut(&query, '?'),
                                    .host = provider->endpoint.authority,
                                    .content_type = SPAN_OF("application/json")};

    request.query = query.at == NULL ? span_make("", 0) : query;
    digest_sha256_pieces(pieces, count, &request.body);
    return sigv4_put_headers(out, &credential, &scope, &request, loop_wall(call->env->loop)) == ERR_NONE;
}

/* The model as the provider is to read it; empty: the app's own bytes stay. */
static struct span model_text(struct call *call, const struct target *target)
{
    size_t from = call->wire_head.len;

    if (!target_renames(call, target)) {
        return span_make(NULL, 0);
    }
    buf_put_char(&call->wire_head, '"');
    /* Names are printable ASCII; only these two need escaping. */
    for (size_t i = 0; i < target->model.len; i++) {
        if (target->model.at[i] == '"' || target->model.at[i] == '\\') {
            buf_put_char(&call->wire_head, '\\');
        }
        buf_put_char(&call->wire_head, target->model.at[i]);
    }
    buf_put_char(&call->wire_head, '"');
    return span_make(call->wire_head.at + from, call->wire_head.len - from);
}

/* The output cap that was held for, where it is not the app's own. */
static size_t cap_edits(struct call *call, const struct target *target, const struct asked *asked,
                        struct json_edit *edits)
{
    const struct operation *operation = asked->operation;
    const struct call_hold *hold = call_hold_of(call, call->number);
    const char *member = operation->cap_elsewhere != NULL &&
                                 target->provider->kind == &provider_compatible
                             ? operation->cap_elsewhere
                             : operation->cap;

    return hold == NULL || !hold->bound.writes_cap || member == NULL
               ? 0
               : request_edit_cap(asked->request, span_of(member), operation->cap_home, hold->bound.cap,
                                  &call->wire_head, edits);
}

static void sort(struct json_edit *edits, size_t count)
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

/* False: this target cannot be asked to continue what is out. */
static bool body_pieces(struct call *call, const struct target *target, bool asks_usage,
                        struct span pieces[JSON_PIECES_MAX], size_t *count)
{
    struct asked asked = call_asked(call, call->place);
    struct json_edit own[JSON_EDITS_MAX];
    struct json_edit all[JSON_EDITS_MAX];
    const struct json_edit *edits = own;

    *count = 0;
    if (call->relay.translation == NULL && asked.operation->edits != NULL) {
        *count = asked.operation->edits(&call->request, model_text(call, target), asks_usage, own);
    }
    if (call->relay.is_followed) {
        if (!call_resume_edits(call, own, *count, all, count)) {
            return false;
        }
        edits = all;
    } else if (call->budget != NULL) {
        *count += cap_edits(call, target, &asked, own + *count);
        sort(own, *count);
    }
    *count = json_splice(asked.body, edits, *count, pieces);
    return true;
}

/* What an app tells by headers is for its own dialect; what any provider can read goes on. */
static void put_translated(struct buf *out, const struct call *call, const struct dialect *dialect)
{
    static const struct span names[] = {SPAN("user-agent"), SPAN("traceparent"), SPAN("tracestate")};
    struct span rest = call_head_span(&call->head, call->head.passes);

    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        struct span left = line;
        struct span name = span_cut(&left, ':');

        for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
            if (span_equal_nocase(name, names[i])) {
                buf_put(out, line);
                buf_put_char(out, '\n');
            }
        }
    }
    buf_put(out, SPAN_OF("content-type: application/json\r\n"));
    buf_put(out, dialect->headers);
}

bool call_head_dress(struct call *call, const struct target *target,
                     struct upstream_request *request)
{
    struct buf *out = &call->wire_head;
    const struct provider *provider = target->provider;
    bool asks_usage = call->request.is_stream && !call->request.app_wants_usage &&
                      call->match.operation->sends_done && !provider->lacks_stream_options;
    struct span model = target->model.len > 0 ? target->model : buf_span(&call->model);
    struct span pieces[JSON_PIECES_MAX];
    struct span where;
    size_t head_at = 0;
    size_t count = 0;
    uint64_t length = 0;

    buf_clear(out);
    /* Everything must fit at once: pieces point into the buffer. */
    if (buf_reserve(out, 1920 + REQUEST_CAP_ROOM + PROVIDER_TARGET_ROOM + 2 * target->model.len +
                             3 * model.len + provider->api_version.len + call->head.text.len +
                             provider->credential.len + provider->endpoint.path.len +
                             provider->access_key_id.len + provider->session_token.len +
                             provider->region.len + provider->endpoint.authority.len) != ERR_NONE) {
        return false;
    }
    if (!body_pieces(call, target, asks_usage, pieces, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        length += pieces[i].len;
    }
    head_at = out->len;
    where = put_request_line(out, call, target, model);
    put_credential(out, &call->head, provider);
    if (call->relay.translation == NULL) {
        buf_put(out, call_head_span(&call->head, call->head.passes));
    } else {
        put_translated(out, call, provider->dialect);
    }
    put_optional(out, &call->head, provider);
    if (call->head.has_body) {
        buf_put(out, SPAN_OF("content-length: "));
        buf_put_u64(out, length);
        buf_put(out, SPAN_OF("\r\n"));
    }
    if (provider->access_key_id.len > 0 && !put_signature(out, call, where, pieces, count)) {
        return false;
    }
    buf_put(out, SPAN_OF("accept-encoding: identity\r\n\r\n"));
    request->pieces[0] = span_make(out->at + head_at, out->len - head_at);
    for (size_t i = 0; i < count; i++) {
        request->pieces[1 + i] = pieces[i];
    }
    request->pieces_count = (uint8_t)(1 + count);
    request->head_pieces = 1;
    request->is_head_method = call->head.is_head_method;
    return !out->failed;
}
