/* SPDX-License-Identifier: Apache-2.0 */
/* What a request would cost: from the question's bytes to the answer's, with the real vocabularies
 * and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/quoting.h"
#include "admin/quoting_parts.h"
#include "base/money.h"
#include "tests/lib/vocabulary.h"
#include "tests/unit/conf/world.h"

#define SETTINGS                                                                                   \
    "version: 1\n"                                                                                 \
    "providers:\n"                                                                                 \
    "  openai: { kind: openai }\n"                                                                 \
    "  own: { kind: compatible, base_url: http://127.0.0.1:9/v1, credential: none }\n"             \
    "  claude: { kind: anthropic }\n"                                                              \
    "routes:\n"                                                                                    \
    "  cheap:\n"                                                                                   \
    "    translate: off\n"                                                                          \
    "    strategy: cheapest\n"                                                                     \
    "    targets:\n"                                                                               \
    "      - { provider: openai, model: gpt-4.1 }\n"                                               \
    "      - { provider: openai, model: gpt-4.1-nano }\n"                                          \
    "      - { provider: own, model: qwen3 }\n"                                                    \
    "      - { provider: openai, model: gpt-4.1-mini }\n"                                          \
    "      - { provider: openai, model: gpt-4o, enabled: false }\n"                                \
    "      - { provider: claude, model: claude-sonnet-4-5 }\n"                                     \
    "  first: { translate: off, targets: [{ provider: openai, model: gpt-4o }] }\n"                \
    "tasks: { draft: cheap }\n"

#define AT 1795824000000 /* 2026-11-28 */

static struct json_scan *scan;
static struct chat_counter counter;

struct scene {
    struct snapshot *snapshot;
    struct fleet *fleet;
    struct guesses *guesses;
    struct quoting *quoting;
    struct buf out;
};

static void open_scene(struct scene *scene, const char *settings)
{
    scene->snapshot = load_good(settings);
    scene->fleet = fleet_new(&scene->snapshot->routing, 7);
    scene->guesses = guesses_new(7);
    scene->quoting = NULL;
    buf_init(&scene->out, 65536);
}

static void close_scene(struct scene *scene)
{
    quoting_free(scene->quoting);
    buf_fini(&scene->out);
    guesses_free(scene->guesses);
    fleet_free(scene->fleet);
    snapshot_give(scene->snapshot);
}

static struct refusal ask(struct scene *scene, const char *query, const char *body)
{
    struct quoting_world world = {.snapshot = scene->snapshot,
                                  .fleet = scene->fleet,
                                  .guesses = scene->guesses,
                                  .scan = scan,
                                  .seed = 7,
                                  .at = AT};

    quoting_free(scene->quoting);
    scene->quoting = quoting_new(scene->snapshot);
    return quoting_read(scene->quoting, &world, span_of(query), span_of(body));
}

static void ask_well(struct scene *scene, const char *query, const char *body, bool has_tables)
{
    struct chat_counter none;
    struct refusal refusal = ask(scene, query, body);
    struct buf said;

    if (refusal.kind != REFUSAL_NONE) {
        buf_init(&said, 4096);
        refusal_message(&refusal, &said);
        fail_msg("%s: %.*s", body, SPAN_ARGS(buf_span(&said)));
    }
    chat_counter_init(&none, NULL, NULL, NULL);
    quoting_count(scene->quoting, has_tables ? &counter : &none);
    chat_counter_fini(&none);
    buf_clear(&scene->out);
    quoting_write(scene->quoting, &scene->out);
}

static void expect(const struct scene *scene, const char *part)
{
    if (span_find(buf_span(&scene->out), span_of(part)) == NULL) {
        fail_msg("no <%s> in <%.*s>", part, SPAN_ARGS(buf_span(&scene->out)));
    }
}

#define CHAT                                                                                       \
    "{\"model\":\"first\",\"messages\":[{\"role\":\"system\",\"content\":\"You are terse.\"},"     \
    "{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":100}"

/* ---- answers ---- */

