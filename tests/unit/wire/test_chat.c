/* SPDX-License-Identifier: Apache-2.0 */
/* What all readers and writers of the hub form share: turns, members by their marks, strings inside strings, and the
 * rules of a told stream. */
#include "data.h"

#include "wire/chat.h"

struct rig {
    struct arena arena;
    struct json_scan *scan;
    struct chat chat;
};

static void rig_init(struct rig *rig, bool is_strict)
{
    arena_init(&rig->arena, (size_t)1 << 24);
    rig->scan = json_scan_new();
    chat_init(&rig->chat, &rig->arena, rig->scan, is_strict);
}

static void rig_fini(struct rig *rig)
{
    assert_false(rig->arena.failed);
    arena_fini(&rig->arena);
    json_scan_free(rig->scan);
}

#define assert_span(span, text) assert_span_equal(span, text, __FILE__, __LINE__)
static void assert_span_equal(struct span span, const char *text, const char *file, int line)
{
    if (!span_equal(span, span_of(text))) {
        print_error("got %.*s\n", SPAN_ARGS(span));
        _fail(file, line);
    }
}

/* ---- members ---- */

enum { ONE, TWO, QUIET, NAMED, REFUSED, FIELDS };
static const struct chat_field list[FIELDS] = {
    [ONE] = CHAT_FIELD("one", CARRIED),   [TWO] = CHAT_FIELD("two", CARRIED),
    [QUIET] = CHAT_FIELD("hush", QUIET),  [NAMED] = CHAT_FIELD("lost", NAMED),
    [REFUSED] = CHAT_FIELD("no", REFUSED)};
static const struct chat_fields fields = {.where = "things[].", .list = list, .count = FIELDS};

/* A request may hold a million members that nobody knows, and the same one in each of its messages. */
static void take__keeps_no_more_names_than_are_told(void **state)
{
    enum { MANY = 2000, FEW_KB = 8 * 1024 };
    struct span values[FIELDS];
    struct buf object;
    struct rig rig;

    (void)state;
    rig_init(&rig, false);
    buf_init(&object, (size_t)1 << 20);
    buf_put_text(&object, "{\"mine\":1");
    for (unsigned i = 0; i < MANY; i++) {
        buf_put_format(&object, ",\"k%u\":1", i);
    }
    buf_put_char(&object, '}');
    chat_take(&rig.chat, &fields, buf_span(&object), values);
    assert_true(rig.chat.dropped_more);
    for (unsigned i = 0; i < MANY; i++) {
        chat_take(&rig.chat, &fields, SPAN_OF("{\"mine\":1,\"lost\":1}"), values);
    }
    assert_true(rig.arena.used < FEW_KB);
    buf_fini(&object);
    rig_fini(&rig);
}

static void take__gives_the_carried_members_and_names_the_lost_ones(void **state)
{
    struct span values[FIELDS];
    struct rig rig;

    (void)state;
    rig_init(&rig, false);
    chat_take(&rig.chat, &fields,
              SPAN_OF("{\"two\":null,\"one\":{\"a\":1},\"hush\":2,\"lost\":3,\"mine\":4,\"l\\u006fst\":5,\"b\\r\\nad\":1}"),
              values);
    assert_span(values[ONE], "{\"a\":1}");
    assert_int_equal(values[TWO].len, 0);
    assert_int_equal(values[QUIET].len, 0);
    assert_false(chat_is_refused(&rig.chat));
    assert_span(rig.chat.dropped->name, "things[].lost");
    assert_span(rig.chat.dropped->next->name, "things[].mine");
    assert_span(rig.chat.dropped->next->next->name, "things[].b??ad");
    assert_null(rig.chat.dropped->next->next->next);
    rig_fini(&rig);
}

static void take__refuses_what_cannot_be_left_out(void **state)
{
    struct span values[FIELDS];
    struct rig rig;

    (void)state;
    rig_init(&rig, false);
    chat_take(&rig.chat, &fields, SPAN_OF("{\"no\":[]}"), values);
    assert_string_equal(rig.chat.refused.param, "things[].no");
    rig_fini(&rig);
}

static void take__is_strict_where_the_route_is(void **state)
{
    struct span values[FIELDS];
    struct rig rig;

    (void)state;
    rig_init(&rig, true);
    chat_take(&rig.chat, &fields, SPAN_OF("{\"hush\":1}"), values);
    assert_false(chat_is_refused(&rig.chat));
    chat_take(&rig.chat, &fields, SPAN_OF("{\"invented\":1}"), values);
    assert_string_equal(rig.chat.refused.param, "things[].invented");
    assert_null(rig.chat.dropped);
    rig_fini(&rig);
}

