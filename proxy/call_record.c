/* SPDX-License-Identifier: Apache-2.0 */
/* The usage record of each attempt: opened before the request leaves, kept up to date while a
 * stream runs, finished when the attempt is over. What it is charged is told by usage/charge.h;
 * here the facts are gathered. */
#include "proxy/call_hold.h"
#include "proxy/call_translate.h"

#include "base/money.h"
#include "base/text.h"
#include "pricing/guess.h"
#include "proxy/bill.h"
#include "proxy/budgets.h"
#include "proxy/store.h"
#include "router/cost.h"

enum { STATUS_LEFT = 499 };

/* Of this many permille error nothing was learned yet. */
enum { ERROR_UNKNOWN = 1000, PICO_PER_TICK = 100 };

/* ---- what was asked of whom ---- */

static bool is_recorded(const struct call *call)
{
    return call->match.operation != NULL && call->match.operation->kind != OPERATION_MODELS;
}

static struct span model_of(const struct call *call)
{
    const struct target *target = call_target(call);

    return target->model.len > 0 ? target->model : buf_span(&call->model);
}

struct span call_record_id(const struct call *call, uint8_t number, char id[CALL_RECORD_ID_ROOM])
{
    size_t len = CALL_ID_LENGTH;

    memcpy(id, call->call_id, len);
    id[len++] = '-';
    if (number >= 10) {
        id[len++] = (char)('0' + number / 10);
    }
    id[len++] = (char)('0' + number % 10);
    return span_make(id, len);
}

static void put_call(const struct call *call, struct record *record)
{
    const struct call_head *head = &call->head;

    record->texts[RECORD_SOURCE] = SPAN_OF("headgate");
    record->texts[RECORD_CALL] = span_make(call->call_id, CALL_ID_LENGTH);
    record->texts[RECORD_REQUEST] = call_head_span(head, head->request_id);
    record->texts[RECORD_TRACE] = call_head_span(head, head->trace);
    record->texts[RECORD_TASK] = call_head_span(head, head->task);
    if (call->keyring != NULL) {
        record->texts[RECORD_KEY] = call->caller->name;
        record->texts[RECORD_TEAM] = call->caller->team;
        record->texts[RECORD_USER] = call_user(call);
    }
    record->texts[RECORD_TAGS] = call_head_span(head, head->tags);
    record->numbers[RECORD_AT] = call->facts.began_at;
    if (call->plan.route != NULL) {
        record->texts[RECORD_ROUTE] = call->plan.route->name;
    }
    record->texts[RECORD_DIALECT] = span_of(call->match.dialect->name);
    record->texts[RECORD_OPERATION] = span_of(call->match.operation->name);
    record->numbers[RECORD_STREAM] = call->request.is_stream;
    record->numbers[RECORD_BYTES_IN] = (int64_t)call->facts.bytes_in;
}

static void put_attempt(const struct call *call, struct record *record)
{
    struct span asked = buf_span(&call->model);
    struct span model = model_of(call);

    record->texts[RECORD_PROVIDER] = call_target(call)->provider->name;
    record->texts[RECORD_MODEL] = model;
    if (!span_equal(asked, model)) {
        record->texts[RECORD_MODEL_ASKED] = asked;
    }
    record->numbers[RECORD_ATTEMPT] = call->number;
    record->numbers[RECORD_BEGAN_US] = (int64_t)(call->facts.attempt_us - call->facts.began_us);
    if (call->match.operation->kind == OPERATION_CALL) {
        record->numbers[RECORD_INPUT_ESTIMATE] = call->input_guess.tokens;
        if (call->input_guess.error_permille < ERROR_UNKNOWN) {
            record->numbers[RECORD_ESTIMATE_ERROR] = call->input_guess.error_permille;
        }
    }
}

/* What was set aside, and what budgets say to it. */
static void put_hold(const struct call *call, uint8_t number, struct record *record)
{
    const struct call_hold *hold = call_hold_of(call, number);

    if (hold == NULL) {
        return;
    }
    record->numbers[RECORD_HELD] = hold->amounts.of[UNIT_MONEY];
    record->numbers[RECORD_HELD_AT] = hold->held_at;
    if (hold->stamp.epoch > 0) {
        record->numbers[RECORD_LEDGER_EPOCH] = (int64_t)hold->stamp.epoch;
        record->numbers[RECORD_LEDGER_CROSS] = (int64_t)hold->stamp.cross;
        record->numbers[RECORD_LEDGER_TEAM] = (int64_t)hold->stamp.team;
    }
    record->texts[RECORD_DECISION] =
        span_of(budget_decision_word((enum budget_decision)hold->decision));
    if (hold->by != NULL) {
        record->texts[RECORD_BUDGET] = hold->by->name;
    }
    if (hold->decision == DECISION_CLAMP) {
        record_flag(record, RECORD_FLAG_CLAMPED);
    }
    if (hold->is_fail_open) {
        record_flag(record, RECORD_FLAG_FAIL_OPEN);
    }
}

