/* SPDX-License-Identifier: Apache-2.0 */
/* Line after line, word after word: one function per kind of line. */
#include "tests/sim/scenario.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "wire/hint.h"

/* The words of one line, and how far they have been read. */
struct words {
    struct scenario *scenario;
    struct span list[WORDS_MAX];
    size_t count;
    size_t at;
};

/* ---- words ---- */

static bool is_word(struct span word, const char *text)
{
    return span_equal(word, span_make(text, strlen(text)));
}

static struct span next_word(struct words *words)
{
    if (words->at == words->count) {
        scenario_complain(words->scenario, "something is missing after",
                          words->count == 0 ? SPAN_OF("") : words->list[words->count - 1]);
        return SPAN_OF("");
    }
    return words->list[words->at++];
}

static bool take_word(struct words *words, const char *text)
{
    if (words->at < words->count && is_word(words->list[words->at], text)) {
        words->at++;
        return true;
    }
    return false;
}

static uint64_t next_number(struct words *words)
{
    struct span word = next_word(words);
    uint64_t number = 0;

    if (text_read_u64(word, &number) != ERR_NONE) {
        scenario_complain(words->scenario, "not a number:", word);
    }
    return number;
}

static uint64_t next_ms(struct words *words)
{
    struct span word = next_word(words);
    uint64_t ms = 0;

    if (is_word(word, "end")) {
        return MONO_NEVER;
    }
    if (text_read_duration(word, &ms) != ERR_NONE) {
        scenario_complain(words->scenario, "not a time:", word);
    }
    return ms;
}

static uint32_t next_ms32(struct words *words)
{
    uint64_t ms = next_ms(words);

    if (ms > UINT32_MAX) {
        scenario_complain(words->scenario, "too long a time at", words->list[words->at - 1]);
    }
    return (uint32_t)ms;
}

static uint32_t next_number32(struct words *words)
{
    uint64_t number = next_number(words);

    if (number > UINT32_MAX) {
        scenario_complain(words->scenario, "too large a number:", words->list[words->at - 1]);
    }
    return (uint32_t)number;
}

/* The index of the word in `names`, each of NAME_MAX_LEN bytes; `count`: it is not there. */
static size_t find_name(char (*names)[NAME_MAX_LEN], size_t count, struct span word)
{
    size_t i = 0;

    while (i < count && !is_word(word, names[i])) {
        i++;
    }
    return i;
}

static void keep_name(struct scenario *scenario, char *name, struct span word)
{
    if (word.len == 0 || word.len >= NAME_MAX_LEN) {
        scenario_complain(scenario, "not a name:", word);
        return;
    }
    memcpy(name, word.at, word.len);
    name[word.len] = '\0';
}

static uint8_t next_target(struct words *words)
{
    struct scenario *scenario = words->scenario;
    struct span word = next_word(words);
    size_t i = find_name(scenario->names, scenario->targets, word);

    if (i == scenario->targets) {
        scenario_complain(scenario, "no target is called", word);
        return 0;
    }
    return (uint8_t)i;
}

static bool read_outcome(struct span word, enum outcome *outcome)
{
    static const char *const names[] = {
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy) #name,
#include "router/outcomes.def"
#undef OUTCOME
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (span_equal_nocase(word, span_make(names[i], strlen(names[i])))) {
            *outcome = (enum outcome)i;
            return true;
        }
    }
    return false;
}

/* ---- targets and their manners ---- */

static void read_target(struct words *words)
{
    struct scenario *scenario = words->scenario;
    struct house *house = &scenario->world.house;
    size_t i = scenario->targets;
    struct target *target = &house->targets[i];

    if (i == HOUSE_TARGETS_MAX) {
        scenario_complain(scenario, "too many targets at", words->list[0]);
        return;
    }
    keep_name(scenario, scenario->names[i], next_word(words));
    while (words->at < words->count && scenario_is_fine(scenario)) {
        struct span word = next_word(words);

        if (is_word(word, "host_of")) {
            house->providers[i].endpoint.index =
                house->targets[next_target(words)].provider->endpoint.index;
        } else if (is_word(word, "key_of")) {
            target->provider = house->targets[next_target(words)].provider;
        } else if (is_word(word, "model")) {
            target->model = next_word(words);
        } else if (is_word(word, "tier")) {
            target->tier = next_number32(words);
        } else if (is_word(word, "weight")) {
            target->weight = next_number32(words);
        } else if (is_word(word, "context")) {
            target->context = next_number(words);
        } else {
            scenario_complain(scenario, "a target has no", word);
        }
    }
    scenario->targets++;
}

