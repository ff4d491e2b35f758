/* SPDX-License-Identifier: Apache-2.0 */
#include "pricing/pack.h"

struct unpacking {
    const unsigned char *at;
    const unsigned char *end;
    struct arena *arena;
    uint64_t *numbers;
    size_t numbers_count;
    struct span *texts;
    size_t texts_count;
};

static uint64_t varint(struct unpacking *u)
{
    uint64_t value = 0;
    unsigned shift = 0;

    do {
        must(u->at < u->end && shift < 64);
        value |= (uint64_t)(*u->at & 0x7f) << shift;
        shift += 7;
    } while ((*u->at++ & 0x80) != 0);
    return value;
}

/* Once memory was missing the place in the bytes is lost: what is left reads as nothing. */
static uint64_t number(struct unpacking *u)
{
    uint64_t place = u->arena->failed ? 0 : varint(u);

    must(place < u->numbers_count);
    return u->arena->failed ? 0 : u->numbers[place];
}

static int64_t whole(struct unpacking *u)
{
    return (int64_t)number(u);
}

static struct span text(struct unpacking *u)
{
    uint64_t place = u->arena->failed ? 0 : varint(u);

    must(place < u->texts_count);
    return u->texts[place];
}

static bool read_lists(struct unpacking *u)
{
    u->numbers_count = (size_t)varint(u);
    u->numbers = arena_take(u->arena, u->numbers_count * sizeof *u->numbers);
    for (size_t i = 0; u->numbers != NULL && i < u->numbers_count; i++) {
        u->numbers[i] = varint(u);
    }
    if (u->numbers == NULL) {
        return false;
    }
    u->texts_count = (size_t)varint(u);
    u->texts = arena_take(u->arena, u->texts_count * sizeof *u->texts);
    for (size_t i = 0; u->texts != NULL && i < u->texts_count; i++) {
        size_t len = (size_t)varint(u);

        must(len <= (size_t)(u->end - u->at));
        u->texts[i] = span_make((const char *)u->at, len);
        u->at += len;
    }
    return u->texts != NULL;
}

static const struct usage_word *words(struct unpacking *u, uint8_t *count)
{
    struct usage_word *list = NULL;

    *count = (uint8_t)number(u);
    if (*count > 0) {
        list = arena_take(u->arena, *count * sizeof *list);
    }
    for (size_t i = 0; list != NULL && i < *count; i++) {
        usage_word_set(&list[i], text(u));
    }
    return list;
}

static const struct span *names(struct unpacking *u, size_t *count)
{
    struct span *list = NULL;

    *count = (size_t)number(u);
    if (*count > 0) {
        list = arena_take(u->arena, *count * sizeof *list);
    }
    for (size_t i = 0; list != NULL && i < *count; i++) {
        list[i] = text(u);
    }
    return list;
}

static void rates(struct unpacking *u, struct price_rates *rates)
{
    uint64_t priced = number(u); /* a bit for each class that has a price */

    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        rates->token[i] = (priced >> i & 1) != 0 ? (uint32_t)number(u) : PRICE_ABSENT;
    }
    rates->reasoning = (priced >> TOKEN_CLASSES & 1) != 0 ? (uint32_t)number(u) : PRICE_ABSENT;
}

static const struct price_case *cases(struct unpacking *u, uint8_t *count)
{
    struct price_case *list = NULL;

    *count = (uint8_t)number(u);
    list = arena_take(u->arena, *count * sizeof *list);
    for (size_t i = 0; list != NULL && i < *count; i++) {
        list[i].tier = (uint8_t)number(u);
        list[i].region = (uint8_t)number(u);
        list[i].at_hours = number(u) != 0;
        list[i].over = (int32_t)whole(u);
        rates(u, &list[i].rates);
    }
    return list;
}

static void hours(struct unpacking *u, struct price_hours *hours)
{
    hours->ranges = (uint8_t)number(u);
    must(hours->ranges <= ARRAY_LENGTH(hours->range));
    for (size_t i = 0; i < hours->ranges; i++) {
        hours->range[i].from = (uint16_t)number(u);
        hours->range[i].until = (uint16_t)number(u);
    }
    hours->weekdays_only = number(u) != 0;
    hours->weekdays_offset = (int16_t)whole(u);
}

static void row(struct unpacking *u, struct price *price)
{
    price->list = text(u);
    price->model = text(u);
    price->aliases = names(u, &price->aliases_count);
    price->from = whole(u);
    price->until = whole(u);
    price->context = whole(u);
    price->output_max = whole(u);
    for (size_t i = 0; i < FEE_KINDS; i++) {
        price->fees[i] = whole(u);
    }
    price->tiers = words(u, &price->counts.tiers);
    price->regions = words(u, &price->counts.regions);
    price->cases = cases(u, &price->counts.cases);
    hours(u, &price->hours);
    price->source = text(u);
    price->as_of = text(u);
    price->counts.is_unusual = number(u) != 0;
}

bool price_unpack(const struct price_pack *pack, struct arena *arena, struct price_table *table)
{
    struct unpacking u = {.at = pack->bytes, .end = pack->bytes + pack->len, .arena = arena};
    struct price *prices = NULL;
    struct price_host *hosts = NULL;

    *table = (struct price_table){.hash = pack->hash};
    if (!read_lists(&u)) {
        return false;
    }
    table->date = text(&u);
    table->prices_count = (size_t)number(&u);
    table->hosts_count = (size_t)number(&u);
    prices = arena_take(arena, table->prices_count * sizeof *prices);
    hosts = arena_take(arena, table->hosts_count * sizeof *hosts);
    for (size_t i = 0; !arena->failed && i < table->prices_count; i++) {
        row(&u, &prices[i]);
    }
    for (size_t i = 0; !arena->failed && i < table->hosts_count; i++) {
        hosts[i].host = text(&u);
        hosts[i].list = text(&u);
        usage_word_set(&hosts[i].region, text(&u));
    }
    must(arena->failed || u.at == u.end);
    table->prices = prices;
    table->hosts = hosts;
    return !arena->failed;
}