bool call_record_open(struct call *call)
{
    const struct guesses *guesses = call->env->ports->guesses;
    char id[CALL_RECORD_ID_ROOM];
    struct record record;

    call->slot = 0;
    if (!is_recorded(call)) {
        return true;
    }
    call->guess_key = guesses_key(guesses, call_target(call)->provider->name, model_of(call));
    call->input_guess = guesses_tokens(guesses, call->guess_key, GUESS_INPUT,
                                       call_asked_bytes(call, call->place));
    record_init(&record);
    put_call(call, &record);
    put_attempt(call, &record);
    put_hold(call, call->number, &record);
    record.texts[RECORD_ID] = call_record_id(call, call->number, id);
    return store_open(call->env->ports->store, &record, &call->slot);
}

/* ---- how much came ---- */

static int64_t told_output(const struct relay *relay)
{
    int64_t told = relay->mode == RELAY_STREAM ? relay->stream.meter.told[USAGE_OUTPUT] : -1;

    return told > 0 ? told : 0;
}

void call_record_progress(struct call *call)
{
    const struct stream *stream = &call->relay.stream;

    if (call->slot != 0) {
        struct inflight_progress progress = {.output_seen = (uint64_t)told_output(&call->relay) +
                                                            stream_events_untold(stream),
                                             .bytes = stream->content_bytes,
                                             .phase = CHARGE_PHASE_CONTENT};
        store_progress(call->env->ports->store, call->slot, &progress);
    }
    if (call->seen_next != 0) {
        int64_t late = (int64_t)(stream_bytes_untold(stream) * call->seen_ratio / SEEN_BYTES);
        int64_t seen = told_output(&call->relay) + late;

        if (seen > call->seen_next) {
            call_hold_extend(call, seen);
        }
    }
}

void call_record_sent(struct call *call)
{
    if (call->slot != 0 && call->relay.mode == RELAY_NOTHING) {
        struct inflight_progress progress = {.phase = CHARGE_PHASE_SENT};

        store_progress(call->env->ports->store, call->slot, &progress);
    }
}

/* Tokens of what came since the provider last told a figure. Until a ratio is known each event
 * counts for one token at least: nearly all servers send one or a few at a time. */
static int64_t late_tokens(const struct call *call)
{
    const struct stream *stream = &call->relay.stream;
    int64_t events = (int64_t)stream_events_untold(stream);
    struct guess guess = guesses_tokens(call->env->ports->guesses, call->guess_key, GUESS_STREAM,
                                        stream_bytes_untold(stream));

    return guess.error_permille == ERROR_UNKNOWN && guess.tokens < events ? events : guess.tokens;
}

/* Of a whole answer, as the provider sent it. */
static size_t whole_bytes(const struct relay *relay)
{
    return relay->whole_len > 0 ? relay->whole_len : relay->held.len;
}

static int64_t output_seen(const struct call *call)
{
    const struct relay *relay = &call->relay;

    if (relay->mode == RELAY_WHOLE) {
        return guesses_tokens(call->env->ports->guesses, call->guess_key, GUESS_WHOLE,
                              whole_bytes(relay))
            .tokens;
    }
    return relay->mode == RELAY_STREAM ? told_output(relay) + late_tokens(call) : 0;
}

static struct span answered_model(const struct relay *relay)
{
    return relay->mode == RELAY_STREAM ? stream_model(&relay->stream) : relay->answer.model;
}

/* ---- how it ended ---- */

static bool is_whole(const struct relay *relay)
{
    return relay->mode == RELAY_STREAM ? relay->stream.saw_terminal || relay->stream.saw_finish
                                       : relay->answer.is_json && relay->answer.has_result;
}

/* 304 and what is no status of HTTP say nothing of what was done with the request. */
static bool says_no(unsigned status)
{
    return status >= 300 && status < 600 && status != 304;
}