static const char *const stages[] = {"connect", "write", "head", "body", "stream"};

static void read_stage(struct words *words, struct manner *manner)
{
    struct span word = next_word(words);

    for (size_t i = 0; i < ARRAY_LENGTH(stages); i++) {
        if (is_word(word, stages[i])) {
            manner->stage = (enum stage)i;
            return;
        }
    }
    scenario_complain(words->scenario, "no stage is called", word);
}

static void read_manner(struct words *words, struct manner *manner)
{
    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = next_word(words);

        if (is_word(word, "hangs")) {
            manner->hangs = true;
        } else if (is_word(word, "never_ends")) {
            manner->never_ends = true;
        } else if (is_word(word, "in")) {
            read_stage(words, manner);
        } else if (is_word(word, "hint")) {
            manner->hint_ms = (int64_t)next_ms(words);
        } else if (is_word(word, "quota_back")) {
            manner->quota_ms = next_ms(words);
        } else if (is_word(word, "should_retry")) {
            manner->should_retry = is_word(next_word(words), "yes") ? 1 : 0;
        } else if (is_word(word, "pieces")) {
            manner->pieces = (uint8_t)next_number(words);
        } else if (is_word(word, "connect_takes")) {
            manner->connect_ms = next_ms32(words);
        } else if (is_word(word, "head_after")) {
            manner->head_ms = next_ms32(words);
        } else if (is_word(word, "content_after")) {
            manner->content_ms = next_ms32(words);
        } else if (is_word(word, "gap")) {
            manner->gap_ms = next_ms32(words);
        } else {
            scenario_complain(words->scenario, "a target's manner has no", word);
        }
    }
}

/* from T until T [each D on D] [percent N] OUTCOME [manner] */
static void read_spell(struct words *words, struct script *script)
{
    struct spell spell = {.percent = 100};
    enum outcome outcome = OUTCOME_OK;
    struct span word = SPAN_OF("");
    struct spell *kept = NULL;

    spell.from = next_ms(words);
    if (!take_word(words, "until")) {
        scenario_complain(words->scenario, "until when? after", words->list[words->at - 1]);
    }
    spell.until = next_ms(words);
    if (take_word(words, "each")) {
        spell.period_ms = next_ms32(words);
        if (!take_word(words, "on")) {
            scenario_complain(words->scenario, "on for how long? after",
                              words->list[words->at - 1]);
        }
        spell.on_ms = next_ms32(words);
    }
    if (take_word(words, "percent")) {
        spell.percent = next_number32(words);
    }
    word = next_word(words);
    if (!read_outcome(word, &outcome) || script->spells_count == SPELLS_MAX) {
        scenario_complain(words->scenario, "no outcome, or one too many:", word);
        return;
    }
    spell.manner = manner_of(outcome);
    read_manner(words, &spell.manner);
    kept = script_add(script, spell.from, spell.until, &spell.manner);
    kept->percent = spell.percent;
    kept->period_ms = spell.period_ms;
    kept->on_ms = spell.on_ms;
}

/* limit N per D [first D] [hints] [reports] */
static void read_quota(struct words *words, struct quota *quota)
{
    quota->count = next_number32(words);
    if (!take_word(words, "per")) {
        scenario_complain(words->scenario, "per what? after", words->list[words->at - 1]);
    }
    quota->window_ms = next_ms32(words);
    quota->offset_ms = quota->window_ms;
    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = next_word(words);

        if (is_word(word, "first")) {
            quota->offset_ms = next_ms32(words);
        } else if (is_word(word, "hints")) {
            quota->tells_hint = true;
        } else if (is_word(word, "reports")) {
            quota->tells_left = true;
        } else {
            scenario_complain(words->scenario, "a limit has no", word);
        }
    }
}

static void read_target_line(struct words *words, size_t place)
{
    struct script *script = &words->scenario->world.scripts[place];
    struct span word = next_word(words);

    if (is_word(word, "usually")) {
        read_manner(words, &script->usual);
    } else if (is_word(word, "from")) {
        read_spell(words, script);
    } else if (is_word(word, "limit")) {
        read_quota(words, &script->quota);
    } else if (is_word(word, "reuses")) {
        script->reuse_percent = (uint8_t)next_number(words);
    } else {
        scenario_complain(words->scenario, "a target does not", word);
    }
}

/* ---- the route, the doors, the ledger ---- */

