/* SPDX-License-Identifier: Apache-2.0 */
/* Whole requests: the published examples, more of them from another implementation of the same
 * formula, what may not count (media), and what cannot be exact and says so. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/mem.h"
#include "pricing/chat_count.h"
#include "tests/lib/vocabulary.h"
#include "wire/json_scan.h"

static struct chat_counter counter;
static struct json_scan *scan;

static struct chat_count count(enum count_shape shape, const char *model, const char *body)
{
    struct json_scan_options options = {.seed = 1};
    struct chat_count result;

    if (!json_scan_whole(scan, &options, span_of(body), NULL)) {
        fail_msg("no JSON: %s", body);
    }
    assert_int_equal(chat_count(&counter, shape, span_of(model), span_of(body), &result), ERR_NONE);
    return result;
}

struct chat_row {
    uint64_t o200k;
    uint64_t cl100k;
    const char *body;
};

static const struct chat_row chats[] = {
    {16, 16,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"role\":\"user\","
     "\"content\":\"Hi\"}]}"},
    {58, 60,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"role\":\"user\","
     "\"content\":\"Hi\"}],\"functions\":[{\"name\":\"get_weather\",\"description\":\"Current "
     "weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"strin"
     "g\",\"description\":\"City name\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]}"
     "},\"required\":[\"city\"]}}]}"},
    {127, 131,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"role\":\"user\","
     "\"content\":\"Hi\"}],\"functions\":[{\"name\":\"get_weather\",\"description\":\"Current "
     "weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"strin"
     "g\",\"description\":\"City name\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]}"
     "},\"required\":[\"city\"]}},{\"name\":\"plan\",\"parameters\":{\"type\":\"object\",\"req"
     "uired\":[\"days\",\"where\"],\"properties\":{\"days\":{\"type\":\"integer\",\"descriptio"
     "n\":\"How many\",\"enum\":[1,2,3]},\"where\":{\"type\":\"object\",\"description\":\"A pl"
     "ace\",\"properties\":{\"lat\":{\"type\":\"number\",\"description\":\"deep\"},\"lon\":{\""
     "type\":\"number\"},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"more"
     "\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"boolean\",\"description\":\"de"
     "eper\"}}}},\"required\":[\"lat\"]},\"any\":{\"type\":\"array\"},\"none\":{\"type\":\"nul"
     "l\"},\"odd\":{}}}}]}"},
    {93, 95,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"functions\":[{\"name\":\"plan\""
     ",\"parameters\":{\"type\":\"object\",\"required\":[\"days\",\"where\"],\"properties\":{"
     "\"days\":{\"type\":\"integer\",\"description\":\"How many\",\"enum\":[1,2,3]},\"where\":"
     "{\"type\":\"object\",\"description\":\"A place\",\"properties\":{\"lat\":{\"type\":\"num"
     "ber\",\"description\":\"deep\"},\"lon\":{\"type\":\"number\"},\"tags\":{\"type\":\"array"
     "\",\"items\":{\"type\":\"string\"}},\"more\":{\"type\":\"object\",\"properties\":{\"x\":"
     "{\"type\":\"boolean\",\"description\":\"deeper\"}}}},\"required\":[\"lat\"]},\"any\":{\""
     "type\":\"array\"},\"none\":{\"type\":\"null\"},\"odd\":{}}}}]}"},
    {58, 60,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\\n\"},{\"role\":\"user"
     "\",\"content\":\"Hi\"}],\"functions\":[{\"name\":\"get_weather\",\"description\":\"Curre"
     "nt weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"st"
     "ring\",\"description\":\"City name\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f"
     "\"]}},\"required\":[\"city\"]}}]}"},
    {59, 61,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"role\":\"user\","
     "\"content\":\"Hi\"}],\"functions\":[{\"name\":\"get_weather\",\"description\":\"Current "
     "weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"strin"
     "g\",\"description\":\"City name\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]}"
     "},\"required\":[\"city\"]}}],\"function_call\":\"none\"}"},
    {64, 66,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"role\":\"user\","
     "\"content\":\"Hi\"}],\"functions\":[{\"name\":\"get_weather\",\"description\":\"Current "
     "weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"strin"
     "g\",\"description\":\"City name\"},\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]}"
     "},\"required\":[\"city\"]}}],\"function_call\":{\"name\":\"get_weather\"}}"},
    {44, 45,
     "{\"messages\":[{\"role\":\"user\",\"content\":\"Wetter in K\\u00f6ln?\\n\\\"bitte\\\"\","
     "\"name\":\"anna\"},{\"role\":\"assistant\",\"content\":\"\",\"function_call\":{\"name\":"
     "\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"K\\u00f6ln\\\"}\"}},{\"role\":\"functi"
     "on\",\"name\":\"get_weather\",\"content\":\"{\\\"t\\\":7}\"}]}"},
    {51, 52,
     "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"role\":\"user\","
     "\"content\":\"Hi\"},{\"role\":\"system\",\"content\":\"Again.\"}],\"functions\":[{\"name"
     "\":\"now\",\"description\":\"The time\"},{\"name\":\"nil\",\"parameters\":{\"type\":\"ob"
     "ject\",\"properties\":{}}}]}"},
};

static void chat_count__follows_the_formula(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof chats / sizeof *chats; i++) {
        assert_int_equal(count(COUNT_CHAT, "gpt-4o", chats[i].body).tokens, chats[i].o200k);
        assert_int_equal(count(COUNT_CHAT, "gpt-4", chats[i].body).tokens, chats[i].cl100k);
    }
}

#define TURNS                                                                                      \
    "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},"                         \
    "{\"role\":\"user\",\"content\":\"Hi\"}]"
#define WEATHER                                                                                    \
    "\"name\":\"get_weather\",\"description\":\"Current "                                          \
    "weather\",\"parameters\":{\"type\":\"object\","                                               \
    "\"properties\":{\"city\":{\"type\":\"string\",\"description\":\"City name\"},"                \
    "\"unit\":{\"type\":\"string\",\"enum\":[\"c\",\"f\"]}},\"required\":[\"city\"]}"

/* Sixteen tokens, and with one function fifty-eight, in each spelling of it. */
static void chat_count__gives_the_published_examples(void **state)
{
    struct chat_count plain = count(COUNT_CHAT, "gpt-4o", TURNS "}");
    struct chat_count tools;

    (void)state;
    assert_int_equal(plain.tokens, 16);
    assert_true(plain.is_exact);
    assert_int_equal(plain.error_permille, 0);
    assert_int_equal(count(COUNT_CHAT, "gpt-4", TURNS "}").tokens, 16);
    tools = count(COUNT_CHAT, "gpt-4o",
                  TURNS ",\"tools\":[{\"type\":\"function\",\"function\":{" WEATHER "}}]}");
    assert_int_equal(tools.tokens, 58);
    assert_false(tools.is_exact);
    assert_in_range(tools.error_permille, 100, 999);
    assert_int_equal(count(COUNT_CHAT, "gpt-4o", TURNS ",\"functions\":[{" WEATHER "}]}").tokens,
                     58);
    assert_int_equal(count(COUNT_CHAT, "gpt-4o",
                           TURNS ",\"tools\":[{\"type\":\"function\",\"function\":{" WEATHER
                                 "}}],\"tool_choice\":{\"type\":\"function\",\"function\":"
                                 "{\"name\":\"get_weather\"}}}")
                         .tokens,
                     64);
}

