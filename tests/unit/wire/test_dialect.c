/* SPDX-License-Identifier: Apache-2.0 */
/* Where paths lead, the registry, the edges of both dialects that are alike. */
#include "data.h"

#include "wire/provider.h"

/* dialect and operation as "openai/chat", with the model that a path names behind it; "405" a wrong method; "404" nothing. */
struct row {
    const char *method;
    const char *target;
    const struct dialect *spoken;
    const char *expected;
    const char *upstream; /* version and path */
};

#define A &dialect_anthropic
#define G &dialect_gemini

static const struct row rows[] = {
    {"POST", "/v1/chat/completions", NULL, "openai/chat", "/chat/completions"},
    {"POST", "/chat/completions", NULL, "openai/chat", "/chat/completions"},
    {"POST", "/v1/v1/chat/completions", NULL, "openai/chat", "/chat/completions"},
    {"POST", "/openai/v1/chat/completions", NULL, "openai/chat", "/chat/completions"},
    {"POST", "/openai/chat/completions", NULL, "openai/chat", "/chat/completions"},
    {"POST", "/openai/v1/v1/chat/completions", NULL, "openai/chat", "/chat/completions"},
    {"POST", "/v1/chat/completions?a=b", NULL, "openai/chat", "/chat/completions"},
    {"POST", "/v1/chat/completions", A, "openai/chat", "/chat/completions"},
    {"POST", "/v1/responses", NULL, "openai/responses", "/responses"},
    {"POST", "/v1/completions", NULL, "openai/completions", "/completions"},
    {"POST", "/v1/embeddings", NULL, "openai/embeddings", "/embeddings"},
    {"POST", "/v1/messages", NULL, "anthropic/messages", "/messages"},
    {"POST", "/messages", NULL, "anthropic/messages", "/messages"},
    {"POST", "/v1/v1/messages", A, "anthropic/messages", "/messages"},
    {"POST", "/anthropic/v1/messages?beta=true", A, "anthropic/messages", "/messages"},
    {"POST", "/anthropic/messages", NULL, "anthropic/messages", "/messages"},
    {"POST", "/v1/messages/count_tokens", A, "anthropic/count_tokens",
     "/messages/count_tokens"},
    {"GET", "/v1/models", NULL, "openai/models", "/models"},
    {"GET", "/v1/models", A, "anthropic/models", "/models"},
    {"GET", "/anthropic/v1/models", NULL, "anthropic/models", "/models"},
    {"GET", "/openai/v1/models", A, "openai/models", "/models"},
    /* Gemini: the version goes up as it came, and the last one counts */
    {"POST", "/v1beta/models/gemini-2.5-flash:generateContent", NULL, "gemini/generate_content gemini-2.5-flash",
     "/v1beta/models/gemini-2.5-flash:generateContent"},
    {"POST", "/v1/models/m:generateContent", NULL, "gemini/generate_content m",
     "/v1/models/m:generateContent"},
    {"POST", "/v1alpha/models/m:streamGenerateContent?alt=sse", G, "gemini/generate_content m",
     "/v1alpha/models/m:streamGenerateContent"},
    {"POST", "/models/m:countTokens", NULL, "gemini/count_tokens m",
     "/v1beta/models/m:countTokens"},
    {"POST", "/gemini/v1/models/m:embedContent", NULL, "gemini/embed_content m",
     "/v1/models/m:embedContent"},
    {"POST", "/v1beta/v1/models/m:batchEmbedContents", NULL, "gemini/embed_content m",
     "/v1/models/m:batchEmbedContents"},
    {"POST", "/v1/v1beta/models/m:generateContent", A, "gemini/generate_content m",
     "/v1beta/models/m:generateContent"},
    {"POST", "/v1beta/models/openai/gpt-5:8k:generateContent", NULL, "gemini/generate_content openai/gpt-5:8k",
     "/v1beta/models/openai/gpt-5:8k:generateContent"},
    {"POST", "/v1beta/tunedModels/t:generateContent", NULL, "gemini/generate_content tunedModels/t",
     "/v1beta/tunedModels/t:generateContent"},
    {"GET", "/v1/models", G, "gemini/models", "/v1/models"},
    {"GET", "/v1beta/models", NULL, "gemini/models", "/v1beta/models"},
    {"GET", "/gemini/models", A, "gemini/models", "/v1beta/models"},
    {"GET", "/v1beta/models/m", NULL, "gemini/pass", "/v1beta/models/m"},
    {"GET", "/v1/models/m", G, "gemini/pass", "/v1/models/m"},
    {"POST", "/v1/models/m:predict", NULL, "gemini/pass", "/v1/models/m:predict"},
    {"POST", "/v1beta/cachedContents", NULL, "gemini/pass", "/v1beta/cachedContents"},
    {"GET", "/v1beta/files/f", A, "gemini/pass", "/v1beta/files/f"},
    {"GET", "/v1/files", G, "gemini/pass", "/v1/files"},
    {"POST", "/v1/chat/completions", G, "openai/chat", "/chat/completions"},
    {"GET", "/v1beta/models/m:generateContent", NULL, "405", NULL},
    {"POST", "/v1beta/models", NULL, "405", NULL},
    /* wrong methods */
    {"GET", "/v1/chat/completions", NULL, "405", NULL},
    {"PUT", "/v1/chat/completions", NULL, "405", NULL},
    {"FOO", "/v1/messages", NULL, "405", NULL},
    {"post", "/v1/messages", NULL, "405", NULL},
    {"GET", "/v1/responses", NULL, "405", NULL},
    {"POST", "/v1/models", NULL, "405", NULL},
    {"DELETE", "/v1/embeddings", NULL, "405", NULL},
    {"TRACE", "/v1/files", NULL, "405", NULL},
    {"FOO", "/v1/files", NULL, "405", NULL},
    /* passed through */
    {"POST", "/v1/files", NULL, "openai/pass", "/files"},
    {"GET", "/v1/files/file-1/content", NULL, "openai/pass", "/files/file-1/content"},
    {"GET", "/v1/files", A, "anthropic/pass", "/files"},
    {"DELETE", "/files/file-1", NULL, "openai/pass", "/files/file-1"},
    {"POST", "/v1/batches/b/cancel", NULL, "openai/pass", "/batches/b/cancel"},
    {"POST", "/v1/images/generations", NULL, "openai/pass", "/images/generations"},
    {"POST", "/v1/audio/speech", NULL, "openai/pass", "/audio/speech"},
    {"POST", "/v1/moderations", NULL, "openai/pass", "/moderations"},
    {"PUT", "/v1/uploads/u/parts", NULL, "openai/pass", "/uploads/u/parts"},
    {"GET", "/v1/models/gpt-4o", NULL, "openai/pass", "/models/gpt-4o"},
    {"DELETE", "/v1/models/ft:gpt-4o:org::id", NULL, "openai/pass", "/models/ft:gpt-4o:org::id"},
    {"GET", "/v1/models/claude-x", A, "anthropic/pass", "/models/claude-x"},
    {"GET", "/v1/responses/resp_1?stream=true", NULL, "openai/pass", "/responses/resp_1"},
    {"POST", "/v1/responses/resp_1/cancel", NULL, "openai/pass", "/responses/resp_1/cancel"},
    {"POST", "/v1/responses/compact", NULL, "openai/pass", "/responses/compact"},
    {"POST", "/v1/responses/input_tokens", NULL, "openai/pass", "/responses/input_tokens"},
    {"GET", "/v1/chat/completions/c1", NULL, "openai/pass", "/chat/completions/c1"},
    {"POST", "/v1/vector_stores", NULL, "openai/pass", "/vector_stores"},
    {"POST", "/v1/messages/batches", A, "anthropic/pass", "/messages/batches"},
    {"GET", "/v1/messages/batches/b/results", NULL, "anthropic/pass",
     "/messages/batches/b/results"},
    {"GET", "/anthropic/v1/skills", NULL, "anthropic/pass", "/skills"},
    /* not found: nothing is normalised, nothing is decoded */
    {"GET", "//v1/models", NULL, "404", NULL},
    {"GET", "/v1//models", NULL, "404", NULL},
    {"GET", "/v1/./models", NULL, "404", NULL},
    {"GET", "/v1/../admin/keys", NULL, "404", NULL},
    {"GET", "/v1/%2e%2e/admin", NULL, "404", NULL},
    {"POST", "/v1/chat%2fcompletions", NULL, "404", NULL},
    {"GET", "/%76%31/models", NULL, "404", NULL},
    {"GET", "/v1/models;admin", NULL, "404", NULL},
    {"GET", "/v1/models/", NULL, "404", NULL},
    {"GET", "/V1/MODELS", NULL, "404", NULL},
    {"POST", "/v1/chat/completions/", NULL, "404", NULL},
    {"POST", "/v1/v1/v1/chat/completions", NULL, "404", NULL},
    {"POST", "/v1/openai/chat/completions", NULL, "404", NULL},
    {"POST", "/openai/v1/messages", NULL, "404", NULL},
    {"POST", "/anthropic/v1/chat/completions", NULL, "404", NULL},
    {"GET", "/v1/files/../admin", NULL, "404", NULL},
    {"GET", "/v1/files/./x", NULL, "404", NULL},
    {"GET", "/v1/files//x", NULL, "404", NULL},
    {"GET", "/v1/files/", NULL, "404", NULL},
    {"GET", "/v1/files/..%2fadmin", NULL, "404", NULL},
    {"GET", "/v1/files/%2E%2E/admin", NULL, "404", NULL},
    {"GET", "/v1/files/%252e", NULL, "404", NULL},
    {"GET", "/v1/files/a;b", NULL, "404", NULL},
    {"GET", "/v1/filesystem", NULL, "404", NULL},
    {"POST", "/v1/messages/other", A, "404", NULL},
    {"GET", "/v1/realtime", NULL, "404", NULL},
    {"GET", "/v1/skills/x/..", A, "404", NULL},
    {"GET", "/", NULL, "404", NULL},
    {"GET", "/v1", NULL, "404", NULL},
    {"GET", "/v1/", NULL, "404", NULL},
    {"GET", "/openai", NULL, "404", NULL},
    {"GET", "", NULL, "404", NULL},
    {"GET", "*", NULL, "404", NULL},
    {"GET", "?x", NULL, "404", NULL},
    {"POST", "/api/chat", NULL, "404", NULL},
    {"POST", "/openai/deployments/d/chat/completions?api-version=1", NULL, "404", NULL},
    /* what another reader would decode into a method or a model of its own */
    {"POST", "/v1beta/models/m%3AgenerateContent", NULL, "404", NULL},
    {"POST", "/v1beta/models/m:generate%43ontent", G, "404", NULL},
    {"POST", "/v1beta/models/a%2fb:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/models/%6d:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/files/f%3Ax", NULL, "404", NULL},
    {"POST", "/v1beta/models/../m:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/models//m:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/models/:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/tunedModels/:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/dynamic/d:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/models/m;a:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/v1beta/v1/models/m:generateContent", NULL, "404", NULL},
    {"POST", "/v1beta/chat/completions", NULL, "404", NULL},
    {"POST", "/openai/v1beta/models/m:generateContent", NULL, "404", NULL},
    {"POST", "/gemini/v1/messages", NULL, "404", NULL},
    {"POST", "/v1beta1/publishers/google/models/m:generateContent", G, "404", NULL},
    {"POST", "/upload/v1beta/files", G, "404", NULL},
};

