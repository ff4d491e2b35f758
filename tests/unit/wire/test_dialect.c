/* SPDX-License-Identifier: Apache-2.0 */
/* Where paths lead, the registry, the edges of both dialects that are alike. */
#include "data.h"

#include "wire/provider.h"

/* dialect and operation as "openai/chat"; "405" a wrong method; "404" nothing. */
struct row {
    const char *method;
    const char *target;
    bool has_anthropic;
    const char *expected;
    const char *upstream;
};

static const struct row rows[] = {
    {"POST", "/v1/chat/completions", false, "openai/chat", "/chat/completions"},
    {"POST", "/chat/completions", false, "openai/chat", "/chat/completions"},
    {"POST", "/v1/v1/chat/completions", false, "openai/chat", "/chat/completions"},
    {"POST", "/openai/v1/chat/completions", false, "openai/chat", "/chat/completions"},
    {"POST", "/openai/chat/completions", false, "openai/chat", "/chat/completions"},
    {"POST", "/openai/v1/v1/chat/completions", false, "openai/chat", "/chat/completions"},
    {"POST", "/v1/chat/completions?a=b", false, "openai/chat", "/chat/completions"},
    {"POST", "/v1/chat/completions", true, "openai/chat", "/chat/completions"},
    {"POST", "/v1/responses", false, "openai/responses", "/responses"},
    {"POST", "/v1/completions", false, "openai/completions", "/completions"},
    {"POST", "/v1/embeddings", false, "openai/embeddings", "/embeddings"},
    {"POST", "/v1/messages", false, "anthropic/messages", "/messages"},
    {"POST", "/messages", false, "anthropic/messages", "/messages"},
    {"POST", "/v1/v1/messages", true, "anthropic/messages", "/messages"},
    {"POST", "/anthropic/v1/messages?beta=true", true, "anthropic/messages", "/messages"},
    {"POST", "/anthropic/messages", false, "anthropic/messages", "/messages"},
    {"POST", "/v1/messages/count_tokens", true, "anthropic/count_tokens",
     "/messages/count_tokens"},
    {"GET", "/v1/models", false, "openai/models", "/models"},
    {"GET", "/v1/models", true, "anthropic/models", "/models"},
    {"GET", "/anthropic/v1/models", false, "anthropic/models", "/models"},
    {"GET", "/openai/v1/models", true, "openai/models", "/models"},
    /* wrong methods */
    {"GET", "/v1/chat/completions", false, "405", NULL},
    {"PUT", "/v1/chat/completions", false, "405", NULL},
    {"FOO", "/v1/messages", false, "405", NULL},
    {"post", "/v1/messages", false, "405", NULL},
    {"GET", "/v1/responses", false, "405", NULL},
    {"POST", "/v1/models", false, "405", NULL},
    {"DELETE", "/v1/embeddings", false, "405", NULL},
    {"TRACE", "/v1/files", false, "405", NULL},
    {"FOO", "/v1/files", false, "405", NULL},
    /* passed through */
    {"POST", "/v1/files", false, "openai/pass", "/files"},
    {"GET", "/v1/files/file-1/content", false, "openai/pass", "/files/file-1/content"},
    {"GET", "/v1/files", true, "anthropic/pass", "/files"},
    {"DELETE", "/files/file-1", false, "openai/pass", "/files/file-1"},
    {"POST", "/v1/batches/b/cancel", false, "openai/pass", "/batches/b/cancel"},
    {"POST", "/v1/images/generations", false, "openai/pass", "/images/generations"},
    {"POST", "/v1/audio/speech", false, "openai/pass", "/audio/speech"},
    {"POST", "/v1/moderations", false, "openai/pass", "/moderations"},
    {"PUT", "/v1/uploads/u/parts", false, "openai/pass", "/uploads/u/parts"},
    {"GET", "/v1/models/gpt-4o", false, "openai/pass", "/models/gpt-4o"},
    {"DELETE", "/v1/models/ft:gpt-4o:org::id", false, "openai/pass", "/models/ft:gpt-4o:org::id"},
    {"GET", "/v1/models/claude-x", true, "anthropic/pass", "/models/claude-x"},
    {"GET", "/v1/responses/resp_1?stream=true", false, "openai/pass", "/responses/resp_1"},
    {"POST", "/v1/responses/resp_1/cancel", false, "openai/pass", "/responses/resp_1/cancel"},
    {"POST", "/v1/responses/compact", false, "openai/pass", "/responses/compact"},
    {"POST", "/v1/responses/input_tokens", false, "openai/pass", "/responses/input_tokens"},
    {"GET", "/v1/chat/completions/c1", false, "openai/pass", "/chat/completions/c1"},
    {"POST", "/v1/vector_stores", false, "openai/pass", "/vector_stores"},
    {"POST", "/v1/messages/batches", true, "anthropic/pass", "/messages/batches"},
    {"GET", "/v1/messages/batches/b/results", false, "anthropic/pass",
     "/messages/batches/b/results"},
    {"GET", "/anthropic/v1/skills", false, "anthropic/pass", "/skills"},
    /* not found: nothing is normalised, nothing is decoded */
    {"GET", "//v1/models", false, "404", NULL},
    {"GET", "/v1//models", false, "404", NULL},
    {"GET", "/v1/./models", false, "404", NULL},
    {"GET", "/v1/../admin/keys", false, "404", NULL},
    {"GET", "/v1/%2e%2e/admin", false, "404", NULL},
    {"POST", "/v1/chat%2fcompletions", false, "404", NULL},
    {"GET", "/%76%31/models", false, "404", NULL},
    {"GET", "/v1/models;admin", false, "404", NULL},
    {"GET", "/v1/models/", false, "404", NULL},
    {"GET", "/V1/MODELS", false, "404", NULL},
    {"POST", "/v1/chat/completions/", false, "404", NULL},
    {"POST", "/v1/v1/v1/chat/completions", false, "404", NULL},
    {"POST", "/v1/openai/chat/completions", false, "404", NULL},
    {"POST", "/openai/v1/messages", false, "404", NULL},
    {"POST", "/anthropic/v1/chat/completions", false, "404", NULL},
    {"GET", "/v1/files/../admin", false, "404", NULL},
    {"GET", "/v1/files/./x", false, "404", NULL},
    {"GET", "/v1/files//x", false, "404", NULL},
    {"GET", "/v1/files/", false, "404", NULL},
    {"GET", "/v1/files/..%2fadmin", false, "404", NULL},
    {"GET", "/v1/files/%2E%2E/admin", false, "404", NULL},
    {"GET", "/v1/files/%252e", false, "404", NULL},
    {"GET", "/v1/files/a;b", false, "404", NULL},
    {"GET", "/v1/filesystem", false, "404", NULL},
    {"POST", "/v1/messages/other", true, "404", NULL},
    {"GET", "/v1/realtime", false, "404", NULL},
    {"GET", "/v1/skills/x/..", true, "404", NULL},
    {"GET", "/", false, "404", NULL},
    {"GET", "/v1", false, "404", NULL},
    {"GET", "/v1/", false, "404", NULL},
    {"GET", "/openai", false, "404", NULL},
    {"GET", "", false, "404", NULL},
    {"GET", "*", false, "404", NULL},
    {"GET", "?x", false, "404", NULL},
    {"POST", "/api/chat", false, "404", NULL},
    {"POST", "/openai/deployments/d/chat/completions?api-version=1", false, "404", NULL},
    {"POST", "/v1beta/models/gemini:generateContent", false, "404", NULL},
    {"POST", "/v1/models/gemini-2.5-flash:generateContent", false, "404", NULL},
    {"POST", "/gemini/v1/models/m:countTokens", false, "404", NULL},
    {"GET", "/v1beta/models", false, "404", NULL},
};

