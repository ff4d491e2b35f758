/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that break off and go on elsewhere, in both dialects: what is followed, what is asked,
 * and what the app gets in the end. */
#include "resume_rig.h"

static const struct prefill_way turn = {SPAN(""), SPAN(""), PREFILL_MARK_ROLE, true};
static const struct prefill_way prefix = {SPAN(",\"prefix\":true"), SPAN(""), PREFILL_MARK_PREFIX,
                                          false};
static const struct prefill_way flag = {SPAN(""), SPAN(",\"continue_final_message\":true"),
                                        PREFILL_MARK_FLAG, false};

static const struct operation *chat(void)
{
    return operation_named(&dialect_openai, "chat");
}

static const struct operation *messages(void)
{
    return operation_named(&dialect_anthropic, "messages");
}

#define USER              "{\"role\":\"user\",\"content\":\"hi\"}"
#define BODY(more)        "{\"model\":\"m1\",\"messages\":[" USER "],\"stream\":true" more "}"
#define ASKED(more, turn) "{\"model\":\"m2\",\"messages\":[" USER turn "],\"stream\":true" more "}"

/* ---- chat ---- */

#define CHUNK(id, model, choices, more)                                                            \
    "data: {\"id\":\"" id "\",\"created\":" more ",\"model\":\"" model "\",\"choices\":" choices   \
    "}\n\n"
#define DELTA(delta)  "[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":null}]"
#define FIRST(delta)  CHUNK("c1", "m1", DELTA(delta), "1")
#define SECOND(delta) CHUNK("c2", "m2", DELTA(delta), "2")
#define LATER(delta)  CHUNK("c1", "m1", DELTA(delta), "1") /* of the second, as the app gets it */
#define ROLE          "\"role\":\"assistant\",\"content\":\"\""
#define STOP(id, model, n)                                                                         \
    CHUNK(id, model, "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]", n)
#define DONE "data: [DONE]\n\n"

static void resume__goes_on_with_chat(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, chat(), BODY(",\"max_tokens\":100"));
    rig_whole(&rig, FIRST(ROLE) FIRST("\"content\":\"Hello\\n \"")
                        FIRST("\"content\":\"wor\"") "data: {\"id\":\"c1\",\"choi");
    assert_true(resume_can(&rig.resume, &rig.stream));
    assert_true(rig_next(&rig, &prefix, true));
    assert_text(buf_span(&rig.body),
                ASKED(",\"max_tokens\":97",
                      ",{\"role\":\"assistant\",\"content\":\"Hello\\n wor\",\"prefix\":true}"));
    rig_whole(&rig, ": hold on\n\n" SECOND(ROLE) SECOND("\"content\":\"ld\"") STOP("c2", "m2", "2")
                        CHUNK("c2", "m2", "[]",
                              "2,\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,"
                              "\"total_tokens\":13}") DONE);
    assert_false(rig.is_broken);
    assert_text(buf_span(&rig.app),
                FIRST(ROLE) FIRST("\"content\":\"Hello\\n \"") FIRST("\"content\":\"wor\"")
                    LATER("\"content\":\"ld\"") STOP("c1", "m1", "1")
                        CHUNK("c1", "m1", "[]",
                              "1,\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":7,"
                              "\"total_tokens\":16}") DONE);
    rig_end(&rig);
}