/* The same text has the same tokens however it is written: escaped, in parts, under an escaped
 * name. */
static void chat_count__reads_json_as_text(void **state)
{
    (void)state;
    assert_int_equal(
        count(COUNT_CHAT, "gpt-4o",
              " \t\r\n{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},"
              "{\"role\":\"user\",\"content\":\"Hi\"}]}\r\n ")
            .tokens,
        16);
    assert_int_equal(
        count(COUNT_CHAT, "gpt-4o",
              "{ \"mess\\u0061ges\" : [ {\"content\":\"You are\\u0020terse\\u002e\","
              "\"role\":\"system\"},\n{\"role\":\"user\",\"content\":[{\"type\":\"text\","
              "\"text\":\"H\\u0069\"}]}]}")
            .tokens,
        16);
    assert_int_equal(count(COUNT_EMBEDDINGS, "text-embedding-3-small",
                           "{\"input\":\"\\ud83d\\ude80 \\\"x\\\"\"}")
                         .tokens,
                     count(COUNT_EMBEDDINGS, "text-embedding-3-small",
                           "{\"input\":\"\U0001f680 \\u0022x\\u0022\"}")
                         .tokens);
}

static void chat_count__does_not_take_media_for_text(void **state)
{
    struct chat_count image = count(
        COUNT_CHAT, "gpt-4o",
        "{\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"role\":\"user\","
        "\"content\":[{\"type\":\"text\",\"text\":\"Hi\"},{\"type\":\"image_url\",\"image_url\":"
        "{\"url\":\"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ\"}}]}]}");
    struct chat_count document = count(
        COUNT_MESSAGES, "claude-opus-5",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"document\",\"source\":"
        "{\"type\":\"base64\",\"media_type\":\"application/pdf\",\"data\":\"JVBERi0xLjQKJcfs\"}},"
        "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://a.test/b\"}}]}]}");

    (void)state;
    assert_int_equal(image.tokens, 16);
    assert_int_equal(image.media, 1);
    assert_int_equal(image.pictures, 1);
    assert_false(image.is_exact);
    assert_int_equal(document.tokens, 7);
    assert_int_equal(document.media, 2);
    assert_int_equal(document.pictures, 1);
    assert_int_equal(document.picture_bytes, 0);
}