static void check_row(const struct row *row)
{
    struct path_match match;
    char got[64] = "404";

    print_message("%s %s\n", row->method, row->target);
    if (dialect_match(span_of(row->method), span_of(row->target), row->has_anthropic, &match)) {
        (void)snprintf(got, sizeof got, "%s/%s", match.dialect->name, match.operation->name);
        assert_non_null(match.allow);
        if (match.method_is_wrong) {
            (void)snprintf(got, sizeof got, "405");
        }
    } else {
        assert_non_null(match.hint);
        assert_non_null(span_find(span_of(match.hint), SPAN_OF("POST /v1/chat/completions")));
        assert_non_null(match.dialect);
    }
    assert_string_equal(got, row->expected);
    if (row->upstream != NULL) {
        assert_text(match.upstream_path, row->upstream);
    }
}

static void dialect__finds_exactly_the_served_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check_row(&rows[i]);
    }
}

static void dialect__keeps_the_query_apart(void **state)
{
    struct path_match match;

    (void)state;
    assert_true(
        dialect_match(SPAN_OF("POST"), SPAN_OF("/v1/messages?beta=true&x=?"), true, &match));
    assert_text(match.query, "beta=true&x=?");
    assert_true(dialect_match(SPAN_OF("POST"), SPAN_OF("/v1/messages"), true, &match));
    assert_int_equal(match.query.len, 0);
}