static void quoting__counts_and_prices_to_the_token(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    ask_well(&scene, "", "{\"request\":" CHAT "}", true);
    /* 16 tokens, by the vendor's own counter; 2.50 and 10.00 USD a million. */
    expect(&scene, "{\"route\":\"first\",\"strategy\":\"priority\",\"model\":\"first\","
                   "\"dialect\":\"openai\",\"operation\":\"chat\",\"bytes\":");
    expect(&scene, "\"targets\":[{\"provider\":\"openai\",\"model\":\"gpt-4o\",\"eligible\":true,"
                   "\"state\":\"ok\",\"input\":{\"likely\":16,\"at_most\":16,\"how\":\"exact\","
                   "\"error_permille\":0},\"output\":{\"likely\":100,\"at_most\":100,"
                   "\"how\":\"cap\"},\"price\":\"openai/gpt-4o@");
    expect(&scene, "\"cost_usd\":{\"likely\":\"0.00104\",\"at_most\":\"0.00104\"}}]}\n");
    ask_well(&scene, "path=/v1/chat/completions", CHAT, true);
    expect(&scene, "\"likely\":\"0.00104\"");
    close_scene(&scene);
}

static void quoting__goes_by_bytes_without_a_vocabulary(void **state)
{
    struct scene scene;
    uint64_t key = 0;

    (void)state;
    open_scene(&scene, SETTINGS);
    ask_well(&scene, "path=/v1/chat/completions", CHAT, false);
    assert_true(quoting_lacks(scene.quoting));
    assert_int_equal(sizeof CHAT - 1, 123);
    expect(&scene, "\"input\":{\"likely\":31,\"at_most\":123,\"how\":\"assumed\"}");
    key = guesses_key(scene.guesses, SPAN_OF("openai"), SPAN_OF("gpt-4o"));
    for (int i = 0; i < 3; i++) {
        guesses_learn(scene.guesses, key, GUESS_INPUT, 1000, 125);
        guesses_learn(scene.guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER, 60);
    }
    ask_well(&scene, "path=/v1/chat/completions", CHAT, false);
    expect(&scene, "\"input\":{\"likely\":16,\"at_most\":123,\"how\":\"ratio\","
                   "\"error_permille\":20},\"output\":{\"likely\":60,\"at_most\":100,"
                   "\"how\":\"learned\"}");
    ask_well(&scene, "path=/v1/chat/completions", CHAT, true);
    assert_false(quoting_lacks(scene.quoting));
    expect(&scene, "\"how\":\"exact\"");
    close_scene(&scene);
}

static void quoting__takes_the_better_of_count_and_ratio(void **state)
{
    struct scene scene;
    uint64_t key = 0;
    const char *body = "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":9,\"messages\":[{\"role\":"
                       "\"user\",\"content\":\"one two three\"}]}";

    (void)state;
    open_scene(&scene, SETTINGS);
    ask_well(&scene, "dialect=anthropic", body, true);
    expect(&scene, "\"provider\":\"claude\",\"model\":\"claude-sonnet-4-5\"");
    expect(&scene, "\"how\":\"estimated\",\"error_permille\":");
    key = guesses_key(scene.guesses, SPAN_OF("claude"), SPAN_OF("claude-sonnet-4-5"));
    for (int i = 0; i < 3; i++) {
        guesses_learn(scene.guesses, key, GUESS_INPUT, 1000, 125);
    }
    ask_well(&scene, "dialect=anthropic", body, true);
    expect(&scene, "\"how\":\"ratio\",\"error_permille\":20");
    close_scene(&scene);
}

/* The model of the i-th target in the answer, and what it is likely to cost. */
static int64_t likely_of(const struct scene *scene, uint8_t i)
{
    const struct quoting *quoting = scene->quoting;
    uint8_t place = quoting->order[i];
    struct quote_ask ask = {.request = &quoting->request,
                            .prices = &quoting->snapshot->prices,
                            .model = quoting->model,
                            .at = AT,
                            .length = quoting->length};
    struct quote quote;

    quote_make(&ask, plan_target(&quoting->plan, place), &quoting->places[place].counts, &quote);
    return quote.price == NULL ? -1 : quote.likely.pico;
}

