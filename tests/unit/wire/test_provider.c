/* SPDX-License-Identifier: Apache-2.0 */
/* Where kinds send a request. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/must.h"
#include "wire/blame.h"
#include "wire/provider.h"

enum { ROOM = 4096 };

static void assert_put(const struct buf *out, const char *expected)
{
    assert_false(out->failed);
    if (!span_equal(buf_span(out), span_of(expected))) {
        fail_msg("%.*s is not %s", SPAN_ARGS(buf_span(out)), expected);
    }
}

static void provider__azure_takes_the_address_in_any_of_its_spellings(void **state)
{
    static const struct {
        const char *version;
        const char *path;
        const char *base;
    } rows[] = {
        {"", "", "/openai/v1"},
        {"", "/openai", "/openai/v1"},
        {"", "/openai/v1", "/openai/v1"},
        {"v1", "", "/openai/v1"},
        {"preview", "/openai", "/openai/v1"},
        {"", "/api/projects/p", "/api/projects/p/openai/v1"},
        {"", "/api/projects/p/openai/v1", "/api/projects/p/openai/v1"},
        {"", "/front/v1", "/front/v1"},
        {"2024-10-21", "", "/openai"},
        {"2024-10-21", "/openai", "/openai"},
        {"2024-10-21", "/openai/v1", "/openai"},
        {"2025-04-01-preview", "/front/openai", "/front/openai"},
        {"2025-04-01-preview", "/front", "/front/openai"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf out;

        buf_init(&out, ROOM);
        provider_azure_openai.put_base(&out, span_of(rows[i].path), span_of(rows[i].version));
        assert_put(&out, rows[i].base);
        buf_fini(&out);
    }
}

static void provider__converse_has_the_model_in_its_path(void **state)
{
    static const struct {
        const char *base;
        const char *model;
        const char *target;
    } rows[] = {
        {"", "us.anthropic.claude-opus-4-8-v1:0", "/model/us.anthropic.claude-opus-4-8-v1%3A0/converse"},
        {"/front", "m", "/front/model/m/converse"},
        {"", "arn:aws:bedrock:us-east-1:1:inference-profile/a b",
         "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fa%20b/converse"},
        /* Names of apps, who may write anything. */
        {"", "a/../b?c#d%2f\xc3\xa4", "/model/a%2F..%2Fb%3Fc%23d%252f%C3%A4/converse"},
        {"", "..", "/converse"},
        {"", ".", "/converse"},
    };
    const struct provider_kind *converse = provider_bedrock.other_api;

    (void)state;
    assert_string_equal(converse->api, "converse");
    assert_string_equal(converse->name, provider_bedrock.name);
    assert_ptr_equal(converse->dialect, &dialect_bedrock);
    assert_null(converse->other_api);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct provider_where where = {
            .base = span_of(rows[i].base), .path = SPAN_OF("/converse"), .model = span_of(rows[i].model)};
        struct buf out;

        buf_init(&out, ROOM);
        provider_put_target(converse, &out, &where);
        assert_put(&out, rows[i].target);
        buf_fini(&out);
    }
}