/* SDKs add deltas up: a role said twice would be "assistantassistant". */
static void resume__says_the_role_once(void **state)
{
    static const struct {
        const char *delta;
        const char *wanted;
    } rows[] = {
        {"\"role\":\"assistant\",\"content\":\"x\"", LATER("\"content\":\"x\"")},
        {"\"role\" : \"assistant\" , \"content\":\"x\"", LATER(" \"content\":\"x\"")},
        {"\"content\":\"x\" , \"role\":\"assistant\"", LATER("\"content\":\"x\" ")},
        {"\"content\":\"x\",\"role\":null,\"refusal\":null",
         LATER("\"content\":\"x\",\"refusal\":null")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;
        char chunk[512];
        size_t before = 0;

        rig_begin(&rig, chat(), BODY(""));
        rig_whole(&rig, FIRST(ROLE) FIRST("\"content\":\"a\""));
        assert_true(rig_next(&rig, &prefix, true));
        before = rig.app.len;
        (void)snprintf(
            chunk, sizeof chunk,
            "data: {\"id\":\"c2\",\"created\":2,\"model\":\"m2\",\"choices\":[{\"index\":"
            "0,\"delta\":{%s},\"finish_reason\":null}]}\n\n",
            rows[i].delta);
        rig_whole(&rig, chunk);
        assert_text(span_from(buf_span(&rig.app), before), rows[i].wanted);
        assert_true(resume_can(&rig.resume, &rig.stream));
        rig_end(&rig);
    }
}

/* What may not be continued: by the request, ... */
static void resume__is_not_possible_for_some_requests(void **state)
{
    static const struct {
        bool is_chat;
        const char *body;
        bool may;
    } rows[] = {
        {true, BODY(""), true},
        {true, BODY(",\"n\":1,\"logprobs\":false,\"response_format\":{\"type\":\"text\"}"), true},
        {true, BODY(",\"n\":null,\"logprobs\":null,\"response_format\":null"), true},
        {true, BODY(",\"n\":2"), false},
        {true, BODY(",\"logprobs\":true"), false},
        {true, BODY(",\"response_format\":{\"type\":\"json_object\"}"), false},
        {true, BODY(",\"audio\":{\"voice\":\"x\"}"), false},
        {true, BODY(",\"echo\":true"), false},
        {true, "{\"model\":\"m1\",\"messages\":[" USER "]}", false},
        {false, BODY(""), true},
        {false, BODY(",\"thinking\":{\"type\":\"disabled\"}"), true},
        {false, BODY(",\"thinking\":{\"type\":\"adaptive\"}"), false},
        {false, BODY(",\"output_config\":{\"format\":{\"type\":\"json_schema\"}}"), false},
        {false, BODY(",\"output_config\":{\"effort\":\"low\"}"), true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;

        print_message("%s\n", rows[i].body);
        rig_begin(&rig, rows[i].is_chat ? chat() : messages(), rows[i].body);
        assert_int_equal(resume_can(&rig.resume, &rig.stream), rows[i].may);
        rig_end(&rig);
    }
}

static void resume__is_of_chat_and_messages_alone(void **state)
{
    (void)state;
    assert_null(operation_named(&dialect_openai, "responses")->resume);
    assert_null(operation_named(&dialect_openai, "completions")->resume);
    assert_null(operation_named(&dialect_openai, "embeddings")->resume);
    assert_null(operation_named(&dialect_anthropic, "count_tokens")->resume);
    assert_null(dialect_openai.pass.resume);
}

/* ---- messages ---- */

#define EVENT(name, data) "event: " name "\ndata: {\"type\":\"" name "\"" data "}\n\n"
#define START(id, n)                                                                               \
    EVENT("message_start",                                                                         \
          ",\"message\":{\"id\":\"" id "\",\"content\":[],\"usage\":{\"input_tokens\":" n          \
          ",\"cache_read_input_tokens\":5,\"output_tokens\":1}}")
#define BLOCK(i, type) EVENT("content_block_start", ",\"index\":" i ",\"content_block\":{" type "}")
#define TEXT_BLOCK(i)  BLOCK(i, "\"type\":\"text\",\"text\":\"\"")
#define TOOL_BLOCK(i)  BLOCK(i, "\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}")
#define TEXT(i, text)                                                                              \
    EVENT("content_block_delta",                                                                   \
          ",\"index\":" i ",\"delta\":{\"type\":\"text_delta\",\"text\":\"" text "\"}")
#define BLOCK_STOP(i) EVENT("content_block_stop", ",\"index\":" i)
#define END(usage)                                                                                 \
    EVENT("message_delta", ",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{" usage "}")
#define LAST EVENT("message_stop", "")
#define PING EVENT("ping", "")

static void resume__goes_on_with_messages(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, messages(), BODY(",\"max_tokens\":2"));
    rig_whole(&rig, START("a", "10") TEXT_BLOCK("0") PING TEXT("0", "Hello \\u4f60")
                        TEXT("0", "wor") "event: content_blo");
    assert_true(resume_can(&rig.resume, &rig.stream));
    assert_true(rig_next(&rig, &turn, true));
    assert_text(
        buf_span(&rig.body),
        ASKED(",\"max_tokens\":1", ",{\"role\":\"assistant\",\"content\":\"Hello \\u4f60wor\"}"));
    rig_whole(&rig, START("b", "14") PING TEXT_BLOCK("0") TEXT("0", "ld") PING BLOCK_STOP("0")
                        END("\"output_tokens\":20") LAST);
    assert_false(rig.is_broken);
    assert_text(buf_span(&rig.app), START("a", "10") TEXT_BLOCK("0") PING TEXT("0", "Hello \\u4f60")
                                        TEXT("0", "wor") TEXT("0", "ld") PING BLOCK_STOP("0") END(
                                            "\"input_tokens\":24,\"cache_read_input_tokens\":10,"
                                            "\"output_tokens\":24") LAST);
    rig_end(&rig);
}

/* What the call used is the sum, too; each attempt's own figures stand in its stream. */
static void resume__adds_up_what_was_told(void **state)
{
    struct rig rig;
    struct meter sum;

    (void)state;
    rig_begin(&rig, messages(), BODY(""));
    rig_whole(&rig, START("a", "10") TEXT_BLOCK("0") TEXT("0", "12345678"));
    resume_usage(&rig.resume, &rig.stream, &sum);
    assert_int_equal(sum.told[USAGE_OUTPUT], 1); /* nothing went on: what the provider told */
    assert_true(rig_next(&rig, &turn, true));
    rig_whole(&rig, START("b", "12") TEXT_BLOCK("0") TEXT("0", "9") BLOCK_STOP("0")
                        END("\"output_tokens\":7") LAST);
    resume_usage(&rig.resume, &rig.stream, &sum);
    assert_int_equal(sum.told[USAGE_INPUT], 22);
    assert_int_equal(sum.told[USAGE_CACHE_READ], 10);
    assert_int_equal(sum.told[USAGE_OUTPUT], 2 + 7);
    assert_int_equal(sum.told[USAGE_TOTAL], -1);
    assert_int_equal(rig.stream.meter.told[USAGE_INPUT], 12);
    assert_int_equal(rig.stream.meter.told[USAGE_OUTPUT], 7);
    rig_end(&rig);
}

/* Searches and what stays in a cache are sums like all figures; what is odd about one stream is so
 * about the call, and the cost of the last stream is not that of all. */
static void resume__adds_up_every_class(void **state)
{
    struct rig rig;
    struct meter sum;
    struct usage usage;

    (void)state;
    rig_begin(&rig, messages(), BODY(""));
    rig_whole(&rig, EVENT("message_start",
                          ",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":10,"
                          "\"output_tokens\":-1,\"cache_creation_input_tokens\":7,"
                          "\"cache_creation\":{\"ephemeral_1h_input_tokens\":4},"
                          "\"server_tool_use\":{\"web_search_requests\":2},"
                          "\"iterations\":[{\"type\":\"compaction\",\"input_tokens\":5},"
                          "{\"type\":\"advisor_message\",\"model\":\"x\"}]}}")
                        TEXT_BLOCK("0") TEXT("0", "1234"));
    assert_true(rig_next(&rig, &turn, true));
    rig_whole(&rig, EVENT("message_start",
                          ",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":12,"
                          "\"service_tier\":\"priority\",\"cost\":0.5,"
                          "\"cache_creation_input_tokens\":3}}")
                        TEXT_BLOCK("0") TEXT("0", "5") BLOCK_STOP("0")
                            END("\"output_tokens\":7,\"server_tool_use\":{\"web_search_requests\":1}")
                                LAST);
    assert_false(rig.stream.meter.is_anomalous);
    assert_int_equal(rig.stream.meter.cost.len, 3);
    resume_usage(&rig.resume, &rig.stream, &sum);
    meter_usage(&sum, false, &usage);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 10 + 5 + 12);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 1 + 7);
    assert_int_equal(usage.tokens[TOKENS_CACHE_WRITE_5M], 3 + 3);
    assert_int_equal(usage.tokens[TOKENS_CACHE_WRITE_1H], 4);
    assert_int_equal(usage.fees[FEE_WEB_SEARCH], 3);
    assert_true(usage.is_anomalous && usage.has_other_models);
    assert_int_equal(usage.cost.len, 0);
    assert_true(span_equal(usage_word_span(&usage.tier), SPAN_OF("priority")));
    assert_non_null(
        span_find(buf_span(&rig.app), SPAN_OF("\"server_tool_use\":{\"web_search_requests\":3}")));
    rig_end(&rig);
}

