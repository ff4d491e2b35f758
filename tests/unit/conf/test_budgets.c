/* SPDX-License-Identifier: Apache-2.0 */
/* budgets, budget_status and ledger: good and bad ones, at the ends of their ranges. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define TOP(inside)                                                                                \
    "version: 1\nproviders: { a: { kind: fixtures } }\n"                                           \
    "routes: { smart: { targets: [ { provider: a, model: m } ] } }\ntasks: { draft: smart }\n" inside
#define BUDGETS(inside) TOP("budgets:\n  - " inside "\n")
/* All but the key that the test is about. */
#define WITH(inside)   BUDGETS("{ name: b, scope: team, limit: 25 USD, window: day, " inside " }")
#define GUARD(inside)  BUDGETS("{ name: b, scope: call, limit: 1 USD, " inside " }")
#define LIMIT(text)    BUDGETS("{ name: b, scope: team, window: day, limit: " text " }")
#define SCOPED(text)   BUDGETS("{ name: b, limit: 1 USD, window: day, scope: " text " }")
#define WINDOWED(text) BUDGETS("{ name: b, scope: team, limit: 1 USD, window: " text " }")
#define LEDGER(inside) TOP("ledger: { " inside " }\n")
#define REDIS(inside)  LEDGER("kind: redis, url: \"redis://localhost\", " inside)

