/* SPDX-License-Identifier: Apache-2.0 */
/* Callers' keys in the settings and in a file of their own: what is taken, what is refused and where. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "conf/keys.h"
#include "tests/unit/conf/world.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define D "hmac-sha256:"
#define SECRET "key_secret: 0123456789abcdef\n"
#define HEAD                                                                                       \
    "version: 1\nproviders: { a: { kind: openai } }\n"                                             \
    "routes: { smart: { targets: [ { provider: a } ] } }\n"

static void keys__say_whose_they_are_and_what_they_may(void **state)
{
    struct snapshot *snapshot = load_in(&usual_world, 
        HEAD SECRET
        "keys:\n"
        "  - { name: ci, digest: \"" D A "\", id: abcd1234, team: growth, user: build, tags: [batch, x],\n"
        "      routes: [smart], models: [\"gpt-*\"], operations: [chat, embeddings], tiers: [flex], addresses: "
        "[10.0.0.0/8, 192.168.1.1, \"fd00::/64\"],\n"
        "      not_before: 2026-01-01, expires: 2027-01-31T12:00:00Z,\n"
        "      previous: { digest: \"" D B "\", until: 2026-02-01 } }\n"
        "  - { name: plain, digest: \"" D "0000000000000000000000000000000000000000000000000000000000000000\" }\n"
        "teams: { growth: { disabled: true }, other: {} }\n");
    const struct key_entry *ci = &snapshot->keys.ring->keys[0];
    const struct key_entry *plain = &snapshot->keys.ring->keys[1];

    (void)state;
    assert_int_equal(snapshot->keys.ring->count, 2);
    assert_true(span_equal(ci->caller.name, SPAN_OF("ci")));
    assert_true(span_equal(ci->caller.team, SPAN_OF("growth")));
    assert_true(span_equal(ci->caller.user, SPAN_OF("build")));
    assert_true(span_equal(ci->caller.tags, SPAN_OF("batch,x")));
    assert_true(span_equal(ci->id, SPAN_OF("abcd1234")));
    assert_int_equal(ci->digest.bytes[31], 0xaa);
    assert_int_equal(ci->previous.bytes[0], 0xbb);
    assert_int_equal(ci->caller.routes.count, 1);
    assert_int_equal(ci->caller.models.count, 1);
    assert_int_equal(ci->caller.operations.count, 2);
    assert_int_equal(ci->caller.tiers.count, 1);
    assert_true(span_equal(ci->caller.tiers.list[0], SPAN_OF("flex")));
    assert_int_equal(ci->caller.addresses_count, 3);
    assert_int_equal(ci->not_before, 1767225600000);
    assert_int_equal(ci->expires, 1801396800000);
    assert_int_equal(ci->previous_until, 1769904000000);
    assert_true(ci->caller.team_is_disabled);
    assert_true(span_equal(plain->caller.team, SPAN_OF("default")));
    assert_false(plain->caller.team_is_disabled);
    assert_int_equal(plain->expires, 0);
    snapshot_give(snapshot);
}

/* Nobody may call then: that is another thing than no keys. */
static void keys__may_be_none_at_all(void **state)
{
    struct snapshot *snapshot = load_in(&usual_world, HEAD SECRET "keys: []\n");

    (void)state;
    assert_non_null(snapshot->keys.ring);
    assert_int_equal(snapshot->keys.ring->count, 0);
    snapshot_give(snapshot);
    snapshot = load_in(&usual_world, HEAD);
    assert_null(snapshot->keys.ring);
    snapshot_give(snapshot);
}

#define ONE(inside) HEAD SECRET "keys: [ { name: a, digest: \"" D A "\", " inside " } ]\n"

