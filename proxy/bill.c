/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to a charge, a cost and a record's members. */
#include "proxy/bill.h"

#include "router/cost.h"

enum { PICO_PER_NANO = 1000, BELIEVED_TIMES = 10 };

static void price_usage(const struct bill_terms *terms, const struct price *price,
                        const struct usage *usage, struct cost *cost)
{
    struct price_terms how = price_terms_of(usage, terms->provider->prices.region, terms->at);

    price_cost(price, usage, &how, cost);
}

static bool costs_nothing(const struct charge *charge)
{
    switch (charge->what) {
    case CHARGE_FREE:
    case CHARGE_UNSENT:
    case CHARGE_REFUSED:
    case CHARGE_REPLAYED: return true;
    case CHARGE_AMBIGUOUS: return usage_input_all(&charge->usage) < 0;
    case CHARGE_UNREAD:
    case CHARGE_COMPLETE:
    case CHARGE_COMPLETE_UNTOLD:
    case CHARGE_CANCELLED:
    case CHARGE_DRAINED:
    case CHARGE_REFUSED_TOLD:
    case CHARGE_CRASHED:
    case CHARGE_BROKEN:
    case CHARGE_HEDGE_LOST:
    case CHARGE_CUT:
    case CHARGE_REPORTED:
    case CHARGE_CASES: return false;
    }
    return false;
}

/* The hold in place of a cost that nobody knows. */
static void charge_hold(const struct bill_hold *hold, struct bill *bill)
{
    bill->cost = (struct cost){.nano = hold->nano,
                               .pico = hold->nano > INT64_MAX / PICO_PER_NANO
                                           ? INT64_MAX
                                           : hold->nano * PICO_PER_NANO};
    bill->is_priced = true;
    bill->charge.is_estimated = true;
    bill->charge.provenance = PROVENANCE_ESTIMATED;
}

/* A usage far beyond what the request can have come to is a bug of the provider's, or an attack on the
 * budget (bad-input BU07). What it told stays in usage_raw. */
static bool is_beyond_belief(const struct bill_hold *hold, const struct usage *told)
{
    int64_t most = hold->input + hold->output;

    return hold->is_held && most > 0 && usage_tokens(told) / BELIEVED_TIMES > most;
}

static void disbelieve(const struct bill_hold *hold, struct bill *bill)
{
    struct usage *usage = &bill->charge.usage;

    usage_init(usage);
    usage->tokens[TOKENS_INPUT] = hold->input;
    usage->tokens[TOKENS_OUTPUT] = hold->output;
    usage->is_anomalous = true;
    bill->is_beyond_belief = true;
    charge_hold(hold, bill);
}

void bill_make(const struct bill_terms *terms, const struct charge_facts *facts, struct bill *bill)
{
    *bill = (struct bill){.price = NULL};
    charge_of(facts, &bill->charge);
    if (terms->provider->prices.list.len > 0) {
        bill->price = book_find_either(&terms->snapshot->prices, terms->provider->prices.list,
                                       terms->answered,
                                       cost_model(terms->provider, terms->asked), terms->at);
    }
    if (costs_nothing(&bill->charge)) {
        bill->is_priced = true;
    } else if (bill->price != NULL && bill->charge.what != CHARGE_UNREAD) {
        bill->is_priced = true;
        price_usage(terms, bill->price, &bill->charge.usage, &bill->cost);
    }
    if (is_beyond_belief(&terms->hold, &bill->charge.usage)) {
        disbelieve(&terms->hold, bill);
    } else if (terms->hold.is_held && terms->hold.pays_ambiguous &&
               (bill->charge.what == CHARGE_AMBIGUOUS || bill->charge.what == CHARGE_CRASHED) &&
               bill->price != NULL) {
        charge_hold(&terms->hold, bill);
    }
    if (bill->price != NULL && usage_input_all(&bill->charge.exposed) >= 0) {
        price_usage(terms, bill->price, &bill->charge.exposed, &bill->exposed);
    }
}

static void put_flags(const struct bill *bill, struct record *record)
{
    const struct {
        bool is_set;
        enum record_flag flag;
    } rows[] = {
        {bill->charge.is_estimated, RECORD_FLAG_ESTIMATED},
        {bill->charge.is_untold, RECORD_FLAG_USAGE_MISSING},
        {bill->charge.what == CHARGE_AMBIGUOUS, RECORD_FLAG_AMBIGUOUS},
        {bill->charge.usage.has_other_models, RECORD_FLAG_OTHER_MODEL},
        {bill->charge.usage.is_anomalous, RECORD_FLAG_USAGE_ANOMALY},
        {bill->is_priced && bill->cost.tier_unpriced, RECORD_FLAG_TIER_UNPRICED},
        {bill->is_priced && bill->cost.class_unpriced, RECORD_FLAG_CLASS_UNPRICED},
        {bill->is_priced && bill->cost.saturated, RECORD_FLAG_SATURATED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].is_set) {
            record_flag(record, rows[i].flag);
        }
    }
}

