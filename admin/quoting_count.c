/* SPDX-License-Identifier: Apache-2.0 */
/* What each target reads of the request, told in its own words where it speaks another dialect, and how many tokens
 * that is. */
#include "admin/quoting_parts.h"
#include "pricing/family.h"
#include "router/cost.h"
#include "router/foreign.h"
#include "wire/json_walk.h"

/* ---- told ---- */

/* As a call would be told it there. False: no memory. */
static bool tell(struct quoting *quoting, const struct quoting_world *world, uint8_t at)
{
    const struct target *target = plan_target(&quoting->plan, at);
    struct quoting_place *place = &quoting->places[at];
    struct request request;
    struct translate_ask ask = {
        .from = quoting->match.operation,
        .scan = world->scan,
        .app_model = quoting->model,
        .body = json_walk_document(buf_span(&quoting->body)),
        .default_cap = quoting->plan.rules->default_max_output,
        .seed = world->seed,
        .is_stream = quoting->is_stream,
        .is_strict = quoting->plan.rules->translate == TRANSLATE_STRICT,
    };

    place->operation = ask.from;
    place->bytes = quoting->body.len;
    if (foreign_is_own(target, quoting->plan.rules, quoting->match.dialect, ask.from)) {
        return true;
    }
    foreign_fill(&ask, target);
    if (ask.to == NULL || ask.to == ask.from) {
        place->left_out = ask.to == NULL ? QUOTING_UNTOLD : QUOTING_TAKEN;
        return true;
    }
    place->translation = translation_new(&ask);
    if (place->translation == NULL) {
        return false;
    }
    place->operation = ask.to;
    if (translation_refused(place->translation)->param != NULL ||
        !foreign_read(&ask, target, place->translation, &request, &place->request)) {
        place->left_out = QUOTING_UNTOLD;
        return true;
    }
    place->bytes = place->request.bytes;
    return true;
}

bool quoting_tell(struct quoting *quoting, const struct quoting_world *world)
{
    bool is_good = true;

    for (uint8_t i = 0; i < quoting->plan.count && is_good; i++) {
        is_good = tell(quoting, world, quoting->plan.order[i]);
    }
    return is_good;
}

/* ---- counted ---- */

/* Whose vocabulary it has. */
static struct span counted_at(const struct quoting *quoting, uint8_t place)
{
    const struct target *target = plan_target(&quoting->plan, place);

    return cost_model(target->provider, target->model.len > 0 ? target->model : quoting->model);
}

bool quoting_wants(const struct quoting *quoting, enum bpe_family family)
{
    for (uint8_t i = 0; i < quoting->count && quoting->body.len <= QUOTING_COUNT_MAX; i++) {
        if (family_of(counted_at(quoting, quoting->order[i])).bpe == family) {
            return true;
        }
    }
    return false;
}

static bool is_same(const struct family *a, const struct family *b)
{
    return a->bpe == b->bpe && a->permille == b->permille &&
           a->error_permille == b->error_permille && a->is_frame_checked == b->is_frame_checked;
}

/* The ratio was made of all bytes, before anybody had looked for pictures. */
static void put_count(uint64_t bytes, const struct quote_counts *from, struct quote_counts *to)
{
    to->count = from->count;
    to->is_counted = from->is_counted;
    to->ratio.tokens = (int64_t)((uint64_t)to->ratio.tokens * quote_bytes(bytes, &to->count) / bytes);
}

/* What the target reads is what is counted. */
static bool count_at(const struct quoting *quoting, uint8_t at, struct chat_counter *counter, struct quote_counts *counts)
{
    const struct quoting_place *place = &quoting->places[at];
    bool is_told = place->translation != NULL && place->left_out == QUOTING_TAKEN;
    struct span body = is_told ? translation_body(place->translation) : buf_span(&quoting->body);
    const struct operation *operation = is_told ? place->operation : quoting->match.operation;
    enum count_shape shape = COUNT_CHAT;

    return count_shape_of(operation->name, &shape) &&
           chat_count(counter, shape, counted_at(quoting, at), body, &counts->count) == ERR_NONE;
}

/* One before the i-th whose count is the same; i: none. */
static uint8_t counted_before(const struct quoting *quoting, uint8_t i)
{
    struct family family = family_of(counted_at(quoting, quoting->order[i]));
    uint8_t k = quoting->places[quoting->order[i]].translation != NULL ? i : 0;

    for (; k < i; k++) {
        struct family before = family_of(counted_at(quoting, quoting->order[k]));

        if (quoting->places[quoting->order[k]].translation == NULL && is_same(&before, &family)) {
            break;
        }
    }
    return k;
}

void quoting_count(struct quoting *quoting, struct chat_counter *counter)
{
    struct chat_counter none;
    enum count_shape shape = COUNT_CHAT;
    bool is_counted = count_shape_of(quoting->match.operation->name, &shape);

    chat_counter_init(&none, NULL, NULL, NULL);
    quoting->is_long = quoting->body.len > QUOTING_COUNT_MAX;
    for (uint8_t i = 0; i < quoting->count && is_counted; i++) {
        struct quoting_place *place = &quoting->places[quoting->order[i]];
        struct quote_counts *counts = &place->counts;
        uint8_t k = counted_before(quoting, i);

        if (k < i) { /* a count takes its time: once for each vocabulary and ratio */
            put_count(place->bytes, &quoting->places[quoting->order[k]].counts, counts);
            continue;
        }
        counts->is_counted = count_at(quoting, quoting->order[i], quoting->is_long ? &none : counter, counts);
        put_count(place->bytes, counts, counts);
        quoting->lacks_table = quoting->lacks_table || (!counts->is_counted && !quoting->is_long);
    }
    chat_counter_fini(&none);
}