static void take__has_nothing_of_what_is_no_object(void **state)
{
    static const char *const others[] = {"[]", "1", "\"one\"", "true", "{}"};
    struct span values[FIELDS];
    struct rig rig;

    (void)state;
    rig_init(&rig, false);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        chat_take(&rig.chat, &fields, span_of(others[i]), values);
        assert_int_equal(values[ONE].len, 0);
    }
    assert_null(rig.chat.dropped);
    rig_fini(&rig);
}

static void lists_of_what_is_lost__have_an_end(void **state)
{
    char name[8];
    struct rig rig;

    (void)state;
    rig_init(&rig, false);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        chat_drop(&rig.chat, chat_string(&rig.chat, span_of(name)).at);
    }
    assert_true(rig.chat.dropped_more);
    rig_fini(&rig);
}

/* ---- turns ---- */

static void turns__of_one_role_are_one(void **state)
{
    struct rig rig;
    struct chat *chat = &rig.chat;

    (void)state;
    rig_init(&rig, false);
    chat_add_text(chat, chat_turn(chat, CHAT_USER), SPAN_OF("\"a\""));
    (void)chat_turn(chat, CHAT_MODEL); /* says nothing */
    chat_add_text(chat, chat_turn(chat, CHAT_MODEL), SPAN_OF("\"\""));
    chat_add_text(chat, chat_turn(chat, CHAT_USER), SPAN_OF("\"b\""));
    (void)chat_turn(chat, CHAT_MODEL);
    chat_finish(chat);
    assert_ptr_equal(chat->turns, chat->last);
    assert_null(chat->turns->next);
    assert_span(chat->turns->parts->text, "\"a\"");
    assert_span(chat->turns->parts->next->text, "\"b\"");
    rig_fini(&rig);
}

static void turns__that_say_nothing_leave_nothing(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, false);
    (void)chat_turn(&rig.chat, CHAT_SYSTEM);
    (void)chat_turn(&rig.chat, CHAT_USER);
    chat_finish(&rig.chat);
    assert_null(rig.chat.turns);
    assert_null(rig.chat.last);
    rig_fini(&rig);
}

static void calls__are_found_by_their_results_and_are_not_endless(void **state)
{
    struct rig rig;
    struct chat *chat = &rig.chat;
    struct chat_part *call = NULL;

    (void)state;
    rig_init(&rig, false);
    call = chat_add_part(chat, chat_turn(chat, CHAT_MODEL), CHAT_CALL);
    call->id = SPAN_OF("\"c1\"");
    (void)chat_turn(chat, CHAT_USER);
    assert_ptr_equal(chat_call_of(chat, SPAN_OF("\"c1\"")), call);
    assert_null(chat_call_of(chat, SPAN_OF("\"c2\"")));
    for (int i = 0; i < CHAT_CALLS_MAX; i++) {
        call = chat_add_part(chat, chat->turns, CHAT_CALL);
    }
    call->id = SPAN_OF("\"c2\"");
    assert_int_equal(chat->turns->calls, CHAT_CALLS_MAX + 1);
    assert_null(chat_call_of(chat, SPAN_OF("\"c2\"")));
    rig_fini(&rig);
}

/* ---- strings ---- */

static void strings__are_put_together_and_taken_apart(void **state)
{
    struct rig rig;
    struct chat *chat = &rig.chat;
    struct span strings[] = {SPAN("\"a\\n\""), SPAN("12"), SPAN("\"\\u00e9\"")};
    struct span media;
    struct span data;

    (void)state;
    rig_init(&rig, false);
    assert_span(chat_join(chat, strings, 3), "\"a\\n\\u00e9\"");
    assert_span(chat_string(chat, SPAN_OF("say \"x\"")), "\"say \\\"x\\\"\"");
    assert_span(chat_escaped(chat, SPAN_OF("{\"a\":\"b\"}")), "{\\\"a\\\":\\\"b\\\"}");
    assert_true(chat_is_blank(SPAN_OF("\" \\n\\u0020\"")));
    assert_true(chat_is_blank(SPAN_OF("\"\"")));
    assert_false(chat_is_blank(SPAN_OF("\" \\u0061\"")));
    assert_true(chat_data_url(chat, SPAN_OF("\"data:image\\/png;x=y;base64,AA\\/B\""), &media, &data));
    assert_span(media, "image/png");
    assert_span(data, "AA\\/B");
    assert_false(chat_data_url(chat, SPAN_OF("\"data:text/plain,hi\""), &media, &data));
    assert_false(chat_data_url(chat, SPAN_OF("\"https://example.com/a,b\""), &media, &data));
    assert_false(chat_data_url(chat, SPAN_OF("\"data:;base64,AA\""), &media, &data));
    assert_false(chat_data_url(chat, SPAN_OF("17"), &media, &data));
    rig_fini(&rig);
}