/* The provider's word, or something that is no answer: not a broken one. */
static bool is_no(const struct call *call, enum outcome outcome)
{
    const struct relay *relay = &call->relay;

    if (outcome == OUTCOME_TIMED_OUT) { /* 408: it may have run (faults C08) */
        return false;
    }
    return says_no(call->facts.upstream_status) || relay->is_foreign ||
           (relay->mode == RELAY_WHOLE && relay->answer.is_json) ||
           (relay->mode == RELAY_STREAM && relay->answer.error.is_present);
}

static enum charge_end end_of(const struct call *call, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_OK: return CHARGE_END_GOOD;
    case OUTCOME_APP_GONE:
        return call->drain != NULL && is_whole(&call->relay) ? CHARGE_END_GOOD
                                                             : CHARGE_END_CANCELLED;
    case OUTCOME_SHUTDOWN:
    case OUTCOME_DEADLINE:
    case OUTCOME_SLOW: return CHARGE_END_CANCELLED;
    case OUTCOME_HEDGE_LOST: return CHARGE_END_HEDGE;
    case OUTCOME_BUDGET: return CHARGE_END_BUDGET;
    default: return is_no(call, outcome) ? CHARGE_END_NO : CHARGE_END_BROKEN;
    }
}

static enum charge_phase phase_of(const struct call *call, enum attempt_phase phase)
{
    switch (phase) {
    case ATTEMPT_UNSENT: return CHARGE_PHASE_UNSENT;
    case ATTEMPT_SENT: return CHARGE_PHASE_SENT;
    case ATTEMPT_CONTENT: return CHARGE_PHASE_CONTENT;
    case ATTEMPT_HEADED: break;
    }
    /* Of a whole answer every byte is content. */
    return call->relay.mode == RELAY_WHOLE && call->relay.held.len > 0 ? CHARGE_PHASE_CONTENT
                                                                       : CHARGE_PHASE_HEADED;
}

static enum charge_operation operation_of(const struct call *call)
{
    switch (call->match.operation->kind) {
    case OPERATION_CALL: return CHARGE_METERED;
    case OPERATION_COUNT:
    case OPERATION_MODELS: return CHARGE_COSTS_NOTHING;
    case OPERATION_PASS: return CHARGE_NOT_READ;
    }
    return CHARGE_NOT_READ;
}

/* Whether nothing needs to be estimated: as nearly always. */
static bool is_told(const struct charge_facts *facts)
{
    return facts->end == CHARGE_END_GOOD && usage_input_all(facts->told) >= 0 &&
           (!facts->has_output || usage_output_all(facts->told) >= 0);
}

/* An input that is charged, or exposed, and was not told. */
static bool misses_input(const struct made *made)
{
    const struct charge *charge = &made->bill.charge;

    return usage_input_all(&made->told) < 0 &&
           (charge->is_estimated || usage_input_all(&charge->exposed) >= 0);
}

static void make(struct call *call, enum outcome outcome, enum attempt_phase phase,
                 struct made *made)
{
    const struct relay *relay = &call->relay;
    const struct operation *operation = relay->stream.operation;
    uint32_t events = relay->mode == RELAY_STREAM ? relay->stream.content_events : 0;
    struct chat_count count;

    made->told = relay->usage;
    if (relay->mode == RELAY_STREAM) {
        meter_usage(&relay->stream.meter, operation->input_holds_cache, &made->told);
    }
    made->terms = (struct bill_terms){
        .snapshot = call->snapshot,
        .provider = call_target(call)->provider,
        .asked = model_of(call),
        .answered = answered_model(relay),
        .at = call->facts.began_at,
    };
    made->facts = (struct charge_facts){
        .operation = operation_of(call),
        .end = end_of(call, outcome),
        .phase = phase_of(call, phase),
        .is_drained = call->drain != NULL,
        .has_output = operation->unfold != NULL || operation->read_event != NULL,
        .told = &made->told,
        .input_estimate = call->input_guess.tokens,
        .ambiguous = call_hold_ambiguous(call, &made->terms.hold),
    };
    if (!is_told(&made->facts)) {
        made->facts.output_seen = output_seen(call);
    }
    made->facts.chunk = events == 0 ? 1 : 1 + made->facts.output_seen / (int64_t)events;
    bill_make(&made->terms, &made->facts, &made->bill);
    made->is_counted =
        misses_input(made) &&
        call_count_input(call, cost_model(made->terms.provider, made->terms.asked), &count);
    if (made->is_counted) {
        made->count_error = count.error_permille;
        made->facts.input_estimate = (int64_t)count.tokens;
        bill_make(&made->terms, &made->facts, &made->bill);
    }
}

