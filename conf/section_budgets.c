/* SPDX-License-Identifier: Apache-2.0 */
/* budgets: a list of limits, each with whom it counts for and when. budget_status. What they name has
 * been read before, as has the ledger. */
#include "conf/section.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/text.h"
#include "base/zone.h"
#include "conf/limit_fields.h"

/* A zone is read once, however many budgets name it. */
struct known_zone {
    struct zone zone;
    struct span name;
    struct known_zone *next;
};

struct draft {
    struct budget budget;
    uint32_t warm_up_ms;
    bool has_limit; /* it could be read, so there is a unit */
    struct known_zone **zones;
};

static void read_name(struct reader *reader, const struct node *node, void *object)
{
    limit_read_name(reader, node, "budget", &((struct draft *)object)->budget.name);
}

static bool has_any_scope(enum scope_kind kind)
{
    (void)kind;
    return true;
}

static void read_scope(struct reader *reader, const struct node *node, void *object)
{
    static const struct limit_scopes scopes = {has_any_scope, "is no scope", "global, trace and call"};

    limit_read_scope(reader, node, &scopes, &((struct draft *)object)->budget.scope);
}

/* ---- limit, allowance ---- */

#define COUNTS .max = BUDGET_COUNT_MAX, .range = "at least 1 and at most 9000000000000000"

static const struct limit_unit units[BUDGET_UNITS] = {
    [UNIT_MONEY] = {.word = SPAN("USD"),
                    .is_money = true,
                    .max = BUDGET_MONEY_MAX,
                    .range = "above 0 USD and at most 9000000 USD"},
    [UNIT_TOKENS] = {.word = SPAN("tokens"), COUNTS},
    [UNIT_REQUESTS] = {.word = SPAN("requests"), COUNTS},
};
static const struct limit_units amounts = {
    units, BUDGET_UNITS,
    "write it like 25 USD, 0.50 USD (at most nine decimals), 2000000 tokens or 1000 requests"};

static bool read_amount(struct reader *reader, const struct node *node, enum budget_unit *unit,
                        int64_t *amount)
{
    size_t index = 0;

    if (!limit_read_amount(reader, node, &amounts, &index, amount)) {
        return false;
    }
    *unit = (enum budget_unit)index;
    return true;
}

static void read_limit(struct reader *reader, const struct node *node, void *object)
{
    struct draft *draft = object;

    draft->has_limit = read_amount(reader, node, &draft->budget.unit, &draft->budget.limit);
}

static void read_allowance(struct reader *reader, const struct node *node, void *object)
{
    struct draft *draft = object;
    enum budget_unit unit = UNIT_MONEY;

    if (read_amount(reader, node, &unit, &draft->budget.allowance) && draft->has_limit &&
        unit != draft->budget.unit) {
        reader_complain(reader, node->place, "must be in %s, as the limit is",
                        budget_unit_word(draft->budget.unit));
    }
}

/* ---- window, zone ---- */

static const char window_form[] =
    "windows: minute, hour, day, week, month, year, total, or rolling:24h for the last 24 hours";

static void read_window(struct reader *reader, const struct node *node, void *object)
{
    struct draft *draft = object;
    struct span text = {NULL, 0};
    enum err err = ERR_NONE;

    if (!reader_text(reader, node, &text)) {
        return;
    }
    err = window_read(text, &draft->budget.window);
    if (err == ERR_RANGE) {
        reader_complain(reader, node->place,
                        "must be rolling:1m to rolling:366d, in whole minutes");
    } else if (err != ERR_NONE) {
        complaint_help(reader_complain(reader, node->place, "is no window"), "%s", window_form);
    }
}

