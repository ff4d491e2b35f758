/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/budgets_shared.h"

#include "admin/settled.h"
#include "base/mem.h"
#include "base/text.h"
#include "proxy/budgets.h"
#include "proxy/call_hold.h"
#include "proxy/fetcher.h"
#include "proxy/files.h"
#include "proxy/journal.h"
#include "proxy/ledger_redis.h"

enum { SAVE_MS = 5000, FILE_MAX = 512, TURN_MS = 10, NAME_BYTES = 16, CLOCKS_MS = 3600000 };

/* How many crash records each part of the ledger will be told, in the order of the journal. */
struct crashed {
    struct crashed *next;
    uint64_t count;
    size_t len;
    char team[];
};

struct budgets_shared {
    struct env *env;
    struct fetcher *fetcher;
    struct ledger *ledger;
    struct ledger_redis_settings redis;
    struct loop_timer save;
    char path[FILES_PATH_MAX];
    char other[FILES_PATH_MAX];
    char name[REDIS_PROXY_MAX];
    uint64_t epoch;
    wall_ms settled_until; /* records held before this moment need not be told again */
    uint64_t cross;        /* crash records so far */
    struct crashed *teams;
    bool has_told_failure;
    bool misses_crashes;   /* some could not be numbered: what they held stays presumed */
    bool was_up;
};

/* ---- the file: "name epoch settled_until" ---- */

static bool save(struct budgets_shared *shared)
{
    struct buf text;
    bool is_good = false;

    buf_init(&text, FILE_MAX);
    buf_put_format(&text, "headgate-ledger-1 %s %llu %lld\n", shared->name,
                   (unsigned long long)shared->epoch, (long long)shared->settled_until);
    is_good = !text.failed && files_replace(shared->path, shared->other, buf_span(&text));
    buf_fini(&text);
    return is_good;
}

static void save_fire(struct loop_timer *timer, mono_ms now)
{
    struct budgets_shared *shared = LIST_OWNER(timer, struct budgets_shared, save);
    wall_ms until = ledger_redis_settled_until(shared->ledger);

    if (until > shared->settled_until) {
        shared->settled_until = until;
        if (!save(shared) && !shared->has_told_failure) {
            shared->has_told_failure = true;
            log_say(shared->env->log, LOG_WARN, "ledger_file",
                    "%s cannot be written: after a restart more is told again than need be",
                    shared->path);
        }
    }
    loop_timer_set(timer, mono_add(now, SAVE_MS));
}

static bool take_word(struct span *rest, struct span *word)
{
    *word = span_cut(rest, ' ');
    return word->len > 0;
}

static enum err parse(struct budgets_shared *shared, struct span text)
{
    struct span rest = text;
    struct span word;
    uint64_t number = 0;

    if (text.len == 0 || text.at[text.len - 1] != '\n') {
        return ERR_FORMAT;
    }
    rest.len--;
    if (!take_word(&rest, &word) || !span_equal(word, SPAN_OF("headgate-ledger-1")) ||
        !take_word(&rest, &word) || word.len >= sizeof shared->name) {
        return ERR_FORMAT;
    }
    memcpy(shared->name, word.at, word.len);
    shared->name[word.len] = '\0';
    if (!take_word(&rest, &word) || text_read_u64(word, &shared->epoch) != ERR_NONE ||
        text_read_u64(rest, &number) != ERR_NONE || number > INT64_MAX) {
        return ERR_FORMAT;
    }
    shared->settled_until = (wall_ms)number;
    return ERR_NONE;
}

static void draw_name(struct budgets_shared *shared)
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char chance[NAME_BYTES];

    loop_entropy(shared->env->loop, chance, sizeof chance);
    for (size_t i = 0; i < sizeof chance; i++) {
        shared->name[i] = letters[chance[i] % 32];
    }
    shared->name[sizeof chance] = '\0';
}

/* The number of this start is on the disk before it is used. */
static enum err begin_epoch(struct budgets_shared *shared, struct why *why)
{
    struct buf text;
    enum err err = ERR_NONE;