static void quoting__order_of_cost_is_that_of_cheapest(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    for (int i = 0; i < 20; i++) {
        ask_well(&scene, "path=/v1/chat/completions&task=draft", CHAT, i % 2 == 0);
        assert_int_equal(scene.quoting->count, 6);
        assert_int_equal(scene.quoting->plan.count, 4);
        assert_int_equal(scene.quoting->order[0], 1); /* nano, */
        assert_int_equal(scene.quoting->order[1], 3); /* mini, */
        assert_int_equal(scene.quoting->order[2], 0); /* the large one, */
        assert_int_equal(scene.quoting->order[3], 2); /* and whose price nobody knows. */
        assert_true(likely_of(&scene, 0) > 0);
        assert_true(likely_of(&scene, 0) < likely_of(&scene, 1));
        assert_true(likely_of(&scene, 1) < likely_of(&scene, 2));
        assert_int_equal(likely_of(&scene, 3), -1);
        /* As it is made there. */
        assert_int_equal(likely_of(&scene, 0),
                         cost_likely(&scene.snapshot->prices, plan_target(&scene.quoting->plan, 1),
                                     SPAN_OF("first"), i % 2 == 0 ? 16 : 31, 100, AT));
    }
    expect(&scene, "\"model\":\"gpt-4o\",\"eligible\":false,\"state\":\"disabled\"");
    expect(&scene, "\"model\":\"claude-sonnet-4-5\",\"eligible\":false,\"state\":\"dialect\"");
    expect(&scene, "\"unpriced\":true");
    close_scene(&scene);
}

static void quoting__one_length_for_all_targets(void **state)
{
    static const struct {
        const char *model;
        int64_t length;
    } rows[] = {{"gpt-4.1", 30}, {"gpt-4.1-mini", 50}, {"gpt-4o", 7000}};
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) { /* the last one is disabled */
        uint64_t key = guesses_key(scene.guesses, SPAN_OF("openai"), span_of(rows[i].model));

        for (int k = 0; k < 3; k++) {
            guesses_learn(scene.guesses, key, GUESS_LENGTH, GUESS_ONE_ANSWER, rows[i].length);
        }
    }
    ask_well(&scene, "path=/v1/chat/completions&task=draft", CHAT, true);
    assert_int_equal(scene.quoting->length, 40);
    assert_int_equal(scene.quoting->order[0], 1);
    expect(&scene, "\"model\":\"gpt-4.1-nano\",\"eligible\":true,\"state\":\"ok\",\"input\":{"
                   "\"likely\":16,\"at_most\":26,\"how\":\"estimated\",\"error_permille\":589},"
                   "\"output\":{\"likely\":40,\"at_most\":100,\"how\":\"learned\"}");
    /* What is not below the cap says nothing. */
    ask_well(&scene, "path=/v1/chat/completions&task=draft",
             "{\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"max_tokens\":"
             "40}",
             true);
    assert_int_equal(scene.quoting->length, 0);
    close_scene(&scene);
}

/* Where the answer comes to its first output. */
static size_t output_at(const struct scene *scene)
{
    const char *at = span_find(buf_span(&scene->out), SPAN_OF("\"output\""));

    assert_non_null(at);
    return (size_t)(at - scene->out.at);
}