#define CHAT_PART(part) COUNT_CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":[" part "]}]}"
#define ITEM(item)      COUNT_RESPONSES, "{\"input\":[" item "]}"
#define INPUT_PART(part) ITEM("{\"role\":\"user\",\"content\":[" part "]}")
#define BLOCK(block)    COUNT_MESSAGES, "{\"messages\":[{\"role\":\"user\",\"content\":[" block "]}]}"

/* What a picture takes is bounded, and its base64 is no text; both only of what says itself that it is
 * one, where a picture belongs. */
static void chat_count__tells_pictures_from_other_media(void **state)
{
    static const struct {
        enum count_shape shape;
        const char *body;
        uint32_t media;
        uint32_t pictures;
        uint64_t bytes;
    } rows[] = {
        {CHAT_PART("{\"type\":\"image_url\",\"image_url\":{\"detail\":\"low\",\"url\":\"data:image/png;base64,AAAA\"}}"), 1, 1, 28},
        {CHAT_PART("{\"type\":\"image_url\",\"image_url\":\"Data:Image\\/png;base64,AAAA\"}"), 1, 1, 29},
        {CHAT_PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"HTTPS://a.test/b.png\"}}"), 1, 1, 0},
        {CHAT_PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:application/pdf;base64,AAAA\"}}"), 1, 0, 0},
        {CHAT_PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"gs://a/film.mp4\"}}"), 1, 0, 0},
        {CHAT_PART("{\"type\":\"image_url\",\"text\":\"Hi\",\"image_url\":{\"url\":\"http://a.test/b\"}}"), 1, 1, 0},
        {CHAT_PART("{\"type\":\"text\",\"text\":\"data:image/png;base64,AAAA\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}"), 0, 0, 0},
        {CHAT_PART("{\"type\":\"im\\u0061ge_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}"), 1, 0, 0},
        {CHAT_PART("{\"type\":\"file\",\"text\":\"\",\"file\":{\"file_data\":\"data:image/png;base64,AAAA\"}}"), 1, 0, 0},
        {CHAT_PART("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\",\"format\":\"wav\"}}"), 1, 0, 0},
        {CHAT_PART("{\"text\":\"a\"},{\"type\":\"refusal\",\"refusal\":\"no\"}"), 0, 0, 0},
        {COUNT_CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"data:image/png;base64,AAAA\"}]}", 0, 0, 0},
        {COUNT_CHAT, "{\"messages\":[],\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,AAAA\"}", 0, 0, 0},
        {INPUT_PART("{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AAAA\"}"), 1, 1, 28},
        {INPUT_PART("{\"type\":\"input_image\",\"image_url\":null,\"file_id\":\"f\"}"), 1, 1, 0},
        {INPUT_PART("{\"type\":\"input_file\",\"file_data\":\"data:application/pdf;base64,AAAA\"}"), 1, 0, 0},
        {ITEM("{\"type\":\"computer_call_output\",\"output\":{\"type\":\"computer_screenshot\",\"image_url\":\"data:image/png;base64,AAAA\"}}"), 1, 1, 28},
        {ITEM("{\"type\":\"function_call_output\",\"output\":[{\"type\":\"input_image\",\"image_url\":\"https://a.test/b\"}]}"), 1, 1, 0},
        {ITEM("{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"AAAA\"}"), 0, 0, 0},
        {ITEM("{\"type\":\"reasoning\",\"id\":\"rs_1\",\"encrypted_content\":null}"), 1, 0, 0},
        {ITEM("{\"type\":\"image_generation_call\",\"encrypted_content\":\"A\",\"result\":\"AAAA\"}"), 1, 0, 0},
        {BLOCK("{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"AAAA\"}}"), 1, 1, 6},
        {BLOCK("{\"type\":\"image\",\"source\":{\"type\":\"file\",\"file_id\":\"f\"}}"), 1, 1, 0},
        {BLOCK("{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://a.test/b\",\"data\":\"AAAA\"}}"), 1, 1, 0},
        {BLOCK("{\"type\":\"image\",\"source\":{\"type\":\"text\",\"data\":\"AAAA\"}}"), 0, 0, 0},
        {BLOCK("{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"data\":\"AAAA\"}}"), 1, 0, 0},
        {BLOCK("{\"type\":\"tool_result\",\"content\":[{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"AAAA\"}}]}"), 1, 1, 6},
        {BLOCK("{\"type\":\"redacted_thinking\",\"data\":\"AAAA\"},{\"type\":\"thinking\",\"thinking\":\"a\",\"signature\":\"AAAA\"}"), 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct chat_count result = count(rows[i].shape, "gpt-4o", rows[i].body);

        if (result.media != rows[i].media || result.pictures != rows[i].pictures ||
            result.picture_bytes != rows[i].bytes) {
            fail_msg("%s: %u %u %u", rows[i].body, result.media, result.pictures,
                     (unsigned)result.picture_bytes);
        }
    }
}