    buf_init(&text, FILE_MAX);
    err = files_read(span_of(shared->path), &text, why);
    if (err == ERR_NONE) {
        err = parse(shared, buf_span(&text));
        why_set(why, "%s is damaged: move it away, and order headgate budget rebuild once it runs",
                shared->path);
    } else if (err == ERR_MISSING) {
        draw_name(shared);
        err = ERR_NONE;
    }
    buf_fini(&text);
    shared->epoch++;
    if (err == ERR_NONE && !save(shared)) {
        why_set(why, "%s cannot be written", shared->path);
        err = ERR_SYSTEM;
    }
    return err;
}

/* ---- what operators are told ---- */

static void on_notice(void *to, enum ledger_redis_notice notice, struct span root, const char *text)
{
    static const struct {
        enum log_level level;
        const char *event;
        const char *says;
    } rows[] = {
#define LEDGER_NOTICE(name, event, level, text) [LEDGER_NOTICE_##name] = {LOG_##level, event, text},
#include "proxy/ledger_notices.def"
#undef LEDGER_NOTICE
    };
    struct calls *calls = to;
    struct log *log = calls->env->log;

    if (notice == LEDGER_NOTICE_UP) {
        calls->env->ports->shared->was_up = true;
    }
    log_begin(log, rows[notice].level, rows[notice].event, rows[notice].says);
    log_field(log, "proxy", span_of(calls->env->ports->shared->name));
    log_field(log, "part", root);
    log_field(log, "reason", span_of(text));
    log_end(log);
}

/* ---- begin ---- */

static enum err open_ledger(struct budgets_shared *shared, struct why *why)
{
    const struct snapshot *snapshot = shared->env->snapshot;
    const struct settings_ledger *settings = &snapshot->ledger;
    struct ledger_redis_ears ears = {.ledger = budgets_ears(shared->env), .on_notice = on_notice};

    shared->redis = (struct ledger_redis_settings){
        .topology = settings->is_cluster      ? REDIS_CLUSTER
                    : settings->sentinel.len > 0 ? REDIS_SENTINEL
                                                 : REDIS_SINGLE,
        .urls = settings->urls,
        .urls_count = settings->urls_count,
        .sentinel = settings->sentinel,
        .accept_volatile = settings->accepts_volatile,
        .budgets = &snapshot->budgets,
    };
    shared->fetcher = fetcher_new(shared->env->loop, snapshot);
    if (shared->fetcher != NULL) {
        shared->ledger = ledger_redis_new(shared->env->loop, shared->fetcher, &shared->redis,
                                          span_of(shared->name), shared->epoch, &ears);
    }
    why_set(why, "out of memory");
    return shared->ledger == NULL ? ERR_MEMORY : ERR_NONE;
}

enum err budgets_shared_begin(struct env *env, struct span folder, struct why *why)
{
    struct budgets_shared *shared = mem_take_zero(sizeof *shared);
    enum err err = ERR_NONE;

    why_set(why, "out of memory");
    if (shared == NULL) {
        return ERR_MEMORY;
    }
    shared->env = env;
    loop_timer_init(&shared->save, env->loop, save_fire);
    env->ports->shared = shared;
    if (!files_path(shared->path, folder, "ledger") ||
        !files_path(shared->other, folder, "ledger.new")) {
        why_set(why, "the state folder's path is too long");
        return ERR_SYSTEM;
    }
    err = begin_epoch(shared, why);
    if (err == ERR_NONE) {
        err = open_ledger(shared, why);
    }
    if (err == ERR_NONE) {
        env->ports->ledger_ops = &ledger_redis_ops;
        env->ports->ledger = shared->ledger;
        loop_timer_set(&shared->save, mono_add(loop_now(env->loop), SAVE_MS));
    }
    return err;
}

/* ---- what an earlier start left ---- */

static struct crashed *crashed_team(struct budgets_shared *shared, struct span team)
{
    struct crashed *at = shared->teams;

    while (at != NULL && !span_equal(span_make(at->team, at->len), team)) {
        at = at->next;
    }
    if (at == NULL) {
        at = mem_take_zero(sizeof *at + team.len);
        if (at != NULL) {
            mem_hand_over(sizeof *at + team.len);
            at->len = team.len;
            memcpy(at->team, team.at, team.len);
            at->next = shared->teams;
            shared->teams = at;
        }
    }
    return at;
}

