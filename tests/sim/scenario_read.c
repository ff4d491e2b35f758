/* SPDX-License-Identifier: Apache-2.0 */
/* Line after line, word after word: one function per kind of line; the first ones of a story are in
 * scenario_setting.c. */
#include "tests/sim/words.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "wire/hint.h"

/* ---- calls ---- */

static uint32_t group_of(struct scenario *scenario, struct span word, bool is_new)
{
    size_t i = words_find_name(scenario->groups, scenario->groups_count, word);

    if (i < scenario->groups_count) {
        return (uint32_t)i;
    }
    if (!is_new || i == GROUPS_MAX) {
        scenario_complain(scenario, is_new ? "too many names for calls:" : "no call is named",
                          word);
        return 0;
    }
    words_keep_name(scenario, scenario->groups[i], word);
    scenario->groups_count++;
    return (uint32_t)i;
}

static void keep_ask(struct scenario *scenario, const struct ask *ask)
{
    if (scenario->asks_count == RESULTS_MAX) {
        scenario_complain(scenario, "too many calls", SPAN_OF(""));
        return;
    }
    scenario->asks[scenario->asks_count++] = *ask;
}

/* NAME whole|stream [deadline D] [patience D] [leaves D] [session NAME] [once] [short] */
static struct ask read_ask(struct words *words)
{
    struct scenario *scenario = words->scenario;
    struct ask ask = {.tag = group_of(scenario, words_next(words), true)};
    struct span kind = words_next(words);

    ask.is_stream = word_is(kind, "stream");
    if (!ask.is_stream && !word_is(kind, "whole")) {
        scenario_complain(scenario, "not whole, no stream:", kind);
    }
    while (words->at < words->count && scenario_is_fine(scenario)) {
        struct span word = words_next(words);

        if (word_is(word, "deadline")) {
            ask.deadline_ms = words_ms32(words);
        } else if (word_is(word, "patience")) {
            ask.patience_ms = words_ms32(words);
        } else if (word_is(word, "leaves")) {
            ask.leaves_ms = words_ms32(words);
        } else if (word_is(word, "session")) {
            ask.session = words_next(words);
        } else if (word_is(word, "once")) {
            ask.no_failover = true;
        } else if (word_is(word, "short")) {
            ask.is_short = true;
        } else {
            scenario_complain(scenario, "a call has no", word);
        }
    }
    return ask;
}

/* at T call ... */
static void read_call(struct words *words)
{
    mono_ms at = words_ms(words);
    struct ask ask;

    if (!words_take(words, "call")) {
        scenario_complain(words->scenario, "what happens after", words->list[words->at - 1]);
        return;
    }
    ask = read_ask(words);
    ask.at = at;
    keep_ask(words->scenario, &ask);
}

/* every D from T until T call ... */
static void read_calls(struct words *words)
{
    uint64_t gap = words_ms(words);
    mono_ms from = 0;
    mono_ms until = 0;
    struct ask ask;

    if (gap == 0 || !words_take(words, "from")) {
        scenario_complain(words->scenario, "from when? after", words->list[words->at - 1]);
        return;
    }
    from = words_ms(words);
    if (!words_take(words, "until")) {
        scenario_complain(words->scenario, "until when? after", words->list[words->at - 1]);
        return;
    }
    until = words_ms(words);
    if (!words_take(words, "call") || until == MONO_NEVER) {
        scenario_complain(words->scenario, "what happens after", words->list[words->at - 1]);
        return;
    }
    ask = read_ask(words);
    for (ask.at = from; ask.at < until && scenario_is_fine(words->scenario); ask.at += gap) {
        keep_ask(words->scenario, &ask);
    }
}

/* ---- expectations ---- */

static void read_span_of_time(struct words *words, struct expect *expect)
{
    expect->from = words_ms(words);
    if (!words_take(words, "until")) {
        scenario_complain(words->scenario, "until when? after", words->list[words->at - 1]);
    }
    expect->until = words_ms(words);
}

/* N, most N, least N */
static void read_range(struct words *words, struct expect *expect)
{
    bool is_most = words_take(words, "most");
    bool is_least = !is_most && words_take(words, "least");
    uint64_t number = words_number(words);

    expect->attempts_least = is_most ? 0 : number;
    expect->attempts_most = is_least ? UINT64_MAX : number;
}

static bool read_ended(struct span word, enum ended *ended)
{
    static const char *const names[] = {"", "finish", "fail", "cut", "left"};

    for (size_t i = 1; i < ARRAY_LENGTH(names); i++) {
        if (word_is(word, names[i])) {
            *ended = (enum ended)i;
            return true;
        }
    }
    return false;
}

/* NAME ENDED [OUTCOME] [at TARGET] [attempts RANGE] [within D] [percent N] [from T until T] */
static void read_expect_calls(struct words *words, struct expect *expect, struct span name)
{
    struct scenario *scenario = words->scenario;

    expect->kind = EXPECT_CALLS;
    expect->group = group_of(scenario, name, false);
    if (!read_ended(words_next(words), &expect->ended)) {
        scenario_complain(scenario, "no end of a call:", words->list[words->at - 1]);
    }
    while (words->at < words->count && scenario_is_fine(scenario)) {
        struct span word = words_next(words);

        if (word_is(word, "at")) {
            expect->place = words_target(words);
        } else if (word_is(word, "attempts")) {
            read_range(words, expect);
        } else if (word_is(word, "within")) {
            expect->within_ms = words_ms(words);
        } else if (word_is(word, "percent")) {
            expect->percent = words_number32(words);
        } else if (word_is(word, "from")) {
            read_span_of_time(words, expect);
        } else if (!expect->has_outcome && words_outcome(word, &expect->outcome)) {
            expect->has_outcome = true;
        } else {
            scenario_complain(scenario, "nothing to expect of calls:", word);
        }
    }
}

