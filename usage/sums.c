/* SPDX-License-Identifier: Apache-2.0 */
#include "usage/sums.h"

/* Beyond these a figure is no sane one; so many records' sum still fits. */
#define COUNT_MAX (INT64_C(1) << 40)
#define NANO_MAX  (INT64_C(1) << 53)

const struct span dimension_names[DIMENSIONS] = {
#define DIMENSION(NAME, name, TEXT, help) SPAN(#name),
#include "usage/dimensions.def"
#undef DIMENSION
};

static const enum record_text texts[DIMENSIONS] = {
#define DIMENSION(NAME, name, TEXT, help) RECORD_##TEXT,
#include "usage/dimensions.def"
#undef DIMENSION
};

const struct span sum_names[SUMS] = {
#define SUM(NAME, name, help) SPAN(#name),
#include "usage/sums.def"
#undef SUM
#define TOKENS(NAME, name, help) SPAN(#name),
#include "wire/tokens.def"
#undef TOKENS
#define FEE(NAME, name, help) SPAN(#name),
#include "wire/fees.def"
#undef FEE
    SPAN("cost_usd"),
    SPAN("cost_pico"),
};

int64_t sums_quarter(const struct record *record)
{
    int64_t at = record->numbers[RECORD_AT];

    return at < 0 ? 0 : at / QUARTER_MS;
}

struct span sums_dimension(const struct record *record, enum dimension dimension)
{
    struct span text = record->texts[texts[dimension]];

    return dimension == DIMENSION_SOURCE && text.len == 0 ? SPAN_OF("headgate") : text;
}

bool sums_is_reported(const struct record *record)
{
    return !span_equal(sums_dimension(record, DIMENSION_SOURCE), SPAN_OF("headgate"));
}

static int64_t within(int64_t number, int64_t max)
{
    return number < 0 ? 0 : number > max ? max : number;
}

/* A call stands in the record that tells the app's status. One that a crash ended has no such
 * record, so the record of the crash stands for it. */
static bool ends_call(const struct record *record)
{
    return record->numbers[RECORD_STATUS] >= 0 || record->numbers[RECORD_ATTEMPT] == 0 ||
           record_has(record, RECORD_FLAG_PROXY_CRASH) || sums_is_reported(record);
}

static void count(const struct record *record, int64_t *of)
{
    struct span outcome = record->texts[RECORD_OUTCOME];
    bool is_attempt = record->numbers[RECORD_ATTEMPT] != 0;

    of[SUM_RECORDS] = 1;
    of[SUM_CALLS] = ends_call(record);
    of[SUM_ATTEMPTS] = is_attempt;
    of[SUM_FAILED_ATTEMPTS] = is_attempt && outcome.len > 0 && !span_equal(outcome, SPAN_OF("ok"));
    of[SUM_UNPRICED] = is_attempt && record->numbers[RECORD_CHARGED] < 0;
    of[SUM_ESTIMATED] = record_has(record, RECORD_FLAG_ESTIMATED);
}

void sums_of(const struct record *record, struct sums *sums)
{
    int64_t *of = sums->of;
    int64_t cost = within(record->numbers[RECORD_COST], INT64_MAX);

    count(record, of);
    of[SUM_REASONING] = within(record->numbers[RECORD_REASONING], COUNT_MAX);
    of[SUM_CHARGED] = within(record->numbers[RECORD_CHARGED], NANO_MAX);
    of[SUM_EXPOSED] = within(record->numbers[RECORD_EXPOSED], NANO_MAX);
    of[SUM_BYTES_IN] = within(record->numbers[RECORD_BYTES_IN], COUNT_MAX);
    of[SUM_BYTES_OUT] = within(record->numbers[RECORD_BYTES_OUT], COUNT_MAX);
    of[SUM_DURATION] = within(record->numbers[RECORD_TOTAL_US], COUNT_MAX);
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        of[SUM_TOKENS_INPUT + i] = within(record->tokens[i], COUNT_MAX);
    }
    for (size_t i = 0; i < FEE_KINDS; i++) {
        of[SUM_FEE_WEB_SEARCH + i] = within(record->fees[i], COUNT_MAX);
    }
    of[SUM_COST_USD] = cost / PICO_PER_USD;
    of[SUM_COST_PICO] = cost % PICO_PER_USD;
}