static void keys__are_refused_with_words_that_help(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } table[] = {
        {HEAD "keys: []\n", "4:1: error: keys need key_secret"},
        {HEAD "key_secret: short\n", "key_secret is shorter than 16 characters"},
        {HEAD SECRET "keys: 5\n", "keys must be a list"},
        {HEAD SECRET "keys: { files: x }\n", "unknown key \"files\" in keys"},
        {HEAD SECRET "keys: [ { name: a } ]\n", "\"digest\" is missing in keys[0]"},
        {HEAD SECRET "keys: [ { digest: \"" D A "\" } ]\n", "\"name\" is missing in keys[0]"},
        {HEAD SECRET "keys: [ { name: a, digest: hello } ]\n", "keys[0].digest is no digest"},
        {HEAD SECRET "keys: [ { name: a, digest: \"" D A "a\" } ]\n", "is no digest"},
        {HEAD SECRET "keys: [ { name: a, digest: \"sha256:" A "\" } ]\n", "is no digest"},
        {HEAD SECRET "keys: [ { name: a, digest: \"" D "g" A "\" } ]\n", "is no digest"},
        {HEAD SECRET "keys: [ { name: A b, digest: \"" D A "\" } ]\n", "keys[0].name is no name"},
        {ONE("team: No Team"), "keys[0].team is no name"},
        {ONE("routes: [smrt]"), "did you mean \"smart\"?"},
        {ONE("routes: [smrt]"), "keys[0].routes[0] is no route of this file"},
        {ONE("routes: []"), "keys[0].routes is empty"},
        {ONE("models: []"), "keys[0].models is empty"},
        {ONE("models: [\"a b\"]"), "keys[0].models[0] must be"},
        {ONE("operations: [chats]"), "keys[0].operations[0] is no operation"},
        {ONE("tiers: []"), "keys[0].tiers is empty"},
        {ONE("tiers: [\"a b\"]"), "keys[0].tiers[0] is no service tier"},
        {ONE("addresses: [10.0.0.1/8]"), "must be a range of addresses"},
        {ONE("addresses: [\"fd00::1\"]"), "keys[0].addresses has a range smaller than /64"},
        {ONE("addresses: []"), "keys[0].addresses is empty"},
        {ONE("tags: [\"a,b\"]"), "keys[0].tags[0] is no tag"},
        {ONE("expires: tomorrow"), "must be a day or a moment"},
        {ONE("expires: 2027-02-30"), "must be a day or a moment"},
        {ONE("id: longerthan8"), "keys[0].id has more"},
        {ONE("previous: { digest: \"" D B "\" }"), "\"until\" is missing"},
        {ONE("previous: { digest: \"" D A "\", until: 2027-01-01 }"), "has the digest of another"},
        {ONE("revoked: yes"), "keys[0].revoked must be true or false"},
        {HEAD SECRET "keys:\n  - { name: a, digest: \"" D A "\" }\n  - { name: a, digest: \"" D B
                     "\" }\n",
         "7:5: error: keys[1] has the name of an earlier key: \"a\""},
        {HEAD SECRET "keys:\n  - { name: a, digest: \"" D A "\" }\n  - { name: b, digest: \"" D A
                     "\" }\n",
         "7:5: error: keys[1] has the digest of another key"},
        {HEAD "teams: { growth: { disable: true } }\n", "did you mean \"disabled\"?"},
        {"version: 1\nproviders: { a: { kind: openai, credential: passthrough } }\n" SECRET
         "keys: []\n",
         "2:14: error: providers.a: credential: passthrough would send callers' keys of ours to it"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        REFUSE(table[i].text, table[i].words);
    }
}

static void keys__are_never_shown_where_a_digest_should_be(void **state)
{
    static const char text[] =
        HEAD SECRET "keys: [ { name: a, digest: hg_the_key_itself } ]\n";
    struct conf_world world = world_of(&usual_world);
    struct complaints complaints;
    struct snapshot *snapshot = NULL;

    (void)state;
    assert_int_equal(
        conf_load(SPAN_OF("test.yaml"), span_of(text), &world, &complaints, &snapshot), ERR_CONFIG);
    assert_null(strstr(printed(&complaints, text), "the_key_itself"));
    assert_null(strstr(printed(&complaints, text), "0123456789abcdef"));
}

static void keys__open_a_listener_to_others(void **state)
{
    (void)state;
    REFUSE(HEAD "listen: 0.0.0.0:8402\n", "can be reached by others");
    snapshot_give(load_in(&usual_world, HEAD SECRET "listen: 0.0.0.0:8402\nkeys: []\n"));
}

static void keys__the_secret_may_come_from_the_environment(void **state)
{
    static const struct fake_world world = {
        .variables = {{"OPENAI_API_KEY", "sk-test-1"},
                      {"HEADGATE_KEY_SECRET", "0123456789abcdef-environment"}}};
    static const struct fake_world short_one = {
        .variables = {{"OPENAI_API_KEY", "sk-test-1"}, {"HEADGATE_KEY_SECRET", "short"}}};
    struct snapshot *snapshot = load_in(&world, HEAD "keys: []\n");

    (void)state;
    assert_true(span_equal(snapshot->keys.secret, SPAN_OF("0123456789abcdef-environment")));
    snapshot_give(snapshot);
    REFUSE_IN(&short_one, HEAD "keys: []\n", "key_secret is shorter than 16 characters");
}