/* NULL after a complaint. */
static struct known_zone *load_zone(struct reader *reader, const struct node *node,
                                    struct span name, struct buf *file)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX] = ZONE_FOLDER;
    struct known_zone *known = reader_take(reader, sizeof *known);
    struct why why = {"nothing is called so"};
    enum err err = ERR_MISSING;

    if (known == NULL) {
        return NULL;
    }
    known->name = name;
    if (zone_name_is_good(name)) {
        memcpy(path + sizeof ZONE_FOLDER - 1, name.at, name.len);
        err = reader->world->file(reader->world->to,
                                  span_make(path, sizeof ZONE_FOLDER - 1 + name.len), file, &why);
    }
    if (err == ERR_NONE) {
        /* The zone borrows the bytes, and the buffer ends here. */
        err = zone_read(&known->zone, arena_copy(reader->arena, buf_span(file)));
        why_set(&why, "%s is not understood", path);
    }
    if (err == ERR_NONE && !reader->arena->failed) {
        return known;
    }
    if (err == ERR_MEMORY || reader->arena->failed) {
        reader->has_no_memory = true;
        return NULL;
    }
    complaint_help(
        reader_complain(reader, node->place, "is no zone: %s", why.text),
        "zones are written like Europe/Berlin, and UTC is always known; if none is found, install "
        "the package tzdata");
    return NULL;
}

static void read_zone(struct reader *reader, const struct node *node, void *object)
{
    struct draft *draft = object;
    struct known_zone *known = *draft->zones;
    struct span name = {NULL, 0};
    struct buf file;

    if (!reader_text(reader, node, &name) || span_equal(name, SPAN_OF("UTC"))) {
        return;
    }
    while (known != NULL && !span_equal(known->name, name)) {
        known = known->next;
    }
    if (known == NULL) {
        buf_init(&file, ZONE_FILE_MAX);
        known = load_zone(reader, node, name, &file);
        buf_fini(&file);
        if (known == NULL) {
            return;
        }
        known->next = *draft->zones;
        *draft->zones = known;
    }
    draft->budget.window.zone = &known->zone;
    draft->budget.window.zone_mark = crc32c(name);
}

static const struct span weekdays[] = {SPAN("monday"), SPAN("tuesday"),  SPAN("wednesday"),
                                       SPAN("thursday"), SPAN("friday"), SPAN("saturday"),
                                       SPAN("sunday")};

static void read_week_begins(struct reader *reader, const struct node *node, void *object)
{
    static const struct field row = {
        .type = FIELD_WORD, .words = weekdays, .words_count = ARRAY_LENGTH(weekdays)};
    struct draft *draft = object;
    uint32_t day = 0;

    reader_value(reader, node, &row, &day);
    draft->budget.window.week_begins = (uint8_t)day;
}

/* ---- warn_at ---- */

static bool read_percent(struct reader *reader, const struct node *node, struct span text,
                         void *item)
{
    uint8_t *percents = item;
    unsigned percent = 0;

    if (text_read_percent(text, &percent) != ERR_NONE || percent < 1) {
        complaint_help(reader_complain(reader, node->place, "must be 1%% to 100%%"),
                       "percentages are written like 50%%");
        return false;
    }
    *percents = (uint8_t)percent;
    return true;
}

static void read_warn_at(struct reader *reader, const struct node *node, void *object)
{
    struct budget *budget = &((struct draft *)object)->budget;
    void *items = NULL;
    size_t count = 0;

    if (node->kind == NODE_LIST && node->count > BUDGET_WARNINGS_MAX) {
        reader_complain(reader, node->place, "must be at most 8 percentages");
        return;
    }
    reader_items(reader, node, read_percent, sizeof(uint8_t), &items, &count);
    for (size_t i = 0; i < count; i++) {
        budget->warn_at[i] = ((const uint8_t *)items)[i];
        if (i > 0 && budget->warn_at[i] <= budget->warn_at[i - 1]) {
            reader_complain(reader, node->place, "must rise from one to the next");
            return;
        }
    }
    budget->warn_count = (uint8_t)count;
}

/* ---- one budget ---- */

static const struct span mode_words[] = {SPAN("enforce"), SPAN("warn"), SPAN("shadow")};
static const struct span bound_words[] = {SPAN("strict"), SPAN("learned")};
static const struct span low_words[] = {SPAN("clamp"), SPAN("deny")};
static const struct span overrun_words[] = {SPAN("cut"), SPAN("finish")};
static const struct span expiry_words[] = {SPAN("presume"), SPAN("release")};
static const struct span ambiguous_words[] = {SPAN("none"), SPAN("input"), SPAN("hold")};
static const struct span failure_words[] = {SPAN("closed"), SPAN("allowance"), SPAN("open")};