/* The same as the last time it was asked, or made now. */
static const struct made *made_of(struct call *call, const struct call_settled *settled)
{
    struct made *made = &call->env->calls->made;

    if (made->call_id != call->id || made->of.number != settled->number ||
        made->of.outcome != settled->outcome || made->of.phase != settled->phase) {
        made->call_id = call->id;
        made->of = *settled;
        make(call, (enum outcome)settled->outcome, (enum attempt_phase)settled->phase, made);
    }
    return made;
}

/* What a good answer told teaches how to estimate others. */
static void learn(const struct call *call, const struct made *made)
{
    struct guesses *guesses = call->env->ports->guesses;
    int64_t output = usage_output_all(&made->told);

    if (made->bill.charge.what != CHARGE_COMPLETE || made->told.is_anomalous) {
        return;
    }
    if (call->budget == NULL || call->budget->media.media == 0) { /* not of text and media in one */
        guesses_learn(guesses, call->guess_key, GUESS_INPUT, call_asked_bytes(call, call->place),
                      usage_input_all(&made->told));
    }
    guesses_learn(guesses, call->guess_key, GUESS_LENGTH, GUESS_ONE_ANSWER, output);
    if (call->relay.mode == RELAY_STREAM) {
        guesses_learn(guesses, call->guess_key, GUESS_STREAM, call->relay.stream.content_bytes,
                      output);
    } else {
        guesses_learn(guesses, call->guess_key, GUESS_WHOLE, whole_bytes(&call->relay), output);
    }
}

void call_record_bill(struct call *call, enum outcome outcome, enum attempt_phase phase)
{
    struct call_settled settled = {
        .number = call->number, .outcome = (uint8_t)outcome, .phase = (uint8_t)phase};
    uint8_t bit = (uint8_t)(1u << (call->number & 7u));
    const struct made *made = NULL;

    if (!is_recorded(call) || (call->facts.billed & bit) != 0) {
        return;
    }
    call->facts.billed |= bit;
    made = made_of(call, &settled);
    if (!made->bill.is_priced) {
        call->facts.is_unpriced = true;
    } else if (made->bill.cost.pico > INT64_MAX - call->facts.cost_pico) {
        call->facts.cost_pico = INT64_MAX;
    } else {
        call->facts.cost_pico += made->bill.cost.pico;
    }
}

bool call_record_cost(const struct call *call, struct buf *out)
{
    if (call->facts.is_unpriced || (call->facts.billed == 0 && !call->facts.is_replayed)) {
        return false;
    }
    money_put_nano(out, money_nano_up(call->facts.cost_pico));
    return true;
}

/* ---- at its end ---- */

static void put_flags(const struct call *call, const struct made *made, enum outcome outcome,
                      struct record *record)
{
    bool is_cut = outcome_refusal(outcome) != REFUSAL_NONE && call->dispatch.is_committed;

    if (outcome == OUTCOME_APP_GONE) {
        record_flag(record, RECORD_FLAG_ABORTED_BY_APP);
    }
    if (call->drain != NULL) {
        record_flag(record, made->facts.end == CHARGE_END_GOOD ? RECORD_FLAG_DRAINED
                                                               : RECORD_FLAG_DRAIN_CAPPED);
    }
    if (is_cut) {
        record_flag(record, RECORD_FLAG_CUT);
    }
}

static void put_times(const struct call *call, struct record *record)
{
    const struct call_facts *facts = &call->facts;

    record->numbers[RECORD_TOTAL_US] = (int64_t)(loop_micros(call->env->loop) - facts->attempt_us);
    if (facts->head_us != 0) {
        record->numbers[RECORD_TTFB_US] = (int64_t)(facts->head_us - facts->attempt_us);
    }
    if (facts->content_us != 0) {
        record->numbers[RECORD_TTFC_US] = (int64_t)(facts->content_us - facts->attempt_us);
    }
}