static void chat_count__counts_inputs_without_a_frame(void **state)
{
    struct chat_count ids =
        count(COUNT_EMBEDDINGS, "text-embedding-3-large", "{\"input\":[[1,2,3],[4,5]]}");

    (void)state;
    assert_int_equal(ids.tokens, 5);
    assert_true(ids.is_exact);
    assert_int_equal(count(COUNT_EMBEDDINGS, "text-embedding-3-large",
                           "{\"input\":[\"hello world\",\"hello world\"]}")
                         .tokens,
                     4);
    assert_int_equal(count(COUNT_COMPLETIONS, "gpt-3.5-turbo-instruct",
                           "{\"prompt\":\"tabs\\tand\\nnewlines\\r\\n\\r\\nend\"}")
                         .tokens,
                     7);
    assert_true(count(COUNT_COMPLETIONS, "gpt-3.5-turbo-instruct", "{\"prompt\":[7, 8]}").is_exact);
    assert_false(
        count(COUNT_COMPLETIONS, "gpt-3.5-turbo-instruct", "{\"prompt\":\"a\",\"suffix\":\"b\"}")
            .is_exact);
}

static void chat_count__estimates_responses(void **state)
{
    struct chat_count text =
        count(COUNT_RESPONSES, "gpt-5.4", "{\"instructions\":\"You are terse.\",\"input\":\"Hi\"}");
    struct chat_count items = count(
        COUNT_RESPONSES, "gpt-5.4",
        "{\"input\":[{\"role\":\"system\",\"content\":\"You are terse.\"},{\"type\":\"message\","
        "\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Hi\"}]}]}");
    struct chat_count tools =
        count(COUNT_RESPONSES, "gpt-5.4",
              "{\"input\":[{\"role\":\"system\",\"content\":\"You are terse.\"},"
              "{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[{\"type\":"
              "\"function\"," WEATHER "}]}");
    struct chat_count kept =
        count(COUNT_RESPONSES, "gpt-5.4", "{\"previous_response_id\":\"resp_1\",\"input\":\"Hi\"}");
    struct chat_count calls =
        count(COUNT_RESPONSES, "gpt-5.4",
              "{\"input\":[{\"type\":\"function_call\",\"name\":\"now\",\"arguments\":\"{}\"},"
              "{\"type\":\"function_call_output\",\"output\":\"hello world\"},"
              "{\"type\":\"reasoning\",\"encrypted_content\":\"gAAAAABpXz\"}]}");

    (void)state;
    assert_int_equal(text.tokens, 16);
    assert_int_equal(items.tokens, 16);
    assert_false(text.is_exact);
    assert_in_range(text.error_permille, 1, 700);
    assert_in_range(tools.tokens, 58, 62);
    assert_int_equal(kept.error_permille, 1000);
    assert_int_equal(calls.media, 0);
    assert_in_range(calls.tokens, 15, 26);
    /* A token for each byte of what only the provider can read. */
    assert_true(calls.tokens * calls.error_permille / 1000 >= sizeof "gAAAAABpXz" - 1);
}