#define WORD_ROW(key, member, list, first, text)                                                   \
    {                                                                                              \
        .name = key, .type = FIELD_WORD, .place = offsetof(struct draft, budget.member),           \
        .words = list, .words_count = ARRAY_LENGTH(list), .initial = first, .help = text           \
    }

static const struct field rows[] = {
    {.name = "name",
     .type = FIELD_CUSTOM,
     .read = read_name,
     .is_required = true,
     .help = "what logs and refusals call it, and what its counters belong to"},
    {.name = "scope",
     .type = FIELD_CUSTOM,
     .read = read_scope,
     .is_required = true,
     .help = "whom it counts for: team, each one apart; team:growth, that one only"},
    {.name = "limit",
     .type = FIELD_CUSTOM,
     .read = read_limit,
     .is_required = true,
     .help = "25 USD, 2000000 tokens or 1000 requests"},
    {.name = "window",
     .type = FIELD_CUSTOM,
     .read = read_window,
     .help = "when it begins anew; none for the scopes trace and call"},
    {.name = "zone",
     .type = FIELD_CUSTOM,
     .read = read_zone,
     .initial = "UTC",
     .help = "whose clock the window goes by: Europe/Berlin"},
    {.name = "week_begins",
     .type = FIELD_CUSTOM,
     .read = read_week_begins,
     .initial = "monday",
     .help = "the first day of window: week"},
    WORD_ROW("mode", mode, mode_words, "enforce",
             "what does not fit is refused, let through and told of, or let through"),
    {.name = "warn_at",
     .type = FIELD_CUSTOM,
     .read = read_warn_at,
     .help = "shares of the limit that are told of: [50%, 80%]"},
    {.name = "warm_up",
     .type = FIELD_DURATION,
     .place = offsetof(struct draft, warm_up_ms),
     .initial = "0s",
     .min = "0s",
     .max = "45d",
     .help = "for so long it only warns"},
    WORD_ROW("bound", bound, bound_words, NULL,
             "what is set aside for input: the most it can be, or what calls were like"),
    WORD_ROW("on_low", on_low, low_words, "clamp",
             "when only a shorter answer fits: its cap is lowered, or the call refused"),
    WORD_ROW("on_overrun", on_overrun, overrun_words, "cut",
             "when an answer outgrows what is left"),
    WORD_ROW("on_expiry", on_expiry, expiry_words, "presume",
             "what a vanished headgate had set aside is spent, or free"),
    WORD_ROW("ambiguous_charge", ambiguous, ambiguous_words, NULL,
             "what a request costs that a provider may have run"),
    WORD_ROW("on_failure", on_failure, failure_words, NULL,
             "while the ledger cannot be asked"),
    {.name = "allowance",
     .type = FIELD_CUSTOM,
     .read = read_allowance,
     .help = "with on_failure: allowance, per headgate and outage"},
};

static const struct field_table budget_fields = FIELD_TABLE(rows);

/* What a key is when it is not written depends on others. */
static void fill_in(const struct reader *reader, const struct node *node, struct budget *budget)
{
    enum budget_failure usual = reader->snapshot->ledger.on_failure;
    bool enforces = budget->mode == BUDGET_ENFORCE;

    if (node_child(node, SPAN_OF("bound")) == NULL) {
        budget->bound = budget->scope.kind == SCOPE_CALL ? BOUND_LEARNED : BOUND_STRICT;
    }
    if (node_child(node, SPAN_OF("ambiguous_charge")) == NULL) {
        budget->ambiguous = enforces ? AMBIGUOUS_CHARGE_INPUT : AMBIGUOUS_CHARGE_NONE;
    }
    if (node_child(node, SPAN_OF("on_failure")) == NULL) {
        /* Nobody gives away money by a word that stands elsewhere. */
        budget->on_failure = !enforces                ? FAILURE_OPEN
                             : usual == FAILURE_OPEN ? FAILURE_CLOSED
                                                      : usual;
    }
}

/* The call counts them itself, and no ledger does. */
static void check_guard(struct reader *reader, const struct node *node)
{
    static const char *const keys[] = {"warn_at", "warm_up", "on_expiry", "on_failure", "allowance"};

    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        if (node_child(node, span_of(keys[i])) != NULL) {
            limit_complain_at(reader, node, keys[i], "does nothing here",
                              "leave it out: scope call ends with its call");
        }
    }
}

