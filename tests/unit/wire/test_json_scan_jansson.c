/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner against another parser: seeded mutations of good documents, and both must say yes or
 * both no. Where they may differ is listed in jansson_judge.c and counted, so that the list cannot
 * swallow the test. The ceilings of the scanner are out of reach of these documents, but for long
 * numbers: those are counted as well. */
#include "tests/unit/wire/json_trace.h"

#include "tests/unit/wire/jansson_judge.h"

enum { DOCUMENTS = 20000, LONGEST = 400 };

static const char *const seeds[] = {
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}],\"stream\":true}",
    "[0,-0,1,-1,1.5,-1.5e3,1E+2,1e-2,0.25,123456789,1e1]",
    "[\"\\\"\\\\\\/"
    "\\b\\f\\n\\r\\t\",\"\\u0041\\ud83d\\ude00\",\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]",
    "{\"a\":{\"b\":[{},[],[[]],{\"c\":null}]},\"d\":[true,false,null],\"\":\"\"}",
    " { \"a\" : 1 ,\r\n\t\"b\" : [ ] , \"c\" : { } } ",
    "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":1,\"k\":1,"
    "\"l\":1,"
    "\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"s\":1}",
    "{\"\\u0061\":1,\"a\\u0062\":2,\"\xc3\xa9\":3,\"\\u00e8\":4}",
    "[\"abcdefghijklmnopqrstuvwxyz\",\"0123456789abcdef\\n0123456789\"]",
};

/* What mutations put in: bytes that mean something to JSON, and some that never may stand there. */
static const char bytes_in[] =
    "{}[]:,\"\\/ \t\n\r0123456789-+.eEutfnrab\xc3\xa9\xe2\x82\xac\xf0\x9f"
    "\x98\x80\xed\xa0\xc0\xff\x01\x1f\x7f";

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed >> 11;
}

static size_t pick(uint64_t *seed, size_t count)
{
    return (size_t)(next_random(seed) % count);
}

/* One small change: a byte replaced, put in or taken out, a part said twice or cut off. */
static size_t mutate(uint64_t *seed, char *text, size_t length)
{
    size_t at = pick(seed, length + 1);
    size_t count = 1 + pick(seed, 8);

    switch (pick(seed, 5)) {
    case 0:
        if (at < length) {
            text[at] = bytes_in[pick(seed, sizeof bytes_in - 1)];
        }
        return length;
    case 1:
        memmove(text + at + 1, text + at, length - at);
        text[at] = bytes_in[pick(seed, sizeof bytes_in - 1)];
        return length + 1;
    case 2:
        count = count > length - at ? length - at : count;
        memmove(text + at, text + at + count, length - at - count);
        return length - count;
    case 3:
        count = count > length - at ? length - at : count;
        memmove(text + at + count, text + at, length - at);
        return length + count;
    default: return pick(seed, 10) == 0 ? at : length;
    }
}

static void expect_same(struct span document, bool is_good, bool theirs, const char *why)
{
    if (is_good != theirs) {
        fail_msg("we say %s, jansson says %s: <%.*s>", is_good ? "good" : "bad", why,
                 SPAN_ARGS(document));
    }
}

static void jansson__agrees_on_mutated_documents(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 3};
    uint64_t seed = 0x2545f4914f6cdd1d;
    size_t good = 0;
    size_t bad = 0;
    size_t apart = 0;

    (void)state;
    assert_non_null(scan);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        char text[LONGEST + 64];
        const char *from = seeds[pick(&seed, ARRAY_LENGTH(seeds))];
        size_t length = strlen(from);
        const char *why = NULL;
        bool is_good = false;
        struct span document;

        memcpy(text, from, length);
        for (size_t n = 1 + pick(&seed, 4); n > 0 && length < LONGEST; n--) {
            length = mutate(&seed, text, length);
        }
        document = bytes_own(span_make(text, length));
        is_good = json_scan_whole(scan, &options, document, NULL);
        switch (jansson_judge(document.at, document.len, &why)) {
        case JANSSON_GOOD:
            if (!is_good && json_scan_fault(scan) == JSON_FAULT_NUMBER_LONG) {
                apart++;
                break;
            }
            expect_same(document, is_good, true, why);
            break;
        case JANSSON_BAD: expect_same(document, is_good, false, why); break;
        case JANSSON_NARROWER: apart++; break;
        }
        good += is_good;
        bad += !is_good;
        bytes_give(document);
    }
    json_scan_free(scan);
    assert_true(good > DOCUMENTS / 10);
    assert_true(bad > DOCUMENTS / 10);
    assert_true(apart < DOCUMENTS / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jansson__agrees_on_mutated_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