static void read_commit(struct words *words, struct commit_rule *commit)
{
    struct span word = next_word(words);

    if (is_word(word, "first_content")) {
        commit->mode = COMMIT_FIRST_CONTENT;
    } else if (is_word(word, "complete")) {
        commit->mode = COMMIT_COMPLETE;
    } else if (is_word(word, "after")) {
        *commit = (struct commit_rule){.mode = COMMIT_AFTER, .value = next_ms32(words)};
    } else if (is_word(word, "tokens")) {
        *commit = (struct commit_rule){.mode = COMMIT_TOKENS, .value = next_number32(words)};
    } else {
        scenario_complain(words->scenario, "no way to commit:", word);
    }
}

static void read_ambiguous(struct words *words, struct retry_rule *retry)
{
    static const char *const names[] = {"never", "once", "always"};
    struct span word = next_word(words);

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (is_word(word, names[i])) {
            retry->ambiguous = (enum ambiguous_rule)i;
            return;
        }
    }
    scenario_complain(words->scenario, "not never, once or always:", word);
}

static bool read_time_of_route(struct words *words, struct route *route, struct span word)
{
    const struct {
        const char *name;
        uint32_t *place;
    } times[] = {
        {"head", &route->timeouts.head_ms},
        {"first_content", &route->timeouts.first_content_ms},
        {"idle", &route->timeouts.idle_ms},
        {"content_idle", &route->timeouts.content_idle_ms},
        {"total", &route->timeouts.total_ms},
        {"stream_total", &route->timeouts.stream_total_ms},
        {"early_head", &route->timeouts.early_head_ms},
        {"hedge_after", &route->hedge_after_ms},
        {"wait", &route->retry.wait_ms},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
        if (is_word(word, times[i].name)) {
            *times[i].place = next_ms32(words);
            return true;
        }
    }
    return false;
}

static void read_route(struct words *words)
{
    struct route *route = &words->scenario->world.house.route;

    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = next_word(words);

        if (read_time_of_route(words, route, word)) {
            continue;
        }
        if (is_word(word, "attempts")) {
            route->retry.attempts = next_number32(words);
        } else if (is_word(word, "per_target")) {
            route->retry.attempts_per_target = next_number32(words);
        } else if (is_word(word, "no_panic")) {
            route->panics = false;
        } else if (is_word(word, "commit")) {
            read_commit(words, &route->commit);
        } else if (is_word(word, "ambiguous")) {
            read_ambiguous(words, &route->retry);
        } else if (is_word(word, "strategy")) {
            route->strategy = strategy_by_name(next_word(words));
            if (route->strategy == NULL) {
                scenario_complain(words->scenario, "no strategy:", words->list[words->at - 1]);
            }
        } else {
            scenario_complain(words->scenario, "a route has no", word);
        }
    }
}

static void read_breaker(struct words *words)
{
    struct trip_rule rule = words->scenario->world.house.providers[0].breaker;

    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = next_word(words);

        if (is_word(word, "failures")) {
            rule.failures = next_number32(words);
        } else if (is_word(word, "open")) {
            rule.open_ms = next_ms32(words);
        } else {
            scenario_complain(words->scenario, "a breaker has no", word);
        }
    }
    for (size_t i = 0; i < HOUSE_TARGETS_MAX; i++) {
        words->scenario->world.house.providers[i].breaker = rule;
    }
}

static void read_ledger(struct words *words)
{
    struct ledger_script *ledger = &words->scenario->world.ledger;

    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = next_word(words);

        if (is_word(word, "late")) {
            ledger->late_ms = next_ms32(words);
            ledger->late_percent = 100;
        } else if (is_word(word, "denies")) {
            ledger->deny_percent = (uint8_t)next_number(words);
        } else {
            scenario_complain(words->scenario, "a ledger does not", word);
        }
    }
}

/* ---- calls ---- */