/* ---- a file of their own ---- */

static void keys__may_stand_beside_the_settings(void **state)
{
    static const struct fake_world world = {
        .variables = {{"OPENAI_API_KEY", "sk-test-1"}},
        .files = {{"./keys.yaml",
                   SPAN("version: 1\nkeys:\n  - { name: ci, digest: \"" D A
                        "\", routes: [of another headgate] }\nteams: { default: { disabled: true } "
                        "}\n")},
                  {"broken.yaml", SPAN("version: 1\nkeys:\n  - { name: ci, digest: x }\n")}},
    };
    struct snapshot *snapshot = load_in(&world, HEAD SECRET "keys: { file: ./keys.yaml }\n");

    (void)state;
    assert_true(span_equal(snapshot->keys.file, SPAN_OF("./keys.yaml")));
    assert_int_equal(snapshot->keys.ring->count, 1);
    assert_true(snapshot->keys.ring->keys[0].caller.team_is_disabled);
    snapshot_give(snapshot);
    REFUSE_IN(&world, HEAD SECRET "keys: { file: ./missing.yaml }\n",
           "keys.file cannot be read: no such file");
    REFUSE_IN(&world, HEAD SECRET "keys: { file: broken.yaml }\n",
           "5:15: error: keys.file line 3, column 25: keys[0].digest is no digest of a key");
}

static void keys__of_a_file_are_read_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        const char *words; /* NULL: good */
    } table[] = {
        {"version: 1\nkeys: []\n", NULL},
        {"version: 1\nkeys:\n- { name: a, digest: \"" D A "\" }\n", NULL},
        {"", "error"},
        {"version: 1\n", "\"keys\" is missing"},
        {"keys: []\n", "\"version\" is missing"},
        {"version: 2\nkeys: []\n", "version must be 1"},
        {"version: 1\nkeys:\n- { name: a, digest: \"" D A, "3:"},
        {"version: 1\nkeys:\n- { name: a, digest: \"${HOME}\" }\n", "HOME"},
        {"version: 1\nkeys:\n- { name: a, digest: \"${file:/etc/passwd}\" }\n", "names no other"},
    };
    static const struct settings_keys settings = {.secret = SPAN("0123456789abcdef")};
    size_t before = mem_held();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct complaints complaints;
        struct keyring *ring = NULL;
        enum err err = keys_read(span_of(table[i].text), &settings, &complaints, &ring);

        assert_int_equal(err, table[i].words == NULL ? ERR_NONE : ERR_CONFIG);
        assert_int_equal(ring != NULL, table[i].words == NULL);
        if (table[i].words != NULL &&
            strstr(printed(&complaints, table[i].text), table[i].words) == NULL) {
            fail_msg("row %zu: %s", i, printed(&complaints, table[i].text));
        }
        keyring_give(ring);
    }
    assert_int_equal(mem_held(), before);
}

/* Whatever allocation fails, nothing is left behind, and no key is let in by half. */
static void keys__survive_every_lack_of_memory(void **state)
{
    static const char text[] = "version: 1\nkeys:\n- { name: a, digest: \"" D A
                               "\", tags: [x, y], previous: { digest: \"" D B
                               "\", until: 2027-01-01 } }\nteams: { a: { disabled: true } }\n";
    static const struct settings_keys settings = {.secret = SPAN("0123456789abcdef")};
    size_t before = mem_held();
    enum err err = ERR_MEMORY;

    (void)state;
    for (uint64_t n = 1; err == ERR_MEMORY; n++) {
        struct complaints complaints;
        struct keyring *ring = NULL;

        mem_fail_at(n);
        err = keys_read(span_of(text), &settings, &complaints, &ring);
        mem_fail_at(0);
        assert_true(err == ERR_NONE || err == ERR_MEMORY);
        assert_int_equal(ring != NULL, err == ERR_NONE);
        keyring_give(ring);
        assert_int_equal(mem_held(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys__say_whose_they_are_and_what_they_may),
        cmocka_unit_test(keys__may_be_none_at_all),
        cmocka_unit_test(keys__are_refused_with_words_that_help),
        cmocka_unit_test(keys__are_never_shown_where_a_digest_should_be),
        cmocka_unit_test(keys__open_a_listener_to_others),
        cmocka_unit_test(keys__the_secret_may_come_from_the_environment),
        cmocka_unit_test(keys__may_stand_beside_the_settings),
        cmocka_unit_test(keys__of_a_file_are_read_whole_or_not_at_all),
        cmocka_unit_test(keys__survive_every_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