static void check_row(const struct row *row)
{
    struct path_match match;
    char got[64] = "404";

    print_message("%s %s\n", row->method, row->target);
    if (dialect_match(span_of(row->method), span_of(row->target), row->spoken, &match)) {
        (void)snprintf(got, sizeof got, "%s/%s%s%.*s", match.dialect->name, match.operation->name,
                       match.model.len > 0 ? " " : "", SPAN_ARGS(match.model));
        assert_non_null(match.allow);
        if (match.method_is_wrong) {
            (void)snprintf(got, sizeof got, "405");
        }
    } else {
        assert_true(match.hint == NULL || span_find(span_of(match.hint), SPAN_OF("Served")) == NULL);
        assert_non_null(match.dialect);
    }
    assert_string_equal(got, row->expected);
    if (row->upstream != NULL) {
        char upstream[128];

        (void)snprintf(upstream, sizeof upstream, "%.*s%.*s", SPAN_ARGS(match.version),
                       SPAN_ARGS(match.upstream_path));
        assert_string_equal(upstream, row->upstream);
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
        dialect_match(SPAN_OF("POST"), SPAN_OF("/v1/messages?beta=true&x=?"), A, &match));
    assert_text(match.query, "beta=true&x=?");
    assert_true(dialect_match(SPAN_OF("POST"), SPAN_OF("/v1/messages"), A, &match));
    assert_int_equal(match.query.len, 0);
}