void bill_put(const struct bill *bill, const struct bill_terms *terms, struct buf *name,
              struct record *record)
{
    const struct usage *usage = &bill->charge.usage;

    memcpy(record->tokens, usage->tokens, sizeof record->tokens);
    memcpy(record->fees, usage->fees, sizeof record->fees);
    record->numbers[RECORD_REASONING] = usage->reasoning;
    record->texts[RECORD_CHARGE] = span_of(charge_word(bill->charge.what));
    record->texts[RECORD_PROVENANCE] =
        bill->is_priced ? span_of(provenance_word(bill->charge.provenance)) : SPAN_OF("unpriced");
    record->texts[RECORD_TIER] = usage_word_span(&usage->tier);
    record->texts[RECORD_REGION] =
        usage->region.len > 0 ? usage_word_span(&usage->region) : terms->provider->prices.region;
    put_flags(bill, record);
    if (bill->is_priced) {
        record->numbers[RECORD_COST] = bill->cost.pico;
        record->numbers[RECORD_CHARGED] = bill->cost.nano;
    }
    if (bill->price != NULL) {
        buf_clear(name);
        book_put_row_name(name, bill->price);
        record->texts[RECORD_PRICE] = buf_span(name);
        record->texts[RECORD_PRICES] = book_version(&terms->snapshot->prices);
        if (bill->charge.what == CHARGE_AMBIGUOUS) {
            record->numbers[RECORD_EXPOSED] = bill->exposed.nano;
        }
    }
}

/* ---- after a crash ---- */

static const struct provider *provider_of(const struct snapshot *snapshot, struct span name)
{
    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        if (span_equal(snapshot->routing.providers[i].name, name)) {
            return &snapshot->routing.providers[i];
        }
    }
    return NULL;
}

static enum charge_phase phase_of(struct span word)
{
    for (int i = CHARGE_PHASE_UNSENT; i <= CHARGE_PHASE_CONTENT; i++) {
        if (span_equal(word, span_of(charge_phase_word((enum charge_phase)i, false)))) {
            return (enum charge_phase)i;
        }
    }
    return CHARGE_PHASE_UNSENT;
}

static enum charge_operation operation_of(struct span name)
{
    return span_equal(name, SPAN_OF("pass"))           ? CHARGE_NOT_READ
           : span_equal(name, SPAN_OF("count_tokens")) ? CHARGE_COSTS_NOTHING
                                                       : CHARGE_METERED;
}

void bill_crash(const struct snapshot *snapshot, struct buf *name, struct record *record)
{
    static const struct provider unknown = {.index = 0};
    struct usage told;
    struct bill bill;
    struct bill_terms terms = {.snapshot = snapshot,
                               .provider = provider_of(snapshot, record->texts[RECORD_PROVIDER]),
                               .asked = record->texts[RECORD_MODEL],
                               .at = record->numbers[RECORD_AT]};
    struct charge_facts facts = {
        .operation = operation_of(record->texts[RECORD_OPERATION]),
        .end = CHARGE_END_CRASH,
        .phase = phase_of(record->texts[RECORD_PHASE]),
        .has_output = !span_equal(record->texts[RECORD_OPERATION], SPAN_OF("embeddings")),
        .told = &told,
        .input_estimate = record->numbers[RECORD_INPUT_ESTIMATE],
        .output_seen = record->numbers[RECORD_OUTPUT_SEEN]};

    if (terms.provider == NULL) { /* the settings no longer name it */
        terms.provider = &unknown;
    }
    /* It was sent, and nothing is known of what came of it: budgets reckon with the worst. */
    terms.hold = (struct bill_hold){.is_held = record->numbers[RECORD_HELD] > 0,
                                    .pays_ambiguous = facts.output_seen <= 0 &&
                                                      facts.phase != CHARGE_PHASE_UNSENT,
                                    .nano = record->numbers[RECORD_HELD]};
    usage_init(&told);
    bill_make(&terms, &facts, &bill);
    bill_put(&bill, &terms, name, record);
}