static void dialect__guesses_the_mistake_behind_a_wrong_path(void **state)
{
    static const struct {
        const char *target;
        const char *says;
    } hints[] = {
        {"/v1//models", "doubled slash"},
        {"/v1/chat%2fcompletions", "percent"},
        {"/v1/../admin", ".. segments"},
        {"/v1/models/", "slash at its end"},
        {"/v1/v1/v1/messages", "too often"},
        {"/V1/MODELS", "lower case"},
        {"/", "base URL"},
        {"/proxy/chat/completions", "base URL should end in /v1"},
        {"/v1beta/models/g:generateContent", "Gemini"},
        {"/v1/models/g:streamGenerateContent?alt=sse", "Gemini"},
        {"/api/chat", "Ollama"},
        {"/openai/deployments/d/chat/completions", "Azure"},
        {"/v1/realtime", "Realtime"},
        {"/v1/complete", "/v1/messages"},
        {"/anthropic/v1/responses", "prefix"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(hints); i++) {
        struct path_match match;

        assert_false(
            dialect_match(SPAN_OF("POST"), span_of(hints[i].target), false, &match));
        if (span_find(span_of(match.hint), span_of(hints[i].says)) == NULL) {
            fail_msg("%s: %s", hints[i].target, match.hint);
        }
    }
}

static void dialect__tells_errors_in_the_dialect_of_the_path(void **state)
{
    static const struct {
        const char *target;
        bool has_anthropic;
        const char *name;
    } errors[] = {
        {"/v1/messages/nothing", false, "anthropic"}, {"/v1/nothing", false, "openai"},
        {"/v1/nothing", true, "anthropic"},           {"/anthropic/v1/nothing", false, "anthropic"},
        {"/openai/v1/nothing", true, "openai"},       {"", false, "openai"},
        {"*", false, "openai"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(errors); i++) {
        const struct dialect *dialect =
            dialect_for_error(span_of(errors[i].target), errors[i].has_anthropic);

        assert_string_equal(dialect->name, errors[i].name);
    }
}

static void dialect__registry_knows_every_name_once(void **state)
{
    size_t count = 0;

    (void)state;
    for (; dialect_at(count) != NULL; count++) {
        assert_ptr_equal(dialect_by_name(span_of(dialect_at(count)->name)), dialect_at(count));
    }
    assert_int_equal(count, 2);
    assert_null(dialect_by_name(SPAN_OF("Openai")));
    assert_null(dialect_by_name(SPAN_OF("")));
}

static void provider__kinds_dress_a_key_their_way(void **state)
{
    static const struct {
        const char *kind;
        const char *dialect;
        const char *dress;
    } kinds[] = {
        {"openai", "openai", "authorization: Bearer sk-test-1\r\n"},
        {"anthropic", "anthropic", "x-api-key: sk-test-1\r\n"},
        {"azure_openai", "openai", "api-key: sk-test-1\r\n"},
        {"bedrock", "openai", "authorization: Bearer sk-test-1\r\n"},
        {"compatible", "openai", "authorization: Bearer sk-test-1\r\n"},
        {"fixtures", NULL, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        const struct provider_kind *kind = provider_by_name(span_of(kinds[i].kind));
        struct buf out;

        assert_non_null(kind);
        assert_ptr_equal(kind, provider_at(i));
        buf_init(&out, 256);
        kind->dress(&out, SPAN_OF("sk-test-1"));
        assert_text(buf_span(&out), kinds[i].dress);
        buf_fini(&out);
        if (kinds[i].dialect == NULL) {
            assert_null(kind->dialect);
            assert_true(kind->is_builtin);
        } else {
            assert_string_equal(kind->dialect->name, kinds[i].dialect);
        }
    }
    assert_null(provider_at(ARRAY_LENGTH(kinds)));
    assert_null(provider_by_name(SPAN_OF("gemini")));
}

/* ---- captured requests of real clients ---- */

/* The text from the value behind `"name":` on, or an empty span. */
static struct span behind(struct span text, const char *name)
{
    const char *at = span_find(text, span_of(name));

    return at == NULL ? span_make(NULL, 0)
                      : span_from(text, (size_t)(at - text.at) + span_of(name).len);
}

/* The text of a string value without escapes. */
static struct span string_behind(struct span text, const char *name)
{
    struct span value = behind(text, name);

    (void)span_cut(&value, '"');
    return span_cut(&value, '"');
}

/* The bytes of the object that begins `text`, strings and braces minded. */
static struct span object_at(struct span text)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return span_make(text.at, i + 1);
        }
    }
    return span_make(NULL, 0);
}