static void dialect__wants_streams_of_gemini_as_events(void **state)
{
    static const struct {
        const char *target;
        bool is_wrong;
    } queries[] = {
        {"/v1/models/m:streamGenerateContent?alt=sse", false},
        {"/v1/models/m:streamGenerateContent?key=k&alt=sse", false},
        {"/v1/models/m:streamGenerateContent", true},
        {"/v1/models/m:streamGenerateContent?alt=json", true},
        {"/v1/models/m:streamGenerateContent?xalt=sse", true},
        {"/v1/models/m:streamGenerateContent?alt=sse2", true},
        {"/v1/models/m:generateContent", false},
        {"/v1beta/models", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(queries); i++) {
        struct path_match match;

        assert_true(dialect_match(SPAN_OF("POST"), span_of(queries[i].target), NULL, &match));
        assert_int_equal(match.query_is_wrong, queries[i].is_wrong);
        if (match.query_is_wrong) {
            assert_non_null(span_find(span_of(match.hint), SPAN_OF("alt=sse")));
        }
    }
}

static void dialect__knows_a_version_at_the_end_of_an_address(void **state)
{
    (void)state;
    assert_true(dialect_has_version(SPAN_OF("/v1")));
    assert_true(dialect_has_version(SPAN_OF("/x/v1beta")));
    assert_false(dialect_has_version(SPAN_OF("")));
    assert_false(dialect_has_version(SPAN_OF("/v1/x")));
    assert_false(dialect_has_version(SPAN_OF("/xv1")));
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
        {"/v1beta1/publishers/google/models/g:generateContent", "Vertex"},
        {"/v1beta/openai/chat/completions", "end in /v1"},
        {"/upload/v1beta/files", "Uploads"},
        {"/gemini/v1/responses", "prefix"},
        {"/v1beta/models/a%3Agenerate", "percent"},
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
            dialect_match(SPAN_OF("POST"), span_of(hints[i].target), NULL, &match));
        if (match.hint == NULL || span_find(span_of(match.hint), span_of(hints[i].says)) == NULL) {
            fail_msg("%s: %s", hints[i].target, match.hint == NULL ? "none" : match.hint);
        }
    }
}