static void put_end(const struct call *call, struct record *record)
{
    const struct call_facts *facts = &call->facts;
    bool has_left = facts->outcome == OUTCOME_APP_GONE && facts->status == 0;

    record->numbers[RECORD_STATUS] = has_left ? STATUS_LEFT : (int64_t)facts->status;
    record->numbers[RECORD_BYTES_OUT] = (int64_t)facts->bytes_out;
    if (facts->refusal != REFUSAL_NONE) {
        record->texts[RECORD_REASON] = span_of(refusal_row(facts->refusal)->code);
    }
}

/* The provider's own figure of the cost as decimal text of USD. xAI counts in ticks of 10^-10 USD.
 */
static void put_told_cost(const struct usage *told, struct buf *text, struct record *record)
{
    struct span cost = usage_cost_span(&told->cost);
    uint64_t ticks = 0;

    if (!told->cost.is_ticks) {
        record->texts[RECORD_TOLD_COST] = cost;
    } else if (text_read_u64(cost, &ticks) == ERR_NONE && ticks <= INT64_MAX / PICO_PER_TICK) {
        buf_clear(text);
        money_put_pico(text, (int64_t)ticks * PICO_PER_TICK);
        record->texts[RECORD_TOLD_COST] = buf_span(text);
    }
}

static void put_answer(const struct call *call, struct record *record)
{
    struct span answered = answered_model(&call->relay);

    if (call->facts.upstream_status != 0) {
        record->numbers[RECORD_UPSTREAM_STATUS] = call->facts.upstream_status;
    }
    if (answered.len > 0 && !span_equal(answered, record->texts[RECORD_MODEL])) {
        record->texts[RECORD_MODEL_ANSWERED] = answered;
    }
    record->raw = call->relay.mode == RELAY_STREAM ? buf_span(&call->relay.usage_raw)
                                                   : call->relay.answer.usage;
}

static void write_record(struct call *call, const struct call_settled *settled, bool is_last)
{
    enum outcome outcome = (enum outcome)settled->outcome;
    char id[CALL_RECORD_ID_ROOM];
    struct record record;
    const struct made *made = made_of(call, settled);

    learn(call, made);
    record_init(&record);
    put_call(call, &record);
    put_attempt(call, &record);
    if (made->is_counted) {
        record.numbers[RECORD_INPUT_ESTIMATE] = made->facts.input_estimate;
        record.numbers[RECORD_ESTIMATE_ERROR] = made->count_error;
    }
    record.texts[RECORD_ID] = call_record_id(call, settled->number, id);
    record.texts[RECORD_OUTCOME] = span_of(outcome_word(outcome));
    record.texts[RECORD_PHASE] =
        span_of(charge_phase_word(made->facts.phase, made->facts.end == CHARGE_END_GOOD));
    put_answer(call, &record);
    put_times(call, &record);
    bill_put(&made->bill, &made->terms, &call->env->scratch->text, &record);
    put_told_cost(&made->told, &call->env->scratch->out, &record);
    put_flags(call, made, outcome, &record);
    put_hold(call, settled->number, &record);
    if (call_hold_of(call, settled->number) != NULL && made->bill.is_priced &&
        made->bill.cost.nano > record.numbers[RECORD_HELD]) {
        record_flag(&record, RECORD_FLAG_OVERRUN);
    }
    if (made->bill.charge.is_estimated && made->facts.has_output) {
        record.numbers[RECORD_OUTPUT_SEEN] = made->facts.output_seen;
    }
    if (made->bill.is_beyond_belief) {
        budgets_tell_disbelieved(call->env, record.texts[RECORD_PROVIDER],
                                 record.texts[RECORD_MODEL]);
    }
    if (is_last) {
        put_end(call, &record);
    }
    store_finish(call->env->ports->store, call->slot, &record);
    call->slot = 0;
}

struct amounts call_record_booked(struct call *call, const struct action *action)
{
    struct call_settled settled = {.number = action->attempt,
                                   .outcome = (uint8_t)action->outcome,
                                   .phase = (uint8_t)action->phase};
    struct amounts amounts = {{0}};
    const struct made *made = NULL;

    if (!is_recorded(call) || call->number != action->attempt ||
        action->outcome == OUTCOME_JOURNAL_FULL) {
        return amounts;
    }
    made = made_of(call, &settled);
    amounts_book(&amounts, made->bill.is_priced ? made->bill.cost.nano : -1,
                 made->bill.charge.usage.tokens, made->facts.phase != CHARGE_PHASE_UNSENT);
    return amounts;
}