static void nothing__is_no_budget_and_a_ledger_in_memory(void **state)
{
    struct snapshot *snapshot = load_good(TOP(""));

    (void)state;
    assert_int_equal(snapshot->budgets.count, 0);
    assert_false(snapshot->budgets.enforces);
    assert_int_equal(snapshot->budget_status, 402);
    assert_int_equal(snapshot->ledger.kind, LEDGER_MEMORY);
    assert_int_equal(snapshot->ledger.replicas, 1);
    assert_int_equal(snapshot->ledger.on_failure, FAILURE_CLOSED);
    snapshot_give(snapshot);
    snapshot = load_good(TOP("budgets: []\nbudget_status: 429\n"));
    assert_int_equal(snapshot->budgets.count, 0);
    assert_int_equal(snapshot->budget_status, 429);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

static void defaults__depend_on_mode_and_scope(void **state)
{
    struct snapshot *snapshot =
        load_good(TOP("budgets:\n"
                      "  - { name: hard, scope: team, limit: 25 USD, window: day }\n"
                      "  - { name: soft, scope: key, limit: 9 tokens, window: hour, mode: warn }\n"
                      "  - { name: guard, scope: call, limit: 0.50 USD }\n"
                      "  - { name: unit, scope: trace, limit: 3 requests, mode: shadow }\n"));
    const struct budget *list = snapshot->budgets.list;

    (void)state;
    assert_int_equal(snapshot->budgets.count, 4);
    assert_true(snapshot->budgets.enforces && snapshot->budgets.enforces_money);
    for (uint16_t i = 0; i < 4; i++) {
        assert_int_equal(list[i].index, i);
        assert_int_equal(list[i].warn_count, 0);
        assert_int_equal(list[i].warm_up_ms, 0);
        assert_int_equal(list[i].on_low, LOW_CLAMP);
        assert_int_equal(list[i].on_overrun, OVERRUN_CUT);
        assert_int_equal(list[i].on_expiry, EXPIRY_PRESUME);
        assert_null(list[i].window.zone);
        assert_int_equal(list[i].bound, i == 2 ? BOUND_LEARNED : BOUND_STRICT);
    }
    assert_span(list[0].name, "hard");
    assert_int_equal(list[0].limit, INT64_C(25000000000));
    assert_int_equal(list[0].mode, BUDGET_ENFORCE);
    assert_int_equal(list[0].window.kind, WINDOW_DAY);
    assert_int_equal(list[0].ambiguous, AMBIGUOUS_CHARGE_INPUT);
    assert_int_equal(list[0].on_failure, FAILURE_CLOSED);
    assert_int_equal(list[1].unit, UNIT_TOKENS);
    assert_int_equal(list[1].ambiguous, AMBIGUOUS_CHARGE_NONE);
    assert_int_equal(list[1].on_failure, FAILURE_OPEN);
    assert_int_equal(list[2].limit, 500000000);
    assert_int_equal(list[2].window.kind, WINDOW_TOTAL);
    assert_int_equal(list[3].unit, UNIT_REQUESTS);
    assert_int_equal(list[3].window.kind, WINDOW_TOTAL);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

static void values__are_taken(void **state)
{
    struct snapshot *snapshot = load_good(
        BUDGETS("{ name: b, scope: \"team:growth\", limit: 25 USD, window: week, zone: UTC, "
                "week_begins: sunday, mode: shadow, warn_at: [1%, 50%, 100%], warm_up: 7d, "
                "bound: learned, on_low: deny, on_overrun: finish, on_expiry: release, "
                "ambiguous_charge: hold, on_failure: allowance, allowance: 2.5 USD }"));
    const struct budget *budget = snapshot->budgets.list;

    (void)state;
    assert_int_equal(budget->scope.kind, SCOPE_TEAM);
    assert_span(budget->scope.value, "growth");
    assert_int_equal(budget->window.week_begins, 6);
    assert_int_equal(budget->mode, BUDGET_SHADOW);
    assert_int_equal(budget->warn_count, 3);
    assert_int_equal(budget->warn_at[0], 1);
    assert_int_equal(budget->warn_at[1], 50);
    assert_int_equal(budget->warn_at[2], 100);
    assert_int_equal(budget->warm_up_ms, 7 * 86400000);
    assert_int_equal(budget->bound, BOUND_LEARNED);
    assert_int_equal(budget->on_low, LOW_DENY);
    assert_int_equal(budget->on_overrun, OVERRUN_FINISH);
    assert_int_equal(budget->on_expiry, EXPIRY_RELEASE);
    assert_int_equal(budget->ambiguous, AMBIGUOUS_CHARGE_HOLD);
    assert_int_equal(budget->on_failure, FAILURE_ALLOWANCE);
    assert_int_equal(budget->allowance, INT64_C(2500000000));
    assert_false(snapshot->budgets.enforces || snapshot->budgets.enforces_money);
    snapshot_give(snapshot);
    snapshot = load_good(BUDGETS("{ name: b, scope: team, limit: 5 tokens, window: day }"));
    assert_true(snapshot->budgets.enforces && !snapshot->budgets.enforces_money);
    snapshot_give(snapshot);
    snapshot_give(load_good(TOP("ledger: { on_failure: allowance }\n"
                                "budgets: [ { name: b, scope: call, limit: 1 USD, mode: shadow, "
                                "bound: strict, on_low: deny, on_overrun: finish, "
                                "ambiguous_charge: hold } ]\n")));
    snapshot = load_good(WITH("warn_at: [], on_failure: open, warm_up: 45d, mode: enforce"));
    assert_int_equal(snapshot->budgets.list->on_failure, FAILURE_OPEN);
    snapshot_give(snapshot);
}

static void limits__are_exact(void **state)
{
    static const struct {
        const char *text;
        int64_t limit;
        enum budget_unit unit;
    } rows[] = {
        {LIMIT("0.000000001 USD"), 1, UNIT_MONEY},
        {LIMIT("0.1 USD"), 100000000, UNIT_MONEY},
        {LIMIT("0.300000000000 USD"), 300000000, UNIT_MONEY},
        {LIMIT("9000000 USD"), BUDGET_MONEY_MAX, UNIT_MONEY},
        {LIMIT("8999999.999999999 USD"), BUDGET_MONEY_MAX - 1, UNIT_MONEY},
        {LIMIT("1 tokens"), 1, UNIT_TOKENS},
        {LIMIT("9000000000000000 tokens"), BUDGET_COUNT_MAX, UNIT_TOKENS},
        {LIMIT("1000 requests"), 1000, UNIT_REQUESTS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct snapshot *snapshot = load_good(rows[i].text);

        assert_int_equal(snapshot->budgets.list->limit, rows[i].limit);
        assert_int_equal(snapshot->budgets.list->unit, rows[i].unit);
        snapshot_give(snapshot);
    }
}

static void bad_limits__are_refused(void **state)
{
    static const char *const range[] = {
        LIMIT("0 USD"), LIMIT("0.0 USD"), LIMIT("9000000.000000001 USD"), LIMIT("9000001 USD"),
        LIMIT("0.0000000001 USD"), LIMIT("99999999999999999999999 USD"), LIMIT("0 tokens"),
        LIMIT("9000000000000001 requests"), LIMIT("99999999999999999999 tokens"),
    };
    static const char *const shape[] = {
        LIMIT("-1"), LIMIT("-1 USD"), LIMIT("NaN"), LIMIT("NaN USD"), LIMIT("inf USD"),
        LIMIT("1e3 USD"), LIMIT(".5 USD"), LIMIT("5. USD"), LIMIT("25"), LIMIT("25USD"),
        LIMIT("25 usd"), LIMIT("25 EUR"), LIMIT("\"25  USD\""), LIMIT("\"25 USD \""),
        LIMIT("\" USD\""), LIMIT("1.5 tokens"), LIMIT("-5 tokens"), LIMIT("1 000 tokens"),
        LIMIT("$25"), LIMIT("0x10 tokens"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(range); i++) {
        REFUSE(range[i], "test.yaml:6:", "error: budgets[0].limit must be", "at most 9000000",
               "help: write it like 25 USD");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(shape); i++) {
        REFUSE(shape[i], "error: budgets[0].limit must be an amount with its unit",
               "help: write it like 25 USD");
    }
    REFUSE(LIMIT("{ USD: 25 }"), "budgets[0].limit must be text");
}

static void scopes__are_judged(void **state)
{
    static const char *const good[] = {
        SCOPED("global"), SCOPED("\"team:any one\""), SCOPED("\"user:u@example\""),
        SCOPED("\"key:ci\""), SCOPED("\"tag:x\""), SCOPED("\"model:gpt-5.4\""), SCOPED("provider"),
        SCOPED("\"provider:a\""), SCOPED("\"route:smart\""), SCOPED("\"task:draft\""),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        snapshot_give(load_good(good[i]));
    }
    REFUSE(SCOPED("teams"), "budgets[0].scope is no scope", "did you mean \"team\"?");
    REFUSE(SCOPED("everything"), "is no scope", "scopes: global, team, user, key, tag, model");
    REFUSE(SCOPED("\"team:\""), "is no scope", "or team:growth, for that one");
    REFUSE(SCOPED("\"global:x\""), "is no scope", "global, trace and call stand alone");
    REFUSE(SCOPED("\"provider:b\""), "budgets[0].scope names no provider of this file");
    REFUSE(SCOPED("\"route:smrt\""), "names no route of this file", "did you mean \"smart\"?");
    REFUSE(SCOPED("\"task:drafts\""), "names no task of this file", "did you mean \"draft\"?");
}

static void windows__are_judged(void **state)
{
    static const char *const bad[] = {WINDOWED("0d"), WINDOWED("1d"), WINDOWED("days"),
                                      WINDOWED("rolling"), WINDOWED("rolling:24")};
    static const char *const range[] = {WINDOWED("rolling:59s"), WINDOWED("rolling:367d"),
                                        WINDOWED("rolling:0d"), WINDOWED("rolling:61001ms")};
    struct snapshot *snapshot = load_good(WINDOWED("rolling:366d"));

    (void)state;
    assert_int_equal(snapshot->budgets.list->window.kind, WINDOW_ROLLING);
    assert_int_equal(snapshot->budgets.list->window.length_ms, UINT64_C(366) * 86400000);
    snapshot_give(snapshot);
    snapshot_give(load_good(WINDOWED("rolling:1m")));
    snapshot_give(load_good(WINDOWED("total")));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        REFUSE(bad[i], "budgets[0].window is no window", "help: windows: minute, hour, day, week");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(range); i++) {
        REFUSE(range[i], "budgets[0].window must be rolling:1m to rolling:366d");
    }
    REFUSE(BUDGETS("{ name: b, scope: team, limit: 1 USD }"), "budgets[0].window is missing",
           "help: windows: minute, hour, day, week");
    REFUSE(BUDGETS("{ name: b, scope: call, limit: 1 USD, window: day }"),
           "budgets[0].window must be left out for the scopes trace and call");
    REFUSE(BUDGETS("{ name: b, scope: trace, limit: 1 USD, window: total }"),
           "budgets[0].window must be left out");
    REFUSE(WINDOWED("total, zone: UTC"), "budgets[0].zone does nothing here");
    REFUSE(WINDOWED("rolling:24h, zone: UTC"), "budgets[0].zone does nothing here");
    REFUSE(WINDOWED("month, week_begins: sunday"), "budgets[0].week_begins does nothing here");
    REFUSE(WINDOWED("week, week_begins: sundai"), "budgets[0].week_begins must be one of monday",
           "did you mean \"sunday\"?");
}

/* ---- zones ---- */

static size_t read_zone_file(const char *name, char *bytes, size_t size)
{
    char path[160];
    FILE *stream = NULL;
    size_t length = 0;

    (void)snprintf(path, sizeof path, "tests/data/zones/%s.tzif", name);
    stream = fopen(path, "rb");
    assert_non_null(stream);
    length = fread(bytes, 1, size, stream);
    (void)fclose(stream);
    return length;
}

static void zones__come_from_the_system(void **state)
{
    static char berlin[ZONE_FILE_MAX];
    static char tokyo[ZONE_FILE_MAX];
    struct fake_world world = usual_world;
    struct snapshot *snapshot = NULL;
    const struct budget *list = NULL;
    struct window window;

    (void)state;
    world.files[0].path = "/usr/share/zoneinfo/Europe/Berlin";
    world.files[0].content =
        span_make(berlin, read_zone_file("Europe_Berlin", berlin, sizeof berlin));
    world.files[1].path = "/usr/share/zoneinfo/Europe/Broken";
    world.files[1].content = SPAN_OF("TZif2 but not really");
    world.files[2].path = "/usr/share/zoneinfo/Asia/Tokyo";
    world.files[2].content = span_make(tokyo, read_zone_file("Asia_Tokyo", tokyo, sizeof tokyo));
    world.files[3].path = "/usr/share/zoneinfo/../Outside";
    world.files[3].content = world.files[2].content;
    snapshot = load_in(
        &world,
        TOP("budgets:\n"
            "  - { name: a, scope: team, limit: 1 USD, window: day, zone: Europe/Berlin }\n"
            "  - { name: b, scope: key, limit: 1 USD, window: month, zone: Europe/Berlin }\n"
            "  - { name: c, scope: key, limit: 1 USD, window: day, zone: Asia/Tokyo }\n"));
    memset(berlin, 0, sizeof berlin); /* the snapshot has bytes of its own */
    list = snapshot->budgets.list;
    assert_non_null(list[0].window.zone);
    assert_ptr_equal(list[0].window.zone, list[1].window.zone);
    window_at(&list[0].window, INT64_C(1774742400000), &window); /* 2026-03-29, 23 hours */
    assert_int_equal(window.begin, INT64_C(1774738800000));
    assert_int_equal(window.end - window.begin, 23 * 3600 * 1000);
    window_at(&list[2].window, INT64_C(1774742400000), &window);
    assert_int_equal(window.begin, INT64_C(1774710000000));
    snapshot_give(snapshot);
    REFUSE_IN(&world, WITH("zone: Europe/Broken"), "budgets[0].zone is no zone: ",
              "/usr/share/zoneinfo/Europe/Broken is not understood", "install the package tzdata");
    REFUSE_IN(&world, WITH("zone: Mars/Phobos"),
              "budgets[0].zone is no zone: no such file",
              "help: zones are written like Europe/Berlin, and UTC is always known",
              "install the package tzdata");
    REFUSE_IN(&world, WITH("zone: ../Outside"), "budgets[0].zone is no zone");
    REFUSE_IN(&world, WITH("zone: /etc/passwd"), "is no zone: nothing is called so");
}

/* ---- the rest ---- */

static void bad_values__are_refused(void **state)
{
    static const char *const rows[][2] = {
        {WITH("warn_at: [0%]"), "budgets[0].warn_at[0] must be 1% to 100%"},
        {WITH("warn_at: [101%]"), "budgets[0].warn_at[0] must be 1% to 100%"},
        {WITH("warn_at: [50]"), "budgets[0].warn_at[0] must be 1% to 100%"},
        {WITH("warn_at: [80%, 50%]"), "budgets[0].warn_at must rise from one to the next"},
        {WITH("warn_at: [50%, 50%]"), "budgets[0].warn_at must rise"},
        {WITH("warn_at: [1%, 2%, 3%, 4%, 5%, 6%, 7%, 8%, 9%]"), "must be at most 8 percentages"},
        {WITH("warn_at: 50%"), "budgets[0].warn_at must be a list"},
        {WITH("warm_up: 46d"), "budgets[0].warm_up must be 0s to 45d"},
        {WITH("warm_up: 7"), "budgets[0].warm_up must be a duration"},
        {WITH("mode: hard"), "budgets[0].mode must be one of enforce, warn, shadow"},
        {WITH("bound: loose"), "budgets[0].bound must be one of strict, learned"},
        {WITH("on_low: cut"), "budgets[0].on_low must be one of clamp, deny"},
        {WITH("on_overrun: clamp"), "budgets[0].on_overrun must be one of cut, finish"},
        {WITH("on_expiry: x"), "budgets[0].on_expiry must be one of presume, release"},
        {WITH("ambiguous_charge: x"), "must be one of none, input, hold"},
        {WITH("on_failure: x"), "budgets[0].on_failure must be one of closed, allowance, open"},
        {WITH("on_failure: allowance"), "budgets[0].allowance is missing"},
        {WITH("on_failure: allowance, allowance: 5 tokens"), "allowance must be in USD"},
        {WITH("on_failure: allowance, allowance: 0 USD"), "budgets[0].allowance must be above 0"},
        {GUARD("warn_at: [50%]"), "budgets[0].warn_at does nothing here"},
        {GUARD("warm_up: 1d"), "budgets[0].warm_up does nothing here"},
        {GUARD("on_expiry: release"), "budgets[0].on_expiry does nothing here"},
        {GUARD("on_failure: open"), "budgets[0].on_failure does nothing here"},
        {GUARD("allowance: 1 USD"), "budgets[0].allowance does nothing here"},
        {WITH("modus: warn"), "unknown key \"modus\" in budgets[0]"},
        {BUDGETS("{ name: B, scope: team, limit: 1 USD, window: day }"), "is no name of a budget"},
        {BUDGETS("{ scope: team, limit: 1 USD, window: day }"), "\"name\" is missing in budgets[0]"},
        {BUDGETS("{ name: b, limit: 1 USD, window: day }"), "\"scope\" is missing in budgets[0]"},
        {BUDGETS("{ name: b, scope: team, window: day }"), "\"limit\" is missing in budgets[0]"},
        {BUDGETS("25 USD"), "budgets[0] must be a mapping"},
        {TOP("budgets: { a: 1 }\n"), "budgets must be a list"},
        {TOP("budget_status: 403\n"), "budget_status must be 402 or 429"},
        {TOP("budgets:\n"
             "  - { name: a, scope: team, limit: 1 USD, window: day }\n"
             "  - { name: a, scope: key, limit: 1 USD, window: day }\n"),
         "budgets[1] has the name of budgets[0]"},
        {LEDGER("kind: file"), "ledger.kind must be one of memory, redis"},
        {LEDGER("kind: redis"), "ledger is of kind redis and has no url"},
        {LEDGER("url: \"redis://localhost\""), "ledger is of kind memory, which asks no Redis"},
        {LEDGER("sentinel: x"), "write kind: redis, or take sentinel out"},
        {LEDGER("kind: redis, url: []"), "ledger.url must have 1 to 16 addresses"},
        {LEDGER("kind: redis, url: \"http://localhost\""), "ledger.url must be redis://"},
        {LEDGER("kind: redis, url: [ \"redis://a\", x ]"), "ledger.url[1] must be redis://"},
        {LEDGER("kind: redis, url: [ \"redis://a\", \"redis://b/1\" ]"), "ledger names a database"},
        {LEDGER("replicas: 0"), "ledger.replicas must be 1 to 10000"},
        {LEDGER("replicas: 10001"), "ledger.replicas must be 1 to 10000"},
        {LEDGER("on_failure: x"), "ledger.on_failure must be one of closed, allowance, open"},
        {LEDGER("accept_volatile: maybe"), "ledger.accept_volatile must be true or false"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        REFUSE(rows[i][0], rows[i][1]);
    }
}

static const char *many_budgets(int count)
{
    static char text[16 * 1024];
    size_t length = (size_t)snprintf(text, sizeof text, "%s", TOP("budgets:\n"));

    for (int i = 0; i < count; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "  - { name: b%d, scope: team, limit: 1 USD, window: day }\n", i);
    }
    return text;
}

static void budgets__have_a_ceiling(void **state)
{
    struct snapshot *snapshot = load_good(many_budgets(BUDGETS_MAX));

    (void)state;
    assert_int_equal(snapshot->budgets.count, BUDGETS_MAX);
    snapshot_give(snapshot);
    REFUSE(many_budgets(BUDGETS_MAX + 1), "budgets must be at most 64 budgets");
}

static void ledger__is_read(void **state)
{
    struct snapshot *snapshot = load_good(LEDGER(
        "kind: redis, url: \"redis://me:hush%40@redis.internal:7000/3\", accept_volatile: true, "
        "replicas: 10000, on_failure: allowance"));
    const struct settings_ledger *ledger = &snapshot->ledger;

    (void)state;
    assert_int_equal(ledger->kind, LEDGER_REDIS);
    assert_int_equal(ledger->urls_count, 1);
    assert_span(ledger->urls[0].host, "redis.internal");
    assert_span(ledger->urls[0].password, "hush@");
    assert_int_equal(ledger->urls[0].database, 3);
    assert_true(ledger->accepts_volatile);
    assert_false(ledger->is_cluster);
    assert_int_equal(ledger->replicas, 10000);
    assert_int_equal(ledger->on_failure, FAILURE_ALLOWANCE);
    snapshot_give(snapshot);
    snapshot = load_good(LEDGER("kind: redis, url: [ \"redis://a\", \"redis://b:1\" ]"));
    assert_int_equal(snapshot->ledger.urls_count, 2);
    assert_true(snapshot->ledger.is_cluster);
    assert_span(snapshot->ledger.urls[1].host, "b");
    snapshot_give(snapshot);
    snapshot = load_good(
        LEDGER("kind: redis, url: [ \"redis://a/2\", \"redis://b/2\" ], sentinel: main"));
    assert_false(snapshot->ledger.is_cluster);
    assert_span(snapshot->ledger.sentinel, "main");
    assert_int_equal(snapshot->ledger.urls[0].database, 2);
    snapshot_give(snapshot);
}

/* on_failure of the ledger is that of budgets that enforce and say nothing; but what costs money is
 * typed out where the money is. */
static void on_failure__comes_from_the_ledger(void **state)
{
    static const struct {
        const char *text;
        enum budget_failure expected;
    } rows[] = {
        {WITH("mode: enforce"), FAILURE_CLOSED},
        {WITH("mode: warn"), FAILURE_OPEN},
        {WITH("mode: shadow"), FAILURE_OPEN},
        {WITH("mode: warn, on_failure: closed"), FAILURE_CLOSED},
        {WITH("on_failure: open"), FAILURE_OPEN},
        {WITH("mode: enforce") "ledger: { on_failure: open }\n", FAILURE_CLOSED},
        {WITH("allowance: 1 USD") "ledger: { on_failure: allowance }\n", FAILURE_ALLOWANCE},
        {WITH("on_failure: closed") "ledger: { on_failure: allowance }\n", FAILURE_CLOSED},
        {WITH("mode: warn") "ledger: { on_failure: allowance }\n", FAILURE_OPEN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct snapshot *snapshot = load_good(rows[i].text);

        assert_int_equal(snapshot->budgets.list->on_failure, rows[i].expected);
        snapshot_give(snapshot);
    }
    REFUSE(WITH("mode: enforce") "ledger: { on_failure: allowance }\n",
           "budgets[0].allowance is missing, which on_failure: allowance needs");
}

static void what_cannot_be_promised__is_refused(void **state)
{
    (void)state;
    REFUSE(WITH("mode: enforce") "ledger: { replicas: 2 }\n", "test.yaml:6:",
           "would be spent 2 times", "share one: ledger: { kind: redis, url: ... }");
    REFUSE(WITH("mode: enforce") "journal: { on_full: degrade }\n", "journal.on_full: degrade");
    snapshot_give(load_good(WITH("mode: warn") "ledger: { replicas: 2 }\n"
                                               "journal: { on_full: degrade }\n"));
    snapshot_give(load_good(WITH("mode: enforce") "ledger: { kind: redis, replicas: 2, "
                                                  "url: \"redis://localhost\" }\n"));
}

static void passwords__are_not_shown(void **state)
{
    static const char *const texts[] = {
        LEDGER("kind: redis, url: \"redis://:hushhush@h\", replicas: 0"),
        LEDGER("kind: redis, url: [ \"redis://:hushhush@h:99999\" ]"),
        LEDGER("kind: redis, url: { a: \"redis://:hushhush@h\" }"),
        LEDGER("kind: redis, urll: \"redis://:hushhush@h\""),
        TOP("ledger: [ \"redis://:hushhush@h\" ]\n"),
        TOP("ledger: \"redis://:hushhush@h\"\n"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct conf_world world = world_of(&usual_world);
        struct complaints complaints;
        struct snapshot *snapshot = NULL;

        assert_int_equal(
            conf_load(SPAN_OF("test.yaml"), span_of(texts[i]), &world, &complaints, &snapshot),
            ERR_CONFIG);
        if (strstr(printed(&complaints, texts[i]), "hushhush") != NULL) {
            fail_msg("shown: %s", printed(&complaints, texts[i]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing__is_no_budget_and_a_ledger_in_memory),
        cmocka_unit_test(defaults__depend_on_mode_and_scope),
        cmocka_unit_test(values__are_taken),
        cmocka_unit_test(limits__are_exact),
        cmocka_unit_test(bad_limits__are_refused),
        cmocka_unit_test(scopes__are_judged),
        cmocka_unit_test(windows__are_judged),
        cmocka_unit_test(zones__come_from_the_system),
        cmocka_unit_test(bad_values__are_refused),
        cmocka_unit_test(budgets__have_a_ceiling),
        cmocka_unit_test(ledger__is_read),
        cmocka_unit_test(on_failure__comes_from_the_ledger),
        cmocka_unit_test(what_cannot_be_promised__is_refused),
        cmocka_unit_test(passwords__are_not_shown),
    };

    return cmocka_run_group_tests_name("budgets", tests, NULL, NULL);
}
