/* SPDX-License-Identifier: Apache-2.0 */
/* What a story begins with: who is there, what ails them, by which rules. */
#include "tests/sim/words.h"

#include "wire/hint.h"

/* ---- targets and their manners ---- */

void setting_target(struct words *words)
{
    struct scenario *scenario = words->scenario;
    struct house *house = &scenario->world.house;
    size_t i = scenario->targets;
    struct target *target = &house->targets[i];

    if (i == HOUSE_TARGETS_MAX) {
        scenario_complain(scenario, "too many targets at", words->list[0]);
        return;
    }
    words_keep_name(scenario, scenario->names[i], words_next(words));
    while (words->at < words->count && scenario_is_fine(scenario)) {
        struct span word = words_next(words);

        if (word_is(word, "host_of")) {
            house->providers[i].endpoint.index =
                house->targets[words_target(words)].provider->endpoint.index;
        } else if (word_is(word, "key_of")) {
            target->provider = house->targets[words_target(words)].provider;
        } else if (word_is(word, "model")) {
            target->model = words_next(words);
        } else if (word_is(word, "tier")) {
            target->tier = words_number32(words);
        } else if (word_is(word, "weight")) {
            target->weight = words_number32(words);
        } else if (word_is(word, "context")) {
            target->context = words_number(words);
        } else {
            scenario_complain(scenario, "a target has no", word);
        }
    }
    scenario->targets++;
}

static const char *const stages[] = {"connect", "write", "head", "body", "stream"};

static void read_stage(struct words *words, struct manner *manner)
{
    struct span word = words_next(words);

    for (size_t i = 0; i < ARRAY_LENGTH(stages); i++) {
        if (word_is(word, stages[i])) {
            manner->stage = (enum stage)i;
            return;
        }
    }
    scenario_complain(words->scenario, "no stage is called", word);
}

