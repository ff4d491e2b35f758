/* SPDX-License-Identifier: Apache-2.0 */
/* base/suggest.c: edit distance with swapped neighbours (optimal string alignment), row by row; a
 * name is given up as soon as a whole row is too far. */
#include "base/suggest.h"

#include <stdint.h>

#include "base/must.h"

/* Longer words are no names of ours. */
enum { WORD_MAX = 64, MISTAKES_MAX = 3 };

struct rows {
    unsigned before[WORD_MAX + 1]; /* two letters of the word ago */
    unsigned above[WORD_MAX + 1];  /* one letter ago */
    unsigned here[WORD_MAX + 1];
};

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Fills the row of the word's letter i (from 1); returns its smallest entry. */
static unsigned fill_row(struct rows *rows, struct span word, struct span name, size_t i)
{
    char letter = lower(word.at[i - 1]);
    unsigned best = (unsigned)i;

    rows->here[0] = (unsigned)i;
    for (size_t n = 1; n <= name.len; n++) {
        char other = lower(name.at[n - 1]);
        unsigned cost = least(rows->above[n], rows->here[n - 1]) + 1;

        cost = least(cost, rows->above[n - 1] + (letter == other ? 0 : 1));
        if (i > 1 && n > 1 && letter == lower(name.at[n - 2]) && other == lower(word.at[i - 2])) {
            cost = least(cost, rows->before[n - 2] + 1);
        }
        rows->here[n] = cost;
        best = least(best, cost);
    }
    return best;
}

/* The distance, or limit + 1 when it is more than `limit`. */
static unsigned distance(struct span word, struct span name, unsigned limit)
{
    struct rows rows = {0};
    size_t gap = word.len > name.len ? word.len - name.len : name.len - word.len;

    if (gap > limit) {
        return limit + 1;
    }
    for (size_t n = 0; n <= name.len; n++) {
        rows.here[n] = (unsigned)n;
    }
    for (size_t i = 1; i <= word.len; i++) {
        memcpy(rows.before, rows.above, sizeof rows.before);
        memcpy(rows.above, rows.here, sizeof rows.above);
        if (fill_row(&rows, word, name, i) > limit) {
            return limit + 1;
        }
    }
    return least(rows.here[name.len], limit + 1);
}

/* One mistake in words of 2 to 5 letters, two up to 9, then three; none in a single letter. */
static unsigned mistakes_allowed(struct span word)
{
    return word.len > WORD_MAX ? 0 : least((unsigned)(word.len + 2) / 4, MISTAKES_MAX);
}

int suggest_nearest(struct span word, const struct span *names, size_t count)
{
    unsigned allowed = mistakes_allowed(word);
    unsigned best = allowed + 1;
    int nearest = -1;

    must(count <= INT32_MAX);
    for (size_t i = 0; i < count && allowed > 0 && best > 0; i++) {
        unsigned far = names[i].len > WORD_MAX ? best : distance(word, names[i], best - 1);

        if (far < best) {
            best = far;
            nearest = (int)i;
        }
    }
    return nearest;
}