static void provider__azure_puts_deployment_and_version_where_they_belong(void **state)
{
    static const struct {
        const char *version;
        const char *base;
        const char *path;
        const char *model;
        const char *query;
        const char *target;
    } rows[] = {
        {"", "/openai/v1", "/chat/completions", "d", "", "/openai/v1/chat/completions"},
        {"v1", "/openai/v1", "/responses", "d", "a=1", "/openai/v1/responses?a=1"},
        {"", "/openai/v1", "/models", "", "api-version=preview",
         "/openai/v1/models?api-version=preview"},
        {"preview", "/openai/v1", "/chat/completions", "d", "",
         "/openai/v1/chat/completions?api-version=preview"},
        {"preview", "/openai/v1", "/files", "", "after=x&api-version=v1&limit=2",
         "/openai/v1/files?api-version=preview&after=x&limit=2"},
        {"2024-10-21", "/openai", "/chat/completions", "my-gpt.4_o", "",
         "/openai/deployments/my-gpt.4_o/chat/completions?api-version=2024-10-21"},
        {"2024-10-21", "/openai", "/completions", "d", "x",
         "/openai/deployments/d/completions?api-version=2024-10-21&x"},
        {"2024-10-21", "/openai", "/embeddings", "d", "api-version=2023-05-15",
         "/openai/deployments/d/embeddings?api-version=2024-10-21"},
        {"2025-04-01-preview", "/openai", "/responses", "d", "",
         "/openai/responses?api-version=2025-04-01-preview"},
        {"2024-10-21", "/openai", "/models", "", "", "/openai/models?api-version=2024-10-21"},
        {"2024-10-21", "/openai", "/chat/completions", "", "",
         "/openai/chat/completions?api-version=2024-10-21"},
        /* Names of apps, who may write anything. */
        {"2024-10-21", "/openai", "/embeddings", "a/../b?c#d e%2f\xc3\xa4", "",
         "/openai/deployments/a%2F..%2Fb%3Fc%23d%20e%252f%C3%A4/embeddings"
         "?api-version=2024-10-21"},
        {"2024-10-21", "/openai", "/embeddings", "..", "",
         "/openai/embeddings?api-version=2024-10-21"},
        {"2024-10-21", "/openai", "/embeddings", ".", "",
         "/openai/embeddings?api-version=2024-10-21"},
        {"2024-10-21", "/openai", "/embeddings", "...", "",
         "/openai/deployments/.../embeddings?api-version=2024-10-21"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct provider_where where = {.base = span_of(rows[i].base),
                                       .version = span_of(rows[i].version),
                                       .path = span_of(rows[i].path),
                                       .model = span_of(rows[i].model),
                                       .query = span_of(rows[i].query)};
        struct buf out;

        buf_init(&out, ROOM);
        provider_put_target(&provider_azure_openai, &out, &where);
        assert_put(&out, rows[i].target);
        assert_true(out.len <= PROVIDER_TARGET_ROOM + where.base.len + where.version.len +
                                   where.path.len + 3 * where.model.len + where.query.len);
        buf_fini(&out);
    }
}

static void provider__others_keep_path_and_query_as_they_are(void **state)
{
    struct provider_where where = {.base = SPAN_OF("/v1"),
                                   .path = SPAN_OF("/chat/completions"),
                                   .model = SPAN_OF("m"),
                                   .query = SPAN_OF("api-version=1&b")};
    struct buf out;

    (void)state;
    buf_init(&out, ROOM);
    provider_put_target(&provider_openai, &out, &where);
    assert_put(&out, "/v1/chat/completions?api-version=1&b");
    buf_clear(&out);
    where.query = span_make("", 0);
    provider_put_target(&provider_bedrock, &out, &where);
    assert_put(&out, "/v1/chat/completions");
    buf_fini(&out);
}

/* bedrock.md 8: before ":", behind "#". */
static void blame__reads_the_name_of_a_failure_from_a_head(void **state)
{
    static const struct {
        const char *line;
        const char *name;
    } rows[] = {
        {"x-amzn-errortype: ThrottlingException\r\n", "ThrottlingException"},
        {"X-Amzn-ErrorType: ThrottlingException:http://internal.amazon.com/x/\r\n",
         "ThrottlingException"},
        {"x-amzn-errortype: com.amazon.x#ValidationException\r\n", "ValidationException"},
        {"x-amzn-errortype: com.x#ValidationException:http://y/#z\r\n", "ValidationException"},
        {"x-amzn-errortype: \r\n", ""},
        {"x-amzn-requestid: 1\r\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct http1_head head = {.count = 0};
        size_t len = strlen(rows[i].line);
        const char *colon = strchr(rows[i].line, ':');

        head.fields[0] = (struct http1_field){
            .name_at = 0,
            .name_len = (uint16_t)(colon - rows[i].line),
            .value_at = (uint32_t)(colon - rows[i].line + 2),
            .value_len = (uint16_t)(len - 4 - (size_t)(colon - rows[i].line)),
        };
        head.count = 1;
        if (!span_equal(blame_name(&head, rows[i].line), span_of(rows[i].name))) {
            fail_msg("%s", rows[i].line);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(provider__azure_takes_the_address_in_any_of_its_spellings),
        cmocka_unit_test(provider__converse_has_the_model_in_its_path),
        cmocka_unit_test(provider__azure_puts_deployment_and_version_where_they_belong),
        cmocka_unit_test(provider__others_keep_path_and_query_as_they_are),
        cmocka_unit_test(blame__reads_the_name_of_a_failure_from_a_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