static uint32_t group_of(struct scenario *scenario, struct span word, bool is_new)
{
    size_t i = find_name(scenario->groups, scenario->groups_count, word);

    if (i < scenario->groups_count) {
        return (uint32_t)i;
    }
    if (!is_new || i == GROUPS_MAX) {
        scenario_complain(scenario, is_new ? "too many names for calls:" : "no call is named",
                          word);
        return 0;
    }
    keep_name(scenario, scenario->groups[i], word);
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
    struct ask ask = {.tag = group_of(scenario, next_word(words), true)};
    struct span kind = next_word(words);

    ask.is_stream = is_word(kind, "stream");
    if (!ask.is_stream && !is_word(kind, "whole")) {
        scenario_complain(scenario, "not whole, no stream:", kind);
    }
    while (words->at < words->count && scenario_is_fine(scenario)) {
        struct span word = next_word(words);

        if (is_word(word, "deadline")) {
            ask.deadline_ms = next_ms32(words);
        } else if (is_word(word, "patience")) {
            ask.patience_ms = next_ms32(words);
        } else if (is_word(word, "leaves")) {
            ask.leaves_ms = next_ms32(words);
        } else if (is_word(word, "session")) {
            ask.session = next_word(words);
        } else if (is_word(word, "once")) {
            ask.no_failover = true;
        } else if (is_word(word, "short")) {
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
    mono_ms at = next_ms(words);
    struct ask ask;

    if (!take_word(words, "call")) {
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
    uint64_t gap = next_ms(words);
    mono_ms from = 0;
    mono_ms until = 0;
    struct ask ask;

    if (gap == 0 || !take_word(words, "from")) {
        scenario_complain(words->scenario, "from when? after", words->list[words->at - 1]);
        return;
    }
    from = next_ms(words);
    if (!take_word(words, "until")) {
        scenario_complain(words->scenario, "until when? after", words->list[words->at - 1]);
        return;
    }
    until = next_ms(words);
    if (!take_word(words, "call") || until == MONO_NEVER) {
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
    expect->from = next_ms(words);
    if (!take_word(words, "until")) {
        scenario_complain(words->scenario, "until when? after", words->list[words->at - 1]);
    }
    expect->until = next_ms(words);
}

/* N, most N, least N */
static void read_range(struct words *words, struct expect *expect)
{
    bool is_most = take_word(words, "most");
    bool is_least = !is_most && take_word(words, "least");
    uint64_t number = next_number(words);

    expect->attempts_least = is_most ? 0 : number;
    expect->attempts_most = is_least ? UINT64_MAX : number;
}

static bool read_ended(struct span word, enum ended *ended)
{
    static const char *const names[] = {"", "finish", "fail", "cut", "left"};

    for (size_t i = 1; i < ARRAY_LENGTH(names); i++) {
        if (is_word(word, names[i])) {
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
    if (!read_ended(next_word(words), &expect->ended)) {
        scenario_complain(scenario, "no end of a call:", words->list[words->at - 1]);
    }
    while (words->at < words->count && scenario_is_fine(scenario)) {
        struct span word = next_word(words);

        if (is_word(word, "at")) {
            expect->place = next_target(words);
        } else if (is_word(word, "attempts")) {
            read_range(words, expect);
        } else if (is_word(word, "within")) {
            expect->within_ms = next_ms(words);
        } else if (is_word(word, "percent")) {
            expect->percent = next_number32(words);
        } else if (is_word(word, "from")) {
            read_span_of_time(words, expect);
        } else if (!expect->has_outcome && read_outcome(word, &expect->outcome)) {
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
    struct span word = next_word(words);

    expect->place = place;
    if (is_word(word, "ended")) {
        expect->has_outcome = true;
        if (!read_outcome(next_word(words), &expect->outcome)) {
            scenario_complain(words->scenario, "no outcome:", words->list[words->at - 1]);
        }
    }
    if (is_word(word, "attempts") || expect->has_outcome) {
        expect->kind = EXPECT_ATTEMPTS;
        read_range(words, expect);
        if (!take_word(words, "from")) {
            scenario_complain(words->scenario, "from when? after", words->list[words->at - 1]);
            return;
        }
        read_span_of_time(words, expect);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++) {
        if (is_word(word, states[i])) {
            expect->kind = EXPECT_STATE;
            expect->state = (enum state_word)i;
            if (!take_word(words, "at")) {
                scenario_complain(words->scenario, "when? after", word);
            }
            expect->from = next_ms(words);
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
    struct span name = next_word(words);
    size_t place = find_name(scenario->names, scenario->targets, name);

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
    struct span word = next_word(words);
    size_t place = find_name(scenario->names, scenario->targets, word);

    if (is_word(word, "story")) {
        return; /* it is for the reader */
    }
    if (is_word(word, "target")) {
        read_target(words);
    } else if (is_word(word, "route")) {
        read_route(words);
    } else if (is_word(word, "breaker")) {
        read_breaker(words);
    } else if (is_word(word, "ledger")) {
        read_ledger(words);
    } else if (is_word(word, "at")) {
        read_call(words);
    } else if (is_word(word, "every")) {
        read_calls(words);
    } else if (is_word(word, "shutdown")) {
        scenario->shutdown_at = next_ms(words);
    } else if (is_word(word, "expect")) {
        read_expect(words);
    } else if (place < scenario->targets) {
        read_target_line(words, place);
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