void call_record_settle(struct call *call, const struct action *action)
{
    struct call_settled settled = {.number = action->attempt,
                                   .outcome = (uint8_t)action->outcome,
                                   .phase = (uint8_t)action->phase};

    if (!is_recorded(call) || call->number != action->attempt) {
        return;
    }
    call_record_bill(call, action->outcome, action->phase);
    if (action->outcome == OUTCOME_JOURNAL_FULL) {
        store_drop(call->env->ports->store, call->slot); /* it was never sent */
        call->slot = 0;
        return;
    }
    if (action->outcome == OUTCOME_HEDGE_LOST) { /* another one ends the call */
        write_record(call, &settled, false);
        return;
    }
    must(call->settled_count < LANES);
    call->settled[call->settled_count++] = settled;
}

void call_record_flush(struct call *call)
{
    bool is_over = call->dispatch.state == DISPATCH_CLOSED;

    for (uint8_t i = 0; i < call->settled_count; i++) {
        call_look_at(call, call->settled[i].number);
        write_record(call, &call->settled[i], is_over && i + 1 == call->settled_count);
    }
    call->settled_count = 0;
}

/* Whoever can connect may be refused as often as it likes: that must not fill the disk. */
static bool is_stranger(const struct call *call)
{
    enum refusal_kind refusal = call->facts.refusal;

    return refusal == REFUSAL_MISSING_KEY || refusal == REFUSAL_INVALID_KEY ||
           refusal == REFUSAL_TOO_MANY_WRONG_KEYS;
}

static void put_denial(const struct budget_denial *denial, struct record *record)
{
    record->texts[RECORD_OUTCOME] = span_of(outcome_word((enum outcome)denial->outcome));
    record->texts[RECORD_DECISION] = span_of(budget_decision_word(DECISION_DENY));
    if (denial->by != NULL) {
        record->texts[RECORD_BUDGET] = denial->by->name;
    }
}

/* Targets that were not asked because a budget said no, of a call that asked another one. */
static void put_denials(struct call *call)
{
    char id[CALL_RECORD_ID_ROOM];
    struct record record;

    for (uint8_t i = 0; call->budget != NULL && i < call->budget->denials_count; i++) {
        const struct budget_denial *denial = &call->budget->denials[i];
        const struct target *target = plan_target(&call->plan, denial->place);

        record_init(&record);
        put_call(call, &record);
        record.texts[RECORD_ID] = call_record_id(call, denial->number, id);
        record.texts[RECORD_PROVIDER] = target->provider->name;
        record.texts[RECORD_MODEL] =
            target->model.len > 0 ? target->model : buf_span(&call->model);
        record.numbers[RECORD_ATTEMPT] = denial->number;
        put_denial(denial, &record);
        store_put(call->env->ports->store, &record);
    }
}

/* A kept answer was given again. */
static void put_replay(struct record *record)
{
    struct charge_facts facts = {.end = CHARGE_END_REPLAY};
    struct charge charge;

    charge_of(&facts, &charge);
    record_flag(record, RECORD_FLAG_REPLAYED);
    record->texts[RECORD_CHARGE] = span_of(charge_word(charge.what));
    record->texts[RECORD_PROVENANCE] = span_of(provenance_word(charge.provenance));
    record->numbers[RECORD_COST] = 0;
    record->numbers[RECORD_CHARGED] = 0;
}

void call_record_none(struct call *call)
{
    char id[CALL_RECORD_ID_ROOM];
    struct record record;

    if (call->facts.has_attempt) {
        put_denials(call);
        return;
    }
    if (is_stranger(call) || call->match.operation == NULL ||
        (call->match.operation->kind != OPERATION_CALL && !call->facts.is_replayed)) {
        return;
    }
    record_init(&record);
    put_call(call, &record);
    record.texts[RECORD_ID] = call_record_id(call, 0, id);
    record.texts[RECORD_MODEL_ASKED] = buf_span(&call->model);
    record.numbers[RECORD_ATTEMPT] = 0;
    if (call->budget != NULL && call->budget->denials_count > 0) {
        put_denial(&call->budget->denials[call->budget->denials_count - 1], &record);
    }
    if (call->facts.is_replayed) {
        put_replay(&record);
    }
    if (call->facts.denied_by != NULL) {
        record.texts[RECORD_DECISION] = span_of(budget_decision_word(DECISION_DENY));
        record.texts[RECORD_BUDGET] = call->facts.denied_by->name;
    }
    put_end(call, &record);
    store_put(call->env->ports->store, &record);
}