static void dialect__tells_errors_in_the_dialect_of_the_path(void **state)
{
    static const struct {
        const char *target;
        const struct dialect *spoken;
        const char *name;
    } errors[] = {
        {"/v1/messages/nothing", NULL, "anthropic"}, {"/v1/nothing", NULL, "openai"},
        {"/v1/nothing", A, "anthropic"},           {"/anthropic/v1/nothing", NULL, "anthropic"},
        {"/openai/v1/nothing", A, "openai"},       {"", NULL, "openai"},
        {"*", NULL, "openai"},                        {"/v1beta/nothing", NULL, "gemini"},
        {"/v1/nothing", G, "gemini"},                 {"/v1/models/m:predict", NULL, "gemini"},
        {"/gemini/nothing", A, "gemini"},             {"/v1beta/messages", NULL, "gemini"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(errors); i++) {
        const struct dialect *dialect =
            dialect_for_error(span_of(errors[i].target), errors[i].spoken);

        assert_string_equal(dialect->name, errors[i].name);
    }
}

/* It is told to providers alone: it has nothing to answer an app with. */
static void dialect__serves_no_app_in_one_that_is_outbound(void **state)
{
    static const char *const targets[] = {
        "/converse", "/v1/converse", "/bedrock/converse", "/bedrock/v1/converse", "/model/m/converse",
        "/bedrock/model/m/converse-stream", "/v1/model/m/converse", "/bedrock/v1/messages", "/models/m/converse"};
    struct path_match match;

    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        print_message("%s\n", targets[i]);
        if (dialect_match(SPAN_OF("POST"), span_of(targets[i]), NULL, &match)) {
            assert_ptr_not_equal(match.dialect, &dialect_bedrock);
            assert_int_equal(match.operation->kind, OPERATION_PASS); /* Gemini's own paths */
        }
        assert_ptr_not_equal(dialect_for_error(span_of(targets[i]), NULL), &dialect_bedrock);
    }
}