static void read_manner(struct words *words, struct manner *manner)
{
    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = words_next(words);

        if (word_is(word, "hangs")) {
            manner->hangs = true;
        } else if (word_is(word, "never_ends")) {
            manner->never_ends = true;
        } else if (word_is(word, "in")) {
            read_stage(words, manner);
        } else if (word_is(word, "hint")) {
            manner->hint_ms = (int64_t)words_ms(words);
        } else if (word_is(word, "quota_back")) {
            manner->quota_ms = words_ms(words);
        } else if (word_is(word, "should_retry")) {
            manner->should_retry = word_is(words_next(words), "yes") ? 1 : 0;
        } else if (word_is(word, "pieces")) {
            manner->pieces = (uint8_t)words_number(words);
        } else if (word_is(word, "connect_takes")) {
            manner->connect_ms = words_ms32(words);
        } else if (word_is(word, "head_after")) {
            manner->head_ms = words_ms32(words);
        } else if (word_is(word, "content_after")) {
            manner->content_ms = words_ms32(words);
        } else if (word_is(word, "gap")) {
            manner->gap_ms = words_ms32(words);
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

    spell.from = words_ms(words);
    if (!words_take(words, "until")) {
        scenario_complain(words->scenario, "until when? after", words->list[words->at - 1]);
    }
    spell.until = words_ms(words);
    if (words_take(words, "each")) {
        spell.period_ms = words_ms32(words);
        if (!words_take(words, "on")) {
            scenario_complain(words->scenario, "on for how long? after",
                              words->list[words->at - 1]);
        }
        spell.on_ms = words_ms32(words);
    }
    if (words_take(words, "percent")) {
        spell.percent = words_number32(words);
    }
    word = words_next(words);
    if (!words_outcome(word, &outcome) || script->spells_count == SPELLS_MAX) {
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
    quota->count = words_number32(words);
    if (!words_take(words, "per")) {
        scenario_complain(words->scenario, "per what? after", words->list[words->at - 1]);
    }
    quota->window_ms = words_ms32(words);
    quota->offset_ms = quota->window_ms;
    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = words_next(words);

        if (word_is(word, "first")) {
            quota->offset_ms = words_ms32(words);
        } else if (word_is(word, "hints")) {
            quota->tells_hint = true;
        } else if (word_is(word, "reports")) {
            quota->tells_left = true;
        } else {
            scenario_complain(words->scenario, "a limit has no", word);
        }
    }
}

void setting_target_line(struct words *words, size_t place)
{
    struct script *script = &words->scenario->world.scripts[place];
    struct span word = words_next(words);

    if (word_is(word, "usually")) {
        read_manner(words, &script->usual);
    } else if (word_is(word, "from")) {
        read_spell(words, script);
    } else if (word_is(word, "limit")) {
        read_quota(words, &script->quota);
    } else if (word_is(word, "reuses")) {
        script->reuse_percent = (uint8_t)words_number(words);
    } else {
        scenario_complain(words->scenario, "a target does not", word);
    }
}

/* ---- the route, the doors, the ledger ---- */

static void read_commit(struct words *words, struct commit_rule *commit)
{
    struct span word = words_next(words);

    if (word_is(word, "first_content")) {
        commit->mode = COMMIT_FIRST_CONTENT;
    } else if (word_is(word, "complete")) {
        commit->mode = COMMIT_COMPLETE;
    } else if (word_is(word, "after")) {
        *commit = (struct commit_rule){.mode = COMMIT_AFTER, .value = words_ms32(words)};
    } else if (word_is(word, "tokens")) {
        *commit = (struct commit_rule){.mode = COMMIT_TOKENS, .value = words_number32(words)};
    } else {
        scenario_complain(words->scenario, "no way to commit:", word);
    }
}

static void read_ambiguous(struct words *words, struct retry_rule *retry)
{
    static const char *const names[] = {"never", "once", "always"};
    struct span word = words_next(words);

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (word_is(word, names[i])) {
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
        if (word_is(word, times[i].name)) {
            *times[i].place = words_ms32(words);
            return true;
        }
    }
    return false;
}

void setting_route(struct words *words)
{
    struct route *route = &words->scenario->world.house.route;

    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = words_next(words);

        if (read_time_of_route(words, route, word)) {
            continue;
        }
        if (word_is(word, "attempts")) {
            route->retry.attempts = words_number32(words);
        } else if (word_is(word, "per_target")) {
            route->retry.attempts_per_target = words_number32(words);
        } else if (word_is(word, "no_panic")) {
            route->panics = false;
        } else if (word_is(word, "commit")) {
            read_commit(words, &route->commit);
        } else if (word_is(word, "ambiguous")) {
            read_ambiguous(words, &route->retry);
        } else if (word_is(word, "strategy")) {
            route->strategy = strategy_by_name(words_next(words));
            if (route->strategy == NULL) {
                scenario_complain(words->scenario, "no strategy:", words->list[words->at - 1]);
            }
        } else {
            scenario_complain(words->scenario, "a route has no", word);
        }
    }
}

void setting_breaker(struct words *words)
{
    struct trip_rule rule = words->scenario->world.house.providers[0].breaker;

    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = words_next(words);

        if (word_is(word, "failures")) {
            rule.failures = words_number32(words);
        } else if (word_is(word, "open")) {
            rule.open_ms = words_ms32(words);
        } else {
            scenario_complain(words->scenario, "a breaker has no", word);
        }
    }
    for (size_t i = 0; i < HOUSE_TARGETS_MAX; i++) {
        words->scenario->world.house.providers[i].breaker = rule;
    }
}

void setting_ledger(struct words *words)
{
    struct ledger_script *ledger = &words->scenario->world.ledger;

    while (words->at < words->count && scenario_is_fine(words->scenario)) {
        struct span word = words_next(words);

        if (word_is(word, "late")) {
            ledger->late_ms = words_ms32(words);
            ledger->late_percent = 100;
        } else if (word_is(word, "denies")) {
            ledger->deny_percent = (uint8_t)words_number(words);
        } else {
            scenario_complain(words->scenario, "a ledger does not", word);
        }
    }
}