static void quoting__tells_what_has_no_bound(void **state)
{
    static const struct {
        const char *query;
        const char *body;
        const char *part;
    } rows[] = {
        {"path=/v1/chat/completions",
         "{\"model\":\"own/m\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":[{"
         "\"type\":\"file\",\"file\":{\"file_id\":\"f\"}}]}]}",
         "\"open\":\"media\""},
        {"path=/v1/responses",
         "{\"model\":\"own/m\",\"max_output_tokens\":5,\"input\":\"a\",\"previous_response_id\":"
         "\"r\"}",
         "\"open\":\"elsewhere\""},
        {"path=/v1/responses",
         "{\"model\":\"first\",\"max_output_tokens\":5,\"input\":\"a\",\"tools\":[{\"type\":"
         "\"web_search\"}]}",
         "\"open\":\"tools\""},
        {"path=/v1/chat/completions",
         "{\"model\":\"own/m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
         "\"open\":\"output\""},
    };
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        ask_well(&scene, rows[i].query, rows[i].body, i % 2 == 0);
        expect(&scene, rows[i].part);
        if (i < 2) { /* of the output alone */
            assert_null(span_find(span_make(scene.out.at, output_at(&scene)), SPAN_OF("at_most")));
        }
        assert_null(span_find(buf_span(&scene.out), SPAN_OF("\"cost_usd\":{\"likely\":\"0\"")));
    }
    /* A picture has a ceiling, and what is not known more closely fits into the model's context. */
    ask_well(&scene, "path=/v1/chat/completions",
             "{\"model\":\"first\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":[{"
             "\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,iVBORw0KGgoAAA\"}},{"
             "\"type\":\"image_url\",\"image_url\":{\"url\":\"http://x/y.png\"}}]}]}",
             true);
    expect(&scene, "\"input\":{\"likely\":7,\"at_most\":4007,\"how\":\"estimated\",\"error_permille\":0},"
                   "\"media\":2");
    assert_null(span_find(buf_span(&scene.out), SPAN_OF("\"open\"")));
    ask_well(&scene, "path=/v1/responses",
             "{\"model\":\"first\",\"max_output_tokens\":5,\"previous_response_id\":\"r\",\"input\":[{"
             "\"role\":\"user\",\"content\":[{\"type\":\"input_file\",\"file_id\":\"f\"}]}]}",
             true);
    expect(&scene, "\"at_most\":128000,");
    assert_null(span_find(buf_span(&scene.out), SPAN_OF("\"open\"")));
    ask_well(&scene, "path=/v1/responses",
             "{\"model\":\"first\",\"max_output_tokens\":5,\"prompt\":{\"id\":\"p\"}}", true);
    expect(&scene, "\"open\":\"tools\"");
    /* An app's own function is no such tool, and without a cap the model's own counts. */
    ask_well(&scene, "path=/v1/responses",
             "{\"model\":\"first\",\"input\":\"a\",\"tools\":[{\"type\":\"function\",\"name\":"
             "\"f\"}]}",
             true);
    assert_null(span_find(buf_span(&scene.out), SPAN_OF("\"open\"")));
    expect(&scene, "\"output\":{\"likely\":1024,\"at_most\":16384,\"how\":\"assumed\"}");
    ask_well(&scene, "path=/v1/embeddings",
             "{\"model\":\"openai/text-embedding-3-small\","
             "\"input\":\"hello world\"}",
             true);
    expect(&scene, "\"input\":{\"likely\":2,\"at_most\":2,\"how\":\"exact\",\"error_permille\":0},"
                   "\"output\":{\"likely\":0,\"at_most\":0,\"how\":\"none\"}");
    expect(&scene, "\"likely\":\"0.00000004\"");
    close_scene(&scene);
}

static void quoting__asks_for_so_many_answers_at_their_tier(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    ask_well(&scene, "path=/v1/chat/completions",
             "{\"model\":\"openai/gpt-5.4\",\"n\":3,\"max_completion_tokens\":10,\"service_tier\":"
             "\"priority\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
             true);
    expect(&scene, "\"output\":{\"likely\":30,\"at_most\":30,\"how\":\"cap\"}");
    /* No answer is longer than the model can make it. */
    ask_well(&scene, "path=/v1/chat/completions",
             "{\"model\":\"openai/gpt-5.4\",\"max_completion_tokens\":9223372036854775807,"
             "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
             true);
    expect(&scene, "\"at_most\":128000,");
    assert_null(span_find(buf_span(&scene.out), SPAN_OF("\"open\"")));
    close_scene(&scene);
}

static void quoting__a_table_has_a_line_for_each(void **state)
{
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    ask_well(&scene, "", "{\"format\":\"table\",\"task\":\"draft\",\"request\":" CHAT "}", true);
    assert_true(quoting_wants_table(scene.quoting));
    expect(&scene, "route cheap, cheapest; chat, 123 bytes; prices 20");
    expect(&scene, "\nopenai/gpt-4.1-nano       ok               16 estimated +-59%       100 cap  "
                   "                 0.0000416      0.0000426\n");
    expect(&scene, "\nopenai/gpt-4o             disabled         16 exact                 100 cap  "
                   "                   0.00104        0.00104\n");
    expect(&scene, "\nown/qwen3 ");
    expect(&scene, "-              -  unpriced\n");
    close_scene(&scene);
}

/* ---- questions ---- */

static void quoting__puts_another_model_in_its_place(void **state)
{
    static const char *const bodies[] = {
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"model\":\"x\"}",
        " { \"model\" : \"x\", \"messages\":[{\"role\":\"user\",\"content\":\"a\"}]} ",
    };
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        ask_well(&scene, "path=/v1/chat/completions&model=%66irst", bodies[i], true);
        expect(&scene, "\"route\":\"first\"");
        expect(&scene, "\"model\":\"gpt-4o\"");
    }
    close_scene(&scene);
}

static void quoting__says_what_is_wrong(void **state)
{
    static const struct {
        const char *query;
        const char *body;
        enum refusal_kind kind;
        const char *detail;
    } rows[] = {
        {"", "", REFUSAL_INVALID_JSON, ""},
        {"", "[]", REFUSAL_NOT_OBJECT, ""},
        {"", "{}", REFUSAL_BAD_QUESTION, "request: takes the request's object"},
        {"", "{\"request\":1}", REFUSAL_BAD_QUESTION, "request: takes the request's object"},
        {"", CHAT, REFUSAL_BAD_QUESTION, "messages: no such member"},
        {"", "{\"task\":1,\"request\":{}}", REFUSAL_BAD_QUESTION, "task: takes a string"},
        {"", "{\"request\":{}}", REFUSAL_INVALID_MODEL, ""},
        {"", "{\"path\":\"/v1/files\",\"request\":{}}", REFUSAL_BAD_QUESTION, "/v1/files: no call"},
        {"path=/v1/models", "{}", REFUSAL_BAD_QUESTION, "/v1/models: no call"},
        {"path=/v1/chat/completions&x=1", "{}", REFUSAL_BAD_QUESTION, "x: no such parameter"},
        {"path=%zz", "{}", REFUSAL_BAD_QUESTION, "path: a value is missing"},
        {"path", "{}", REFUSAL_BAD_QUESTION, "path: a value is missing"},
        {"path=/v1/chat/completions&dialect=anthropic", "{}", REFUSAL_BAD_QUESTION,
         "anthropic: not the dialect"},
        {"path=/v1/chat/completions&format=xml", CHAT, REFUSAL_BAD_QUESTION, "format: takes"},
        {"path=/v1/chat/completions&task=none", CHAT, REFUSAL_TASK_NOT_FOUND, "none"},
        {"path=/v1/chat/completions&route=none", CHAT, REFUSAL_ROUTE_NOT_FOUND, "none"},
        {"dialect=anthropic",
         "{\"model\":\"first\",\"max_tokens\":9,\"messages\":[{\"role\":"
         "\"user\",\"content\":\"a\"}]}",
         REFUSAL_DIALECT_NOT_SERVED, "first"},
    };
    struct scene scene;

    (void)state;
    open_scene(&scene, SETTINGS);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct refusal refusal = ask(&scene, rows[i].query, rows[i].body);

        if (refusal.kind != rows[i].kind || !span_starts(refusal.detail, span_of(rows[i].detail))) {
            fail_msg("%zu: %d <%.*s>", i, (int)refusal.kind, SPAN_ARGS(refusal.detail));
        }
    }
    close_scene(&scene);
    open_scene(&scene, SETTINGS "strict_models: true\n");
    assert_int_equal(ask(&scene, "path=/v1/chat/completions&model=other", CHAT).kind,
                     REFUSAL_MODEL_NOT_FOUND);
    close_scene(&scene);
}

static void quoting__survives_a_heap_that_fails(void **state)
{
    struct scene scene;
    uint64_t n = 0;

    (void)state;
    open_scene(&scene, SETTINGS);
    for (bool is_done = false; !is_done; n++) {
        struct refusal refusal;

        quoting_free(scene.quoting);
        scene.quoting = NULL;
        mem_fail_at(n + 1);
        scene.quoting = quoting_new(scene.snapshot);
        if (scene.quoting != NULL) {
            struct quoting_world world = {.snapshot = scene.snapshot,
                                          .fleet = scene.fleet,
                                          .scan = scan,
                                          .seed = 7,
                                          .at = AT};

            refusal = quoting_read(scene.quoting, &world,
                                   SPAN_OF("path=/v1/chat/completions&model=first"), SPAN_OF(CHAT));
            is_done = refusal.kind == REFUSAL_NONE;
            assert_true(is_done || refusal.kind == REFUSAL_OVERLOADED);
        }
        mem_fail_at(0);
    }
    assert_true(n > 3);
    close_scene(&scene);
}

/* ---- other dialects ---- */

#define MIXED(more)                                                                                \
    "version: 1\n"                                                                                 \
    "providers:\n"                                                                                 \
    "  openai: { kind: openai, credential: sk-test-1 }\n"                                          \
    "  claude: { kind: anthropic, credential: sk-test-2 }\n"                                       \
    "routes:\n"                                                                                    \
    "  first:\n"                                                                                   \
    "    targets: [{ provider: claude, model: claude-sonnet-4-5 }, { provider: openai, model: gpt-4o }]\n" more

static void quoting__tells_the_target_before_it_counts(void **state)
{
    struct scene scene;
    const struct quoting_place *place = NULL;

    (void)state;
    open_scene(&scene, MIXED(""));
    ask_well(&scene, "path=/v1/chat/completions",
             "{\"model\":\"first\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
             "\"response_format\":{\"type\":\"json_object\"}}",
             false);
    place = &scene.quoting->places[0];
    assert_int_equal(scene.quoting->order[0], 0);
    assert_non_null(place->translation);
    assert_int_equal(place->bytes, translation_body(place->translation).len);
    assert_true(place->bytes > scene.quoting->body.len); /* a line of instructions, and a cap */
    assert_int_equal(place->request.output_cap, 64000);
    assert_null(scene.quoting->places[1].translation);
    expect(&scene, "\"output\":{\"likely\":1024,\"at_most\":64000,\"how\":\"assumed\"}");
    close_scene(&scene);
}

static void quoting__says_who_cannot_be_told(void **state)
{
    struct scene scene;
    const char *body = "{\"model\":\"first\",\"n\":2,\"max_tokens\":9,"
                       "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    (void)state;
    open_scene(&scene, MIXED(""));
    ask_well(&scene, "path=/v1/chat/completions", body, false);
    assert_int_equal(scene.quoting->count, 2);
    assert_int_equal(scene.quoting->order[1], 0);
    expect(&scene, "\"model\":\"claude-sonnet-4-5\",\"eligible\":false,\"state\":\"untranslatable\"");
    close_scene(&scene);
    open_scene(&scene, MIXED("    translate: off\n"));
    ask_well(&scene, "path=/v1/chat/completions", body, false);
    expect(&scene, "\"model\":\"claude-sonnet-4-5\",\"eligible\":false,\"state\":\"dialect\"");
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting__tells_the_target_before_it_counts),
        cmocka_unit_test(quoting__says_who_cannot_be_told),
        cmocka_unit_test(quoting__counts_and_prices_to_the_token),
        cmocka_unit_test(quoting__goes_by_bytes_without_a_vocabulary),
        cmocka_unit_test(quoting__takes_the_better_of_count_and_ratio),
        cmocka_unit_test(quoting__order_of_cost_is_that_of_cheapest),
        cmocka_unit_test(quoting__one_length_for_all_targets),
        cmocka_unit_test(quoting__tells_what_has_no_bound),
        cmocka_unit_test(quoting__asks_for_so_many_answers_at_their_tier),
        cmocka_unit_test(quoting__a_table_has_a_line_for_each),
        cmocka_unit_test(quoting__puts_another_model_in_its_place),
        cmocka_unit_test(quoting__says_what_is_wrong),
        cmocka_unit_test(quoting__survives_a_heap_that_fails),
    };
    struct bpe *tables[2] = {vocabulary(HEADGATE_TEST_RANKS, BPE_CL100K),
                             vocabulary(HEADGATE_TEST_RANKS, BPE_O200K)};
    struct bpe_room *room = bpe_room_new();
    int failed = 0;

    scan = json_scan_new();
    chat_counter_init(&counter, tables[BPE_CL100K], tables[BPE_O200K], room);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    chat_counter_fini(&counter);
    json_scan_free(scan);
    bpe_room_free(room);
    bpe_free(tables[0]);
    bpe_free(tables[1]);
    return failed;
}