static void resume__trusts_figures_told_after_text(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, chat(), BODY(",\"max_completion_tokens\":100"));
    rig_whole(&rig, CHUNK("c1", "m1", DELTA("\"content\":\"0123456789abcdef\""), "1")
                        CHUNK("c1", "m1", DELTA("\"content\":\"x\""),
                              "1,\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":2,"
                              "\"total_tokens\":10}"));
    assert_true(rig_next(&rig, &prefix, true));
    assert_non_null(span_find(buf_span(&rig.body), SPAN_OF("\"max_completion_tokens\":98")));
    assert_int_equal(rig.resume.past[USAGE_INPUT], 8);
    assert_int_equal(rig.resume.past[USAGE_OUTPUT], 2);
    assert_int_equal(rig.resume.past[USAGE_TOTAL], 10);
    rig_end(&rig);
}

/* ... by what the stream has brought, ... */
static void resume__stops_being_possible(void **state)
{
    static const struct {
        bool is_chat;
        const char *more;
        bool can;
    } rows[] = {
        {true, FIRST("\"content\":\"b\",\"refusal\":null,\"tool_calls\":[]"), true},
        {true, CHUNK("c1", "m1", "[]", "1,\"usage\":null"), true},
        {true, ": comment\n\n", true},
        {true, FIRST("\"tool_calls\":[{\"index\":0,\"id\":\"x\"}]"), false},
        {true, FIRST("\"function_call\":{\"name\":\"f\"}"), false},
        {true, FIRST("\"refusal\":\"no\""), false},
        {true, FIRST("\"reasoning_content\":\"hm\""), false},
        {true, FIRST("\"reasoning\":\"hm\""), false},
        {true, FIRST("\"content\":[{\"type\":\"text\",\"text\":\"b\"}]"), false},
        {true, FIRST("\"content\":\"b\",\"images\":[1]"), false},
        {true, CHUNK("c1", "m1", "[{\"index\":1,\"delta\":{\"content\":\"b\"}}]", "1"), false},
        {true,
         CHUNK("c1", "m1",
               "[{\"index\":0,\"delta\":{\"content\":\"b\"},\"logprobs\":{\"content\":[1]}}]", "1"),
         false},
        {true, "data: {\"choices\":[\n\n", false},
        {true, STOP("c1", "m1", "1"), false},
        {true, DONE, false},
        {false, PING, true},
        {false, TEXT("0", "b"), true},
        {false, BLOCK_STOP("0"), true},
        {false, BLOCK_STOP("0") TEXT_BLOCK("1") TEXT("1", "b"), true},
        {false, BLOCK_STOP("0") TOOL_BLOCK("1"), false},
        {false, BLOCK_STOP("0") BLOCK("1", "\"type\":\"thinking\",\"thinking\":\"\""), false},
        {false,
         EVENT("content_block_delta",
               ",\"index\":0,\"delta\":{\"type\":\"citations_delta\",\"citation\":{}}"),
         false},
        {false, EVENT("something_new", ""), false},
        {false, END("\"output_tokens\":2"), false},
        {false, LAST, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;

        print_message("%s\n", rows[i].more);
        rig_begin(&rig, rows[i].is_chat ? chat() : messages(), BODY(""));
        rig_whole(&rig, rows[i].is_chat ? FIRST(ROLE) FIRST("\"content\":\"a\"")
                                        : START("a", "1") TEXT_BLOCK("0") TEXT("0", "a"));
        rig_whole(&rig, rows[i].more);
        assert_int_equal(resume_can(&rig.resume, &rig.stream), rows[i].can);
        assert_text(span_from(buf_span(&rig.app), rig.app.len - strlen(rows[i].more)),
                    rows[i].more);
        rig_end(&rig);
    }
}

/* ... and by its length. */
static void resume__keeps_no_endless_text(void **state)
{
    static char event[8192];
    struct rig rig;
    int count = 0;

    (void)state;
    memset(event, 'x', sizeof event - 1);
    memcpy(event, "data: {\"choices\":[{\"delta\":{\"content\":\"", 39);
    memcpy(event + sizeof event - 8, "\"}}]}\n\n", 8);
    rig_begin(&rig, chat(), BODY(""));
    for (; count < 64 && resume_can(&rig.resume, &rig.stream); count++) {
        rig_whole(&rig, event);
    }
    assert_in_range(count, LIMIT_RESUME_TEXT / sizeof event, LIMIT_RESUME_TEXT / sizeof event + 2);
    assert_int_equal(rig.resume.text.cap, 0);
    rig_end(&rig);
}

/* ---- white space ---- */

static void resume__neither_loses_nor_repeats_white_space(void **state)
{
    static const struct {
        const char *out;   /* text that is out when the stream breaks off */
        const char *asked; /* of it; NULL: no turn at all */
        const char *came;  /* what the second one begins with, in two deltas at '|' */
        const char *whole; /* what the app has, decoded by eye */
    } rows[] = {
        {"one", "one", " |two", "one two"},
        {"one ", "one", " t|wo", "one two"},
        {"one ", "one", "two|", "one two"},
        {"one \\n", "one", " \\n|two", "one \\ntwo"},
        {"one \\n", "one", " |\\ntwo", "one \\ntwo"},
        {"one \\n\\n", "one", " |two", "one \\n\\ntwo"},
        {"one\\n", "one", "\\n|\\n two", "one\\n\\n two"},
        {"one\\t", "one", "\\u0009|two", "one\\ttwo"},
        {"one\\u00a0", "one", "\xc2\xa0|two", "one\\u00a0two"},
        {"one\xe3\x80\x80", "one", "two|", "one\xe3\x80\x80two"},
        {"\\n", NULL, "\\n|one", "\\none"},
        {"one\\\\n", "one\\\\n", "|two", "one\\\\ntwo"},
        {"\\ud83d\\ude00 ", "\\ud83d\\ude00", " |two", "\\ud83d\\ude00 two"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;
        char text[1024];
        struct span came = span_of(rows[i].came);
        struct span first = span_cut(&came, '|');

        print_message("%s\n", rows[i].out);
        rig_begin(&rig, messages(), BODY(""));
        (void)snprintf(text, sizeof text, START("a", "1") TEXT_BLOCK("0") TEXT("0", "%s"),
                       rows[i].out);
        rig_whole(&rig, text);
        assert_true(rig_next(&rig, &turn, true));
        (void)snprintf(text, sizeof text, ASKED("", "%s%s%s"),
                       rows[i].asked == NULL ? "" : ",{\"role\":\"assistant\",\"content\":\"",
                       rows[i].asked == NULL ? "" : rows[i].asked,
                       rows[i].asked == NULL ? "" : "\"}");
        assert_text(buf_span(&rig.body), text);
        (void)snprintf(text, sizeof text,
                       START("b", "1") TEXT_BLOCK("0") TEXT("0", "%.*s") TEXT("0", "%.*s"),
                       (int)first.len, first.at, (int)came.len, came.at == NULL ? "" : came.at);
        rig_whole(&rig, text);
        assert_text(buf_span(&rig.resume.text), rows[i].whole);
        rig_end(&rig);
    }
}

static void resume__drops_what_brings_nothing_new(void **state)
{
    struct rig rig;
    size_t before = 0;

    (void)state;
    rig_begin(&rig, chat(), BODY(""));
    rig_whole(&rig, FIRST(ROLE) FIRST("\"content\":\"one\\n\""));
    assert_true(rig_next(&rig, &turn, true));
    before = rig.app.len;
    rig_whole(&rig, SECOND(ROLE) SECOND("\"content\":\"\\n\""));
    assert_int_equal(rig.app.len, before);
    rig_whole(&rig, SECOND("\"content\":\"two\""));
    assert_text(span_from(buf_span(&rig.app), before), LATER("\"content\":\"two\""));
    rig_end(&rig);
}

/* ---- the request ---- */

#define ASSISTANT(content, more) "{\"role\":\"assistant\",\"content\":" content more "}"
#define WITH(last, more)                                                                           \
    "{\"messages\":[" USER "," last "],\"model\":\"m1\",\"stream\":true" more "}"
#define THEN(last, more)                                                                           \
    "{\"messages\":[" USER "," last "],\"model\":\"m2\",\"stream\":true" more "}"

static void resume__asks_with_the_text_as_a_begun_turn(void **state)
{
    static const struct {
        const struct prefill_way *way;
        const char *body;
        const char *asked; /* NULL: it cannot be */
    } rows[] = {
        /* the app's own begun turn grows */
        {&turn, WITH(ASSISTANT("\"so\"", ""), ""), THEN(ASSISTANT("\"soTEXT\"", ""), "")},
        {&turn, WITH(ASSISTANT("[{\"type\":\"text\",\"text\":\"so\"}]", ""), ""),
         THEN(ASSISTANT("[{\"type\":\"text\",\"text\":\"soTEXT\"}]", ""), "")},
        {&turn, WITH(ASSISTANT("[{\"type\":\"image\",\"source\":{}}]", ""), ""), NULL},
        {&turn, WITH(ASSISTANT("null", ""), ""), NULL},
        {&prefix, WITH(ASSISTANT("\"so\"", ",\"prefix\":true"), ""),
         THEN(ASSISTANT("\"soTEXT\"", ",\"prefix\":true"), "")},
        {&prefix, WITH(ASSISTANT("\"so\"", ",\"prefix\":true,\"tool_calls\":[{\"id\":\"x\"}]"), ""),
         NULL},
        /* history is no begun turn */
        {&prefix, WITH(ASSISTANT("\"so\"", ""), ""),
         THEN(ASSISTANT("\"so\"", "") "," ASSISTANT("\"TEXT\"", ",\"prefix\":true"), "")},
        {&flag, WITH(ASSISTANT("\"so\"", ""), ""),
         "{\"messages\":[" USER "," ASSISTANT("\"so\"", "") "," ASSISTANT(
             "\"TEXT\"", "") "],\"continue_final_message\":true,\"model\":\"m2\",\"stream\":true}"},
        {&flag, WITH(ASSISTANT("\"so\"", ""), ",\"continue_final_message\":true"),
         THEN(ASSISTANT("\"soTEXT\"", ""), ",\"continue_final_message\":true")},
        {&flag, WITH(USER, ",\"continue_final_message\":false"), NULL},
        {&flag, WITH(USER, ",\"add_generation_prompt\":true"), NULL},
        /* both caps */
        {&turn, WITH(USER, ",\"max_completion_tokens\":50,\"max_tokens\":9"),
         THEN(USER "," ASSISTANT("\"TEXT\"", ""),
              ",\"max_completion_tokens\":49,\"max_tokens\":8")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;

        print_message("%s\n", rows[i].body);
        rig_begin(&rig, chat(), rows[i].body);
        rig_whole(&rig, FIRST(ROLE) FIRST("\"content\":\"TEXT\""));
        assert_int_equal(rig_next(&rig, rows[i].way, true), rows[i].asked != NULL);
        if (rows[i].asked != NULL) {
            assert_text(buf_span(&rig.body), rows[i].asked);
        }
        rig_end(&rig);
    }
}

/* ---- blocks ---- */

static void resume__keeps_the_grammar_of_blocks(void **state)
{
    static const struct {
        const char *first;
        const char *second;
        const char *wanted; /* of the second, as the app gets it */
    } rows[] = {
        /* a tool follows the text */
        {TEXT_BLOCK("0") TEXT("0", "a"),
         TEXT_BLOCK("0") TEXT("0", "b") BLOCK_STOP("0") TOOL_BLOCK("1") BLOCK_STOP("1"),
         TEXT("0", "b") BLOCK_STOP("0") TOOL_BLOCK("1") BLOCK_STOP("1")},
        /* the text was over: a tool comes at once, in a block of its own */
        {TEXT_BLOCK("0") TEXT("0", "a"), TOOL_BLOCK("0") BLOCK_STOP("0"),
         BLOCK_STOP("0") TOOL_BLOCK("1") BLOCK_STOP("1")},
        /* the block was closed */
        {TEXT_BLOCK("0") TEXT("0", "a") BLOCK_STOP("0"),
         TEXT_BLOCK("0") TEXT("0", "b") BLOCK_STOP("0"),
         TEXT_BLOCK("1") TEXT("1", "b") BLOCK_STOP("1")},
        /* the second block was open */
        {TEXT_BLOCK("0") TEXT("0", "a") BLOCK_STOP("0") TEXT_BLOCK("1") TEXT("1", "b"),
         TEXT_BLOCK("0") TEXT("0", "c") BLOCK_STOP("0"), TEXT("1", "c") BLOCK_STOP("1")},
        /* the answer was whole */
        {TEXT_BLOCK("0") TEXT("0", "a"), "", BLOCK_STOP("0")},
        /* a block that begins with text */
        {TEXT_BLOCK("0") TEXT("0", "a"),
         BLOCK("0", "\"type\":\"text\",\"text\":\"b\"") BLOCK_STOP("0"),
         TEXT("0", "b") BLOCK_STOP("0")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;
        struct buf wanted;
        size_t before = 0;

        print_message("%s\n", rows[i].second);
        buf_init(&wanted, 65536);
        buf_put_text(&wanted, rows[i].wanted);
        buf_put_text(&wanted, END("\"input_tokens\":2,\"cache_read_input_tokens\":10,"
                                  "\"output_tokens\":2") LAST);
        rig_begin(&rig, messages(), BODY(""));
        rig_whole(&rig, START("a", "1"));
        rig_whole(&rig, rows[i].first);
        assert_true(rig_next(&rig, &turn, true));
        before = rig.app.len;
        rig_whole(&rig, START("b", "1"));
        rig_whole(&rig, rows[i].second);
        rig_whole(&rig, END("\"output_tokens\":1") LAST);
        assert_false(rig.is_broken);
        assert_true(span_equal(span_from(buf_span(&rig.app), before), buf_span(&wanted)));
        buf_fini(&wanted);
        rig_end(&rig);
    }
}

static void resume__does_not_send_on_what_cannot_follow(void **state)
{
    static const char *const rows[] = {
        TEXT("0", "no block"),
        TEXT_BLOCK("0") TEXT("0", "b") START("c", "1"),
        "event: content_block_start\ndata: {\"type\":\n\n",
        EVENT("content_block_start", ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct rig rig;

        rig_begin(&rig, messages(), BODY(""));
        rig_whole(&rig, START("a", "1") TEXT_BLOCK("0") TEXT("0", "a") BLOCK_STOP("0"));
        assert_true(rig_next(&rig, &turn, true));
        rig_whole(&rig, START("b", "1"));
        rig_whole(&rig, rows[i]);
        assert_true(rig.is_broken);
        rig_end(&rig);
    }
}

/* ---- a third one ---- */

static void resume__goes_on_twice(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, messages(), BODY(""));
    rig_whole(&rig, START("a", "1") TEXT_BLOCK("0") TEXT("0", "one "));
    assert_true(rig_next(&rig, &turn, true));
    rig_whole(&rig, START("b", "2") TEXT_BLOCK("0") TEXT("0", " two "));
    assert_true(resume_can(&rig.resume, &rig.stream));
    assert_true(rig_next(&rig, &turn, true));
    assert_text(buf_span(&rig.body),
                ASKED("", ",{\"role\":\"assistant\",\"content\":\"one two\"}"));
    rig_whole(&rig, START("c", "4") TEXT_BLOCK("0") TEXT("0", " three") BLOCK_STOP("0")
                        END("\"output_tokens\":8") LAST);
    assert_text(buf_span(&rig.app), START("a", "1") TEXT_BLOCK("0") TEXT("0", "one ")
                                        TEXT("0", "two ") TEXT("0", "three") BLOCK_STOP("0")
                                            END("\"input_tokens\":7,\"cache_read_input_tokens\":15,"
                                                "\"output_tokens\":10") LAST);
    rig_end(&rig);
}

/* An attempt that showed nothing leaves no trace, not even in the usage. */
static void resume__forgets_what_was_not_shown(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, messages(), BODY(""));
    rig_whole(&rig, START("a", "1") TEXT_BLOCK("0") TEXT("0", "one"));
    assert_true(rig_next(&rig, &turn, true));
    rig_whole(&rig, START("b", "2") TEXT_BLOCK("0") TEXT("0", "x") BLOCK_STOP("0") TOOL_BLOCK("1"));
    assert_false(resume_can(&rig.resume, &rig.stream));
    assert_true(rig_next(&rig, &turn, false));
    assert_true(resume_can(&rig.resume, &rig.stream));
    assert_text(buf_span(&rig.body), ASKED("", ",{\"role\":\"assistant\",\"content\":\"one\"}"));
    assert_int_equal(rig.resume.past[USAGE_INPUT], 1);
    buf_clear(&rig.app);
    rig_whole(&rig, START("c", "4") TEXT_BLOCK("0") TEXT("0", " two"));
    assert_text(buf_span(&rig.app), TEXT("0", " two"));
    rig_end(&rig);
}

/* ---- every split ---- */

struct both {
    const struct operation *operation;
    const char *first;
    const char *second;
    bool splits_second;
};

static void trace_both(const struct bytes_split *split, struct buf *trace, void *context)
{
    const struct both *both = context;
    struct rig rig;

    rig_begin(&rig, both->operation, BODY(""));
    if (both->splits_second) {
        rig_whole(&rig, both->first);
    } else {
        rig_stream(&rig, split);
    }
    assert_true(rig_next(&rig, &turn, true));
    if (both->splits_second) {
        rig_stream(&rig, split);
    } else {
        rig_whole(&rig, both->second);
    }
    buf_put(trace, buf_span(&rig.app));
    buf_put(trace, buf_span(&rig.body));
    rig_end(&rig);
}

static void resume__sees_the_same_in_every_split(void **state)
{
    struct both rows[] = {
        {chat(), FIRST(ROLE) FIRST("\"content\":\"a\xc3\xa4 \"") "data: {",
         SECOND(ROLE) SECOND("\"content\":\" b\"") STOP("c2", "m2", "2") DONE, false},
        {messages(), START("a", "1") TEXT_BLOCK("0") TEXT("0", "a\xc3\xa4 ") "event: x",
         START("b", "1") TEXT_BLOCK("0") PING TEXT("0", " b") BLOCK_STOP("0") TOOL_BLOCK("1")
             BLOCK_STOP("1") END("\"output_tokens\":1") LAST,
         false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        bytes_same_for_each_split(span_of(rows[i].first), trace_both, &rows[i], NULL);
        rows[i].splits_second = true;
        bytes_same_for_each_split(span_of(rows[i].second), trace_both, &rows[i], NULL);
    }
}

/* Data of several lines, CR LF and a foreign field: what is written anew is one clean event. */
static void resume__writes_odd_events_anew(void **state)
{
    struct rig rig;
    size_t before = 0;

    (void)state;
    rig_begin(&rig, chat(), BODY(""));
    rig_whole(&rig, FIRST(ROLE) FIRST("\"content\":\"a\""));
    assert_true(rig_next(&rig, &prefix, true));
    before = rig.app.len;
    rig_whole(&rig, "id: 7\r\ndata:{\"id\":\"c2\",\r\ndata: \"choices\":[{\"delta\":"
                    "{\"content\":\"b\"}}]}\r\n\r\n");
    assert_text(span_from(buf_span(&rig.app), before),
                "data: {\"id\":\"c1\",\ndata: \"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\n");
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resume__goes_on_with_chat),
        cmocka_unit_test(resume__says_the_role_once),
        cmocka_unit_test(resume__is_not_possible_for_some_requests),
        cmocka_unit_test(resume__is_of_chat_and_messages_alone),
        cmocka_unit_test(resume__goes_on_with_messages),
        cmocka_unit_test(resume__adds_up_what_was_told),
        cmocka_unit_test(resume__adds_up_every_class),
        cmocka_unit_test(resume__trusts_figures_told_after_text),
        cmocka_unit_test(resume__stops_being_possible),
        cmocka_unit_test(resume__keeps_no_endless_text),
        cmocka_unit_test(resume__neither_loses_nor_repeats_white_space),
        cmocka_unit_test(resume__drops_what_brings_nothing_new),
        cmocka_unit_test(resume__asks_with_the_text_as_a_begun_turn),
        cmocka_unit_test(resume__keeps_the_grammar_of_blocks),
        cmocka_unit_test(resume__does_not_send_on_what_cannot_follow),
        cmocka_unit_test(resume__goes_on_twice),
        cmocka_unit_test(resume__forgets_what_was_not_shown),
        cmocka_unit_test(resume__sees_the_same_in_every_split),
        cmocka_unit_test(resume__writes_odd_events_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