void sums_add(struct sums *to, const struct sums *sums)
{
    for (size_t i = 0; i < SUMS; i++) {
        int64_t more = sums->of[i];

        to->of[i] = to->of[i] > INT64_MAX - more ? INT64_MAX : to->of[i] + more;
    }
    if (to->of[SUM_COST_PICO] >= PICO_PER_USD) {
        to->of[SUM_COST_PICO] -= PICO_PER_USD;
        to->of[SUM_COST_USD]++;
    }
}

void sums_take(struct sums *from, const struct sums *sums)
{
    for (size_t i = 0; i < SUMS; i++) {
        from->of[i] -= sums->of[i];
    }
    if (from->of[SUM_COST_PICO] < 0) {
        from->of[SUM_COST_PICO] += PICO_PER_USD;
        from->of[SUM_COST_USD]--;
    }
}

_Static_assert(SUMS <= 32, "a bit for each");

size_t sums_pack(unsigned char bytes[SUMS_PACKED_MAX], const struct sums *sums)
{
    uint32_t bits = 0;
    size_t len = 4;

    for (size_t i = 0; i < SUMS; i++) {
        uint64_t rest = (uint64_t)sums->of[i];

        if (rest == 0) {
            continue;
        }
        bits |= UINT32_C(1) << i;
        /* Seven bits a byte, the low ones first; the top bit says that more follow. */
        for (; rest >= 128; rest >>= 7) {
            bytes[len++] = (unsigned char)(rest | 128);
        }
        bytes[len++] = (unsigned char)rest;
    }
    for (size_t i = 0; i < 4; i++) {
        bytes[i] = (unsigned char)(bits >> (8 * i));
    }
    return len;
}

static bool unpack_one(struct span bytes, size_t *at, int64_t *number)
{
    uint64_t sum = 0;

    for (unsigned shift = 0; shift < 64 && *at < bytes.len; shift += 7) {
        unsigned char byte = (unsigned char)bytes.at[(*at)++];

        sum |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *number = (int64_t)(sum & INT64_MAX);
            return true;
        }
    }
    return false;
}

bool sums_unpack(struct span bytes, struct sums *sums)
{
    uint32_t bits = 0;
    size_t at = 4;

    memset(sums, 0, sizeof *sums);
    if (bytes.len < 4) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        bits |= (uint32_t)(unsigned char)bytes.at[i] << (8 * i);
    }
    for (size_t i = 0; i < SUMS; i++) {
        if ((bits >> i & 1u) != 0 && !unpack_one(bytes, &at, &sums->of[i])) {
            return false;
        }
    }
    return at == bytes.len && (uint64_t)bits >> SUMS == 0;
}

int64_t sums_input(const struct sums *sums)
{
    int64_t sum = 0;

    for (size_t i = SUM_TOKENS_INPUT; i <= SUM_TOKENS_IMAGE_INPUT; i++) {
        sum += sums->of[i];
    }
    return sum;
}

void sums_put_cost(struct buf *out, const struct sums *sums)
{
    char digits[13] = "";
    int64_t pico = sums->of[SUM_COST_PICO];
    size_t len = 12;

    for (size_t i = 12; i > 0; i--) {
        digits[i - 1] = (char)('0' + pico % 10);
        pico /= 10;
    }
    while (len > 0 && digits[len - 1] == '0') {
        len--;
    }
    buf_put_u64(out, (unsigned long long)sums->of[SUM_COST_USD]);
    if (len > 0) {
        buf_put_char(out, '.');
        buf_put(out, span_make(digits, len));
    }
}