static void arguments__become_an_object_whatever_they_are(void **state)
{
    static const struct {
        const char *string, *object;
        bool is_good;
    } rows[] = {
        {"\"{\\\"a\\\":1.10}\"", "{\"a\":1.10}", true}, {"\"\"", "{}", true}, {"\" \\n\"", "{}", true},
        {"\"{\\\"a\\\":\"", "{\"arguments\":\"{\\\"a\\\":\"}", false},
        {"\"[1]\"", "{\"arguments\":\"[1]\"}", false},  {"\"{} {}\"", "{\"arguments\":\"{} {}\"}", false},
        {"7", "{}", true}, {"\"null\"", "{}", true}, {"\" null\"", "{}", true},
        {"\"null,\"", "{\"arguments\":\"null,\"}", false}};
    struct rig rig;

    (void)state;
    rig_init(&rig, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_good = !rows[i].is_good;

        assert_span(chat_arguments(&rig.chat, span_of(rows[i].string), &is_good), rows[i].object);
        assert_int_equal(is_good, rows[i].is_good);
    }
    rig_fini(&rig);
}

/* ---- told streams ---- */

static void write_letter(void *writer, const struct chat_event *event, struct chat_pipe *pipe)
{
    static const char letters[] = "STRrCAcFE";

    (void)writer;
    buf_put_char(pipe->out, letters[event->kind]);
    if (event->kind == CHAT_EVENT_FINISH) {
        buf_put_u64(pipe->out, event->finish);
    }
}

static const struct translator letters = {.write_event = write_letter};

static void tell_all(struct chat_pipe *pipe, struct buf *out, const char *kinds, enum chat_finish finish)
{
    static const char letters_in[] = "STRrCAcFEX";

    buf_init(out, 1024);
    *pipe = (struct chat_pipe){.writer_row = &letters, .out = out};
    for (; *kinds != '\0'; kinds++) {
        const char *at = strchr(letters_in, *kinds);

        chat_tell(pipe, &(struct chat_event){.kind = (enum chat_event_kind)(at - letters_in),
                                             .finish = finish,
                                             .text = SPAN_OF("odd")});
    }
}

static void tell__keeps_the_order_that_writers_count_on(void **state)
{
    static const struct {
        const char *told, *written;
        enum chat_finish finish;
    } rows[] = {
        {"STTFE", "STTF1E", CHAT_FINISH_STOP},    {"TFE", "STF1E", CHAT_FINISH_STOP},
        {"SSTFTE", "STTF1E", CHAT_FINISH_STOP},   {"SCAcFE", "SCAcF5E", CHAT_FINISH_STOP},
        {"SCAcFE", "SCAcF3E", CHAT_FINISH_LENGTH}, {"STFE", "STF1E", CHAT_FINISH_CALLS},
        {"STFETE", "STF1E", CHAT_FINISH_STOP},    {"STXTE", "ST", CHAT_FINISH_STOP},
        {"STFE", "ST", CHAT_FINISH_FAULT},        {"STFE", "STF8E", CHAT_FINISH_UNKNOWN},
        {"", "", CHAT_FINISH_NONE}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct chat_pipe pipe;
        struct buf out;

        tell_all(&pipe, &out, rows[i].told, rows[i].finish);
        assert_span(buf_span(&out), rows[i].written);
        assert_int_equal(pipe.unknown.len, rows[i].finish == CHAT_FINISH_UNKNOWN ? 3 : 0);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take__gives_the_carried_members_and_names_the_lost_ones),
        cmocka_unit_test(take__keeps_no_more_names_than_are_told),
        cmocka_unit_test(take__refuses_what_cannot_be_left_out),
        cmocka_unit_test(take__is_strict_where_the_route_is),
        cmocka_unit_test(take__has_nothing_of_what_is_no_object),
        cmocka_unit_test(lists_of_what_is_lost__have_an_end),
        cmocka_unit_test(turns__of_one_role_are_one),
        cmocka_unit_test(turns__that_say_nothing_leave_nothing),
        cmocka_unit_test(calls__are_found_by_their_results_and_are_not_endless),
        cmocka_unit_test(strings__are_put_together_and_taken_apart),
        cmocka_unit_test(arguments__become_an_object_whatever_they_are),
        cmocka_unit_test(tell__keeps_the_order_that_writers_count_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