/* A key that would do nothing is one that somebody thinks does something. */
static void check_window(struct reader *reader, const struct node *node,
                         const struct budget *budget)
{
    enum window_kind kind = budget->window.kind;
    bool lives_briefly = budget->scope.kind == SCOPE_CALL || budget->scope.kind == SCOPE_TRACE;
    bool has_window = node_child(node, SPAN_OF("window")) != NULL;

    if (lives_briefly && has_window) {
        limit_complain_at(reader, node, "window", "must be left out for the scopes trace and call",
                    "they are counted for as long as they live");
    } else if (!lives_briefly && !has_window) {
        limit_complain_at(reader, node, "window", "is missing",
                    window_form);
    } else if ((kind == WINDOW_TOTAL || kind == WINDOW_ROLLING) &&
               node_child(node, SPAN_OF("zone")) != NULL) {
        limit_complain_at(reader, node, "zone", "does nothing here",
                    "only windows of the calendar, minute to year, begin by a clock");
    }
    if (kind != WINDOW_WEEK && node_child(node, SPAN_OF("week_begins")) != NULL) {
        limit_complain_at(reader, node, "week_begins", "does nothing here", "it is for window: week");
    }
    if (budget->scope.kind == SCOPE_CALL) {
        check_guard(reader, node);
    } else if (budget->on_failure == FAILURE_ALLOWANCE && budget->allowance == 0 &&
        node_child(node, SPAN_OF("allowance")) == NULL) {
        limit_complain_at(reader, node, "allowance", "is missing, which on_failure: allowance needs",
                    "allowance: 1 USD, per headgate and outage");
    }
}

static void add_up(struct reader *reader, const struct node *node, const struct budget *budget)
{
    struct budgets *budgets = &reader->snapshot->budgets;

    if (budget->mode != BUDGET_ENFORCE) {
        return;
    }
    if (!budgets->enforces) {
        reader->places.enforcing = node->place;
    }
    budgets->enforces = true;
    budgets->enforces_money = budgets->enforces_money || budget->unit == UNIT_MONEY;
}

static void read_budget(struct reader *reader, const struct node *node, size_t index, void *item,
                        void *to)
{
    struct draft draft = {.budget = {.index = (uint16_t)index}, .zones = to};
    size_t before = reader->complaints->count;

    draft.budget.window.kind = WINDOW_TOTAL;
    field_defaults(&budget_fields, &draft);
    reader_map(reader, node, &budget_fields, &draft);
    draft.budget.warm_up_ms = draft.warm_up_ms;
    if (node->kind == NODE_MAP && reader->complaints->count == before) {
        fill_in(reader, node, &draft.budget);
        check_window(reader, node, &draft.budget);
    }
    *(struct budget *)item = draft.budget;
    add_up(reader, node, item);
}

static void read_budgets(struct reader *reader, const struct node *node, void *object)
{
    static const struct limit_list kind = {"budgets", sizeof(struct budget), BUDGETS_MAX,
                                           read_budget};
    struct budgets *budgets = &((struct snapshot *)object)->budgets;
    struct known_zone *zones = NULL;
    void *items = NULL;

    budgets->count = limit_read_list(reader, node, &kind, &zones, &items);
    budgets->list = items;
}

/* ---- budget_status ---- */

static void read_status(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct span text = {NULL, 0};

    if (!reader_text(reader, node, &text)) {
        return;
    }
    if (span_equal(text, SPAN_OF("429"))) {
        snapshot->budget_status = 429;
    } else if (!span_equal(text, SPAN_OF("402"))) {
        reader_complain(reader, node->place, "must be 402 or 429");
    }
}

static const struct field fields[] = {
    {.name = "budgets",
     .type = FIELD_CUSTOM,
     .read = read_budgets,
     .help = "limits: [ { name: growth, scope: \"team:growth\", limit: 25 USD, window: day } ]"},
    {.name = "budget_status",
     .type = FIELD_CUSTOM,
     .read = read_status,
     .initial = "402",
     .help = "status of a call that a budget refuses; 429 for clients that know nothing else"},
};

const struct field_table section_budgets = FIELD_TABLE(fields);