static void dialect__registry_knows_every_name_once(void **state)
{
    size_t count = 0;

    (void)state;
    for (; dialect_at(count) != NULL; count++) {
        assert_ptr_equal(dialect_by_name(span_of(dialect_at(count)->name)), dialect_at(count));
    }
    assert_int_equal(count, 3);
    assert_null(dialect_by_name(SPAN_OF("bedrock"))); /* told to providers alone */
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
        {"gemini", "gemini", "x-goog-api-key: sk-test-1\r\n"},
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
    assert_null(provider_by_name(SPAN_OF("vertex")));
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
    bool is_gemini = span_find(text, SPAN_OF("x-goog-api-key")) != NULL;
    bool is_vertex = span_find(target, SPAN_OF("/publishers/")) != NULL;
    const struct dialect *spoken =
        span_find(text, SPAN_OF("\"anthropic-version\"")) != NULL ? A : is_gemini ? G : NULL;
    struct path_match match;
    struct request request;
    bool found = dialect_match(method, target, spoken, &match);

    print_message("%.*s %.*s\n", SPAN_ARGS(method), SPAN_ARGS(target));
    assert_int_equal(found, !is_vertex);
    if (!found || body.len == 0 || body.at[0] != '{') {
        return;
    }
    assert_false(match.method_is_wrong || match.query_is_wrong);
    assert_int_equal(match.dialect == &dialect_gemini, is_gemini);
    body = object_at(body);
    struct refusal refusal = judge(match.operation, body, &request);
    assert_int_equal(refusal.kind, REFUSAL_NONE);
    assert_true(match.model.len > 0 || request.model_raw.len > 2);
    assert_int_equal(request.is_stream, span_find(body, SPAN_OF("\"stream\": true")) != NULL);
    assert_int_equal(match.operation->is_stream,
                     span_find(target, SPAN_OF(":streamGenerateContent")) != NULL);
    assert_int_equal(request.app_wants_usage,
                     span_find(body, SPAN_OF("\"include_usage\": true")) != NULL);
    (*bodies)++;
}

static void dialect__accepts_every_captured_request(void **state)
{
    static const char *const files[] = {
        "requests/google-genai-node-3.1.0.json",
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
    assert_int_equal(bodies, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialect__finds_exactly_the_served_paths),
        cmocka_unit_test(dialect__keeps_the_query_apart),
        cmocka_unit_test(dialect__wants_streams_of_gemini_as_events),
        cmocka_unit_test(dialect__knows_a_version_at_the_end_of_an_address),
        cmocka_unit_test(dialect__guesses_the_mistake_behind_a_wrong_path),
        cmocka_unit_test(dialect__tells_errors_in_the_dialect_of_the_path),
        cmocka_unit_test(dialect__serves_no_app_in_one_that_is_outbound),
        cmocka_unit_test(dialect__registry_knows_every_name_once),
        cmocka_unit_test(provider__kinds_dress_a_key_their_way),
        cmocka_unit_test(dialect__accepts_every_captured_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