static void chat_count__estimates_messages(void **state)
{
    struct chat_count old =
        count(COUNT_MESSAGES, "claude-sonnet-4-6",
              "{\"messages\":[{\"role\":\"user\",\"content\":\"hello, world\"}]}");
    struct chat_count tools = count(
        COUNT_MESSAGES, "claude-sonnet-5",
        "{\"system\":[{\"type\":\"text\",\"text\":\"You are "
        "terse.\"}],\"messages\":[{\"role\":\"user\","
        "\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":"
        "\"t\","
        "\"name\":\"now\",\"input\":{\"zone\":\"UTC\"}}]},{\"role\":\"user\",\"content\":[{"
        "\"type\":"
        "\"tool_result\",\"tool_use_id\":\"t\",\"content\":[{\"type\":\"text\",\"text\":\"noon\"}]}"
        "]}],"
        "\"tools\":[{\"name\":\"now\",\"description\":\"The time\",\"input_schema\":{\"type\":"
        "\"object\"}}]}");

    (void)state;
    assert_in_range(old.tokens, 10, 12);
    assert_false(old.is_exact);
    assert_in_range(old.error_permille, 200, 1000);
    assert_in_range(tools.tokens, 400, 480);
}

/* Nothing in a body of another shape may stop us. */
static void chat_count__stands_other_shapes(void **state)
{
    static const char *const bodies[] = {
        "{}",
        "[]",
        "7",
        "\"x\"",
        "{\"messages\":{\"a\":1},\"input\":{\"a\":1},\"prompt\":true,\"system\":7,\"tools\":{}}",
        "{\"messages\":[1,null,\"x\",[],{}],\"input\":[1,null,\"x\",[],{}],\"tools\":[1,null,[],{}]"
        "}",
        "{\"messages\":[{\"role\":1,\"content\":[1,[],{}],\"tool_calls\":{\"a\":1}}],\"tool_"
        "choice\":[]}",
        "{\"tools\":[{\"name\":\"a\",\"parameters\":{\"properties\":{\"b\":1,\"c\":[],\"d\":{"
        "\"type\":[]}}}}]}",
        "{\"messages\":[{\"content\":[{\"type\":\"tool_result\",\"content\":[{\"source\":{\"type\":"
        "\"content\",\"content\":[{\"content\":[{\"content\":[{\"content\":\"x\"}]}]}]}}]}]}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        for (int shape = COUNT_CHAT; shape <= COUNT_MESSAGES; shape++) {
            assert_in_range(count((enum count_shape)shape, "gpt-4o", bodies[i]).tokens, 0, 600);
        }
    }
}

static uint64_t nested_tokens(int levels)
{
    struct buf body;
    uint64_t tokens = 0;

    buf_init(&body, 1024 * 1024);
    buf_put_text(&body, "{\"tools\":[{\"name\":\"a\",\"parameters\":{\"properties\":{\"p\":");
    for (int i = 0; i < levels; i++) {
        buf_put_text(&body, "{\"type\":\"array\",\"items\":");
    }
    buf_put_text(&body, "{}");
    for (int i = 0; i < levels; i++) {
        buf_put_char(&body, '}');
    }
    buf_put_text(&body, "}}}]}");
    buf_put_char(&body, '\0');
    tokens = count(COUNT_CHAT, "gpt-4o", body.at).tokens;
    buf_fini(&body);
    return tokens;
}