/* TARGET attempts RANGE from T until T | TARGET ended OUTCOME RANGE from T until T
 * TARGET STATE at T */
static void read_expect_target(struct words *words, struct expect *expect, uint8_t place)
{
    static const char *const states[] = {"open", "closed", "cooling", "parked", "eligible"};
    struct span word = words_next(words);

    expect->place = place;
    if (word_is(word, "ended")) {
        expect->has_outcome = true;
        if (!words_outcome(words_next(words), &expect->outcome)) {
            scenario_complain(words->scenario, "no outcome:", words->list[words->at - 1]);
        }
    }
    if (word_is(word, "attempts") || expect->has_outcome) {
        expect->kind = EXPECT_ATTEMPTS;
        read_range(words, expect);
        if (!words_take(words, "from")) {
            scenario_complain(words->scenario, "from when? after", words->list[words->at - 1]);
            return;
        }
        read_span_of_time(words, expect);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++) {
        if (word_is(word, states[i])) {
            expect->kind = EXPECT_STATE;
            expect->state = (enum state_word)i;
            if (!words_take(words, "at")) {
                scenario_complain(words->scenario, "when? after", word);
            }
            expect->from = words_ms(words);
            return;
        }
    }
    scenario_complain(words->scenario, "a target is not", word);
}

static void read_expect(struct words *words)
{
    struct scenario *scenario = words->scenario;
    struct expect expect = {.line = scenario->line,
                            .place = PLACE_NONE,
                            .attempts_most = UINT64_MAX,
                            .within_ms = MONO_NEVER,
                            .percent = 100,
                            .until = MONO_NEVER};
    struct span name = words_next(words);
    size_t place = words_find_name(scenario->names, scenario->targets, name);

    if (scenario->expects_count == EXPECTS_MAX) {
        scenario_complain(scenario, "too many expectations at", name);
        return;
    }
    if (place < scenario->targets) {
        read_expect_target(words, &expect, (uint8_t)place);
    } else {
        read_expect_calls(words, &expect, name);
    }
    scenario->expects[scenario->expects_count++] = expect;
}

/* ---- lines ---- */

static void read_line(struct words *words)
{
    struct scenario *scenario = words->scenario;
    struct span word = words_next(words);
    size_t place = words_find_name(scenario->names, scenario->targets, word);

    if (word_is(word, "story")) {
        return; /* it is for the reader */
    }
    if (word_is(word, "target")) {
        setting_target(words);
    } else if (word_is(word, "route")) {
        setting_route(words);
    } else if (word_is(word, "breaker")) {
        setting_breaker(words);
    } else if (word_is(word, "ledger")) {
        setting_ledger(words);
    } else if (word_is(word, "at")) {
        read_call(words);
    } else if (word_is(word, "every")) {
        read_calls(words);
    } else if (word_is(word, "shutdown")) {
        scenario->shutdown_at = words_ms(words);
    } else if (word_is(word, "expect")) {
        read_expect(words);
    } else if (place < scenario->targets) {
        setting_target_line(words, place);
    } else {
        scenario_complain(scenario, "no line begins with", word);
    }
    if (scenario_is_fine(scenario) && words->at < words->count) {
        scenario_complain(scenario, "nobody reads", words->list[words->at]);
    }
}

static void cut_words(struct words *words, struct span line)
{
    size_t at = 0;

    while (at < line.len && line.at[at] != '#') {
        size_t from = at;

        while (at < line.len && line.at[at] != ' ' && line.at[at] != '\t' && line.at[at] != '#') {
            at++;
        }
        if (at > from && words->count < WORDS_MAX) {
            words->list[words->count++] = span_make(line.at + from, at - from);
        }
        while (at < line.len && (line.at[at] == ' ' || line.at[at] == '\t')) {
            at++;
        }
    }
}

bool scenario_read(struct scenario *scenario, struct span text)
{
    size_t at = 0;

    *scenario = (struct scenario){.shutdown_at = MONO_NEVER};
    scenario->asks = mem_take_zero(RESULTS_MAX * sizeof *scenario->asks);
    scenario->results = mem_take_zero(RESULTS_MAX * sizeof *scenario->results);
    scenario->made = mem_take_zero(MADE_MAX * sizeof *scenario->made);
    must(scenario->asks != NULL && scenario->results != NULL && scenario->made != NULL);
    world_init(&scenario->world, HOUSE_TARGETS_MAX, 1);
    while (at < text.len && scenario_is_fine(scenario)) {
        struct words words = {.scenario = scenario};
        size_t from = at;

        while (at < text.len && text.at[at] != '\n') {
            at++;
        }
        scenario->line++;
        cut_words(&words, span_make(text.at + from, at - from));
        at++;
        if (words.count > 0) {
            read_line(&words);
        }
    }
    scenario->world.house.route.targets_count = scenario->targets;
    scenario->world.house.routing.targets_count = scenario->targets;
    if (scenario_is_fine(scenario) &&
        (scenario->targets == 0 || scenario->asks_count == 0 || scenario->expects_count == 0)) {
        scenario_complain(scenario, "a story needs targets, calls and expectations", SPAN_OF(""));
    }
    return scenario_is_fine(scenario);
}