static void check_captured(struct span text, size_t *bodies)
{
    struct span method = string_behind(text, "\"method\":");
    struct span target = string_behind(text, "\"target\":");
    struct span body = behind(text, "\"body\": ");
    bool is_gemini = span_find(target, SPAN_OF("v1beta")) != NULL;
    struct path_match match;
    struct request request;
    bool found = dialect_match(method, target,
                               span_find(text, SPAN_OF("\"anthropic-version\"")) != NULL, &match);

    print_message("%.*s %.*s\n", SPAN_ARGS(method), SPAN_ARGS(target));
    assert_int_equal(found, !is_gemini);
    if (!found || body.len == 0 || body.at[0] != '{') {
        return;
    }
    assert_false(match.method_is_wrong);
    body = object_at(body);
    struct refusal refusal = judge(match.operation, body, &request);
    assert_int_equal(refusal.kind, REFUSAL_NONE);
    assert_true(request.model_raw.len > 2);
    assert_int_equal(request.is_stream, span_find(body, SPAN_OF("\"stream\": true")) != NULL);
    assert_int_equal(request.app_wants_usage,
                     span_find(body, SPAN_OF("\"include_usage\": true")) != NULL);
    (*bodies)++;
}

static void dialect__accepts_every_captured_request(void **state)
{
    static const char *const files[] = {
        "requests/ai-sdk-7.0.173.json",        "requests/anthropic-node-0.137.0.json",
        "requests/anthropic-node-1.11.0.json", "requests/cli-tools.json",
        "requests/langchain-openai-1.6.0.json", "requests/openai-node-4.104.0.json",
        "requests/openai-node-6.49.0.json",    "requests/openai-node-7.55.0.json"};
    size_t bodies = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        struct buf file = data_read(files[i]);
        struct span rest = behind(buf_span(&file), "\"requests\":");

        while (rest.len > 0) {
            const char *at = memchr(rest.at, '{', rest.len);
            if (at == NULL) {
                break;
            }
            struct span one = object_at(span_from(rest, (size_t)(at - rest.at)));
            check_captured(one, &bodies);
            rest = span_from(rest, (size_t)(at - rest.at) + one.len);
        }
        buf_fini(&file);
    }
    assert_int_equal(bodies, 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialect__finds_exactly_the_served_paths),
        cmocka_unit_test(dialect__keeps_the_query_apart),
        cmocka_unit_test(dialect__guesses_the_mistake_behind_a_wrong_path),
        cmocka_unit_test(dialect__tells_errors_in_the_dialect_of_the_path),
        cmocka_unit_test(dialect__registry_knows_every_name_once),
        cmocka_unit_test(provider__kinds_dress_a_key_their_way),
        cmocka_unit_test(dialect__accepts_every_captured_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