/* What is nested deeper than anybody writes it is not followed. */
static void chat_count__has_a_floor(void **state)
{
    (void)state;
    assert_true(nested_tokens(8) > nested_tokens(1));
    assert_int_equal(nested_tokens(100), nested_tokens(17));
    /* Blocks in a result in a document in a result: the text below that counts nothing. */
    assert_int_equal(count(COUNT_MESSAGES, "claude-opus-5",
                           "{\"messages\":[{\"content\":[{\"content\":[{\"content\":[{\"content\":"
                           "[{\"content\":[{\"text\":\"one two three four five six\"}]}]}]}]}]}]}")
                         .tokens,
                     count(COUNT_MESSAGES, "claude-opus-5",
                           "{\"messages\":[{\"content\":[{\"content\":[{\"content\":[{\"content\":"
                           "[{\"content\":[{\"text\":\"\"}]}]}]}]}]}]}")
                         .tokens);
}

/* A schema nested as deep as JSON may be, and a list of required names for each of many properties.
 */
static void chat_count__is_quick_with_hostile_schemas(void **state)
{
    struct buf body;

    (void)state;
    buf_init(&body, 16 * 1024 * 1024);
    buf_put_text(
        &body,
        "{\"messages\":[],\"tools\":[{\"name\":\"a\",\"parameters\":{\"properties\":{\"p\":");
    for (int i = 0; i < 100; i++) {
        buf_put_text(&body, "{\"type\":\"array\",\"items\":");
    }
    buf_put_text(&body, "{}");
    for (int i = 0; i < 100; i++) {
        buf_put_char(&body, '}');
    }
    buf_put_text(&body, "}}},{\"name\":\"b\",\"parameters\":{\"properties\":{\"x\":7");
    for (int i = 0; i < 40000; i++) {
        buf_put_format(&body, ",\"n%d\":1", i);
    }
    buf_put_text(&body, "},\"required\":[\"y\"");
    for (int i = 0; i < 40000; i++) {
        buf_put_format(&body, ",\"m%d\"", i);
    }
    buf_put_text(&body, "]}}]}");
    buf_put_char(&body, '\0');
    assert_false(body.failed);
    assert_in_range(count(COUNT_CHAT, "gpt-4o", body.at).tokens, 40000, 400000);
    buf_fini(&body);
}

static void chat_count__says_what_is_missing(void **state)
{
    struct chat_counter none;
    struct chat_count result;
    struct span body = SPAN_OF("{\"prompt\":\"a\\nb\"}");

    (void)state;
    chat_counter_init(&none, counter.tables[BPE_CL100K], NULL, counter.room);
    assert_int_equal(chat_count(&none, COUNT_COMPLETIONS, SPAN_OF("gpt-5"), body, &result),
                     ERR_MISSING);
    assert_int_equal(chat_count(&none, COUNT_COMPLETIONS, SPAN_OF("gpt-4"), body, &result),
                     ERR_NONE);
    chat_counter_fini(&none);
    chat_counter_init(&none, NULL, NULL, NULL); /* nothing is installed, the rest is told */
    body = SPAN_OF("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                   "{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}}]}]}");
    assert_int_equal(chat_count(&none, COUNT_CHAT, SPAN_OF("gpt-5"), body, &result), ERR_MISSING);
    assert_int_equal(result.media, 1);
    assert_false(result.is_elsewhere);
    body = SPAN_OF("{\"input\":\"a\",\"previous_response_id\":\"r\"}");
    assert_int_equal(chat_count(&none, COUNT_RESPONSES, SPAN_OF("gpt-5"), body, &result),
                     ERR_MISSING);
    assert_true(result.is_elsewhere);
    chat_counter_fini(&none);
    chat_counter_init(&none, counter.tables[BPE_CL100K], NULL, counter.room);
    body = SPAN_OF("{\"prompt\":\"a\\nb\"}");
    mem_fail_at(1);
    assert_int_equal(chat_count(&none, COUNT_COMPLETIONS, SPAN_OF("gpt-4"), body, &result),
                     ERR_MEMORY);
    mem_fail_at(0);
    assert_int_equal(chat_count(&none, COUNT_COMPLETIONS, SPAN_OF("gpt-4"), body, &result),
                     ERR_NONE);
    assert_int_equal(result.tokens, 3);
    chat_counter_fini(&none);
}