/* The memory is this thread's until the end: the other one hands it over. */
void budgets_shared_crash(struct budgets_shared *shared, struct record *record)
{
    struct subject subject;
    struct crashed *team = NULL;
    struct chain chain;
    bool crosses = false;
    bool stays = false;

    if (!settled_is_held(record)) {
        return;
    }
    settled_subject(record, &subject);
    chain_make(&shared->env->snapshot->budgets, &subject, &chain);
    for (uint8_t i = 0; i < chain.count; i++) {
        bool is_crossing_one = scope_is_shared(chain.list[i].budget->scope.kind);

        crosses = crosses || is_crossing_one;
        stays = stays || !is_crossing_one;
    }
    team = stays ? crashed_team(shared, subject.values[SCOPE_TEAM]) : NULL;
    if (stays && team == NULL) {
        shared->misses_crashes = true;
        return;
    }
    record->numbers[RECORD_LEDGER_EPOCH] = (int64_t)shared->epoch;
    record->numbers[RECORD_LEDGER_CROSS] = crosses ? (int64_t)++shared->cross : 0;
    record->numbers[RECORD_LEDGER_TEAM] = team != NULL ? (int64_t)++team->count : 0;
}

/* What counts in the windows of now is what this process would bring to a server that knows nothing. */
static bool load(struct budgets_shared *shared, const struct chain *chain, struct span team,
                 const struct amounts *amounts, wall_ms held_at)
{
    wall_ms now = loop_wall(shared->env->loop);

    for (uint8_t i = 0; i < chain->count; i++) {
        const struct chain_link *link = &chain->list[i];

        if (held_at >= budget_open_since(link->budget, now) &&
            !ledger_redis_load(shared->ledger, team, link->budget, link->value, held_at,
                               amounts->of[link->budget->unit], 0)) {
            return false;
        }
    }
    return true;
}

/* What was settled so long before the last word of an earlier start is in Redis. Not so what a crash left: it was
 * booked by a later start, which may have crashed as well. */
static bool was_told(const struct budgets_shared *shared, const struct record *record)
{
    int64_t us = record->numbers[RECORD_BEGAN_US] + record->numbers[RECORD_TOTAL_US];

    return !record_has(record, RECORD_FLAG_PROXY_CRASH) && us >= 0 &&
           record->numbers[RECORD_AT] + us / 1000 < shared->settled_until;
}

/* Of nearly all lines no more is needed than what they count: they are older than what may be told again. False:
 * the whole record has to be read. */
static bool glance(const struct budgets_shared *shared, struct span line, struct buf *text,
                   struct record *record)
{
    return record_glance(line, text, record) && record->numbers[RECORD_LEDGER_EPOCH] < (int64_t)shared->epoch && was_told(shared, record);
}

static bool tell(struct budgets_shared *shared, const struct record *record)
{
    uint64_t epoch = record->numbers[RECORD_LEDGER_EPOCH] > 0
                         ? (uint64_t)record->numbers[RECORD_LEDGER_EPOCH]
                         : 0;
    struct ledger_redis_record told = {.record_id = record->texts[RECORD_ID],
                                       .held_at = record->numbers[RECORD_HELD_AT]};
    struct subject subject;
    struct chain chain;

    if (!settled_is_held(record)) {
        return true;
    }
    settled_subject(record, &subject);
    chain_make(&shared->env->snapshot->budgets, &subject, &chain);
    amounts_book(&told.actual, record->numbers[RECORD_CHARGED], record->tokens,
                 !span_equal(record->texts[RECORD_PHASE], SPAN_OF("unsent")));
    told.team = subject.values[SCOPE_TEAM];
    told.chain = &chain;
    if (chain.count == 0) {
        return true;
    }
    if (!load(shared, &chain, told.team, &told.actual, told.held_at)) {
        return false;
    }
    if (epoch == 0 || epoch > shared->epoch ||
        (epoch < shared->epoch && was_told(shared, record))) {
        return true;
    }
    if (epoch < shared->epoch) { /* under its old number: Redis knows whether it has it */
        told.epoch = epoch;
        told.numbers.cross = (uint64_t)record->numbers[RECORD_LEDGER_CROSS];
        told.numbers.team = (uint64_t)record->numbers[RECORD_LEDGER_TEAM];
    }
    return ledger_redis_resend(shared->ledger, &told);
}