static void chat_count__reads_contents_of_gemini(void **state)
{
#define PARTS(parts) "{\"contents\":[{\"role\":\"user\",\"parts\":[" parts "]}]}"
    static const struct {
        const char *body;
        uint32_t media;
        uint32_t pictures;
        uint64_t picture_bytes;
        bool is_elsewhere;
    } rows[] = {
        {PARTS("{\"text\":\"Hi\"}"), 0, 0, 0, false},
        {PARTS("{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}"), 1, 1, 6, false},
        {PARTS("{\"inline_data\":{\"mime_type\":\"audio/wav\",\"data\":\"AAAA\"}}"), 1, 0, 0, false},
        {PARTS("{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"x\"}}"), 1, 1, 0, false},
        {PARTS("{\"fileData\":{\"fileUri\":\"x\"}}"), 1, 0, 0, false},
        {PARTS("{\"functionResponse\":{\"name\":\"f\",\"parts\":[{\"inlineData\":{}}]}}"), 1, 0, 0, false},
        {PARTS("7,{\"text\":7},{\"functionCall\":7},[]"), 0, 0, 0, false},
        {"{\"contents\":[{}],\"cachedContent\":\"cachedContents/c\"}", 0, 0, 0, true},
        {"{\"contents\":[{}],\"continuationToken\":\"t\"}", 0, 0, 0, true},
        {"{\"contents\":7,\"systemInstruction\":[],\"tools\":{}}", 0, 0, 0, false},
    };
    struct chat_count brief;
    struct chat_count longer;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct chat_count result = count(COUNT_GENERATE, "gemini-2.5-pro", rows[i].body);

        if (result.media != rows[i].media || result.pictures != rows[i].pictures ||
            result.picture_bytes != rows[i].picture_bytes ||
            result.is_elsewhere != rows[i].is_elsewhere || result.is_exact) {
            fail_msg("%s: %u %u", rows[i].body, result.media, result.pictures);
        }
    }
    brief = count(COUNT_GENERATE, "gemini-2.5-pro", PARTS("{\"text\":\"Hi\"}"));
    longer = count(COUNT_GENERATE, "gemini-2.5-pro",
                   "{\"systemInstruction\":{\"parts\":[{\"text\":\"You are terse.\"}]},"
                   "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"}]}],"
                   "\"contents\":[{\"parts\":[{\"text\":\"Hi\"}]}]}");
    assert_true(brief.tokens > 0 && longer.tokens > brief.tokens + 8);
    assert_int_equal(count(COUNT_GENERATE, "gemini-2.5-pro",
                           "{\"generateContentRequest\":" PARTS("{\"text\":\"Hi\"}") "}")
                         .tokens,
                     brief.tokens);
    assert_int_equal(count(COUNT_EMBED, "gemini-embedding-001",
                           "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}")
                         .tokens,
                     count(COUNT_EMBED, "gemini-embedding-001",
                           "{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}")
                         .tokens);
#undef PARTS
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_count__follows_the_formula),
        cmocka_unit_test(chat_count__gives_the_published_examples),
        cmocka_unit_test(chat_count__reads_json_as_text),
        cmocka_unit_test(chat_count__does_not_take_media_for_text),
        cmocka_unit_test(chat_count__tells_pictures_from_other_media),
        cmocka_unit_test(chat_count__reads_contents_of_gemini),
        cmocka_unit_test(chat_count__counts_inputs_without_a_frame),
        cmocka_unit_test(chat_count__estimates_responses),
        cmocka_unit_test(chat_count__estimates_messages),
        cmocka_unit_test(chat_count__stands_other_shapes),
        cmocka_unit_test(chat_count__has_a_floor),
        cmocka_unit_test(chat_count__is_quick_with_hostile_schemas),
        cmocka_unit_test(chat_count__says_what_is_missing),
    };
    struct bpe *cl100k = vocabulary(HEADGATE_TEST_RANKS, BPE_CL100K);
    struct bpe *o200k = vocabulary(HEADGATE_TEST_RANKS, BPE_O200K);
    struct bpe_room *room = bpe_room_new();
    int failed = 0;

    scan = json_scan_new();
    chat_counter_init(&counter, cl100k, o200k, room);
    failed = room == NULL || scan == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    chat_counter_fini(&counter);
    json_scan_free(scan);
    bpe_room_free(room);
    bpe_free(o200k);
    bpe_free(cl100k);
    return failed != 0 || mem_held() != 0;
}