/* From where on records count in a window that is open, or Redis may not have been told of them. With room for
 * clocks that differ. */
static bool find_begin(const struct budgets_shared *shared, struct span journal,
                       struct journal_place *at, struct why *why)
{
    const struct budgets *budgets = &shared->env->snapshot->budgets;
    wall_ms now = loop_wall(shared->env->loop);
    wall_ms since = shared->settled_until;
    char folder[JOURNAL_FOLDER_MAX];
    wall_ms from = 0;

    for (size_t i = 0; i < budgets->count; i++) {
        wall_ms open_since = budget_open_since(&budgets->list[i], now);

        since = open_since < since ? open_since : since;
    }
    if (journal.len >= sizeof folder) {
        why_set(why, "the journal's path is too long");
        return false;
    }
    memcpy(folder, journal.at, journal.len);
    folder[journal.len] = '\0';
    return journal_since(folder, since - CLOCKS_MS, at, &from, why);
}

enum err budgets_shared_tell(struct budgets_shared *shared, struct span journal, struct why *why)
{
    struct journal_reader *reader = journal_reader_new(journal);
    struct json_scan *scan = shared->env->scratch->scan;
    struct journal_place at = {0, 0};
    struct journal_place next;
    struct record record;
    struct span line;
    struct buf text;
    bool is_good = reader != NULL;

    for (struct crashed *team = shared->teams; team != NULL; team = team->next) {
        mem_take_over(sizeof *team + team->len);
    }
    why_set(why, "out of memory");
    buf_init(&text, 4 * RECORD_LINE_MAX);
    is_good = is_good && find_begin(shared, journal, &at, why);
    if (is_good) {
        why->text[0] = '\0';
        journal_reader_seek(reader, at);
    }
    while (is_good && journal_reader_next(reader, &line, &at, &next, why)) {
        bool is_old = false;

        buf_clear(&text);
        is_old = glance(shared, line, &text, &record);
        if (!is_old) {
            buf_clear(&text);
        }
        if (is_old || record_read_line(scan, line, &text, &record) == ERR_NONE) {
            is_good = tell(shared, &record);
            if (!is_good) {
                why_set(why, "there is no memory for its counters: more than 200,000 are not kept");
            }
        } /* else it is no record, and others tell of that */
    }
    is_good = is_good && why->text[0] == '\0';
    journal_reader_free(reader);
    buf_fini(&text);
    if (!shared->misses_crashes) {
        ledger_redis_resent(shared->ledger);
    }
    return is_good ? ERR_NONE : ERR_SYSTEM;
}

/* ---- while it runs, and the end ---- */

bool budgets_shared_was_up(const struct budgets_shared *shared)
{
    return shared->was_up;
}

static void give(struct budgets_shared *shared)
{
    struct crashed *next = NULL;

    for (struct crashed *at = shared->teams; at != NULL; at = next) {
        next = at->next;
        mem_give(at, sizeof *at + at->len);
    }
    loop_timer_fini(&shared->save);
    ledger_redis_free(shared->ledger);
    fetcher_free(shared->fetcher);
    mem_give(shared, sizeof *shared);
}

void budgets_shared_end(struct budgets_shared *shared, uint32_t ms)
{
    struct loop *loop = NULL;
    struct why why;
    mono_ms until = 0;

    if (shared == NULL) {
        return;
    }
    loop = shared->env->loop;
    if (shared->ledger != NULL) {
        loop_resume(loop);
        until = mono_add(loop_now(loop), ms);
        while (!ledger_redis_drain(shared->ledger) && loop_now(loop) < until &&
               ledger_redis_state(shared->ledger, &why) == LEDGER_UP) {
            (void)loop_turn(loop, TURN_MS);
        }
        save_fire(&shared->save, loop_now(loop));
    }
    give(shared);
}
