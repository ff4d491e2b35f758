/* SPDX-License-Identifier: Apache-2.0 */
/* From how an attempt ended to what is charged for it:
 *
 *   nothing sent                          0
 *   whole answer                          as told; what is missing is estimated
 *   an error, or no answer at all         as told, else 0
 *   sent, and nothing readable came       by `ambiguous`
 *   broke off after content               input and output seen
 *   closed by us while it ran             the same and one chunk more
 *
 * A figure of the provider's goes before an estimate; an output that it told before the last
 * content came is part of what was seen. */
#include "usage/charge.h"

#include "base/must.h"

static const char *const case_words[] = {
#define CHARGE(NAME, word, help) word,
#include "usage/charges.def"
#undef CHARGE
};
_Static_assert(ARRAY_LENGTH(case_words) == CHARGE_CASES, "a word per case");

const char *charge_word(enum charge_case what)
{
    return case_words[what];
}

const char *charge_phase_word(enum charge_phase phase, bool is_complete)
{
    static const char *const words[] = {"unsent", "sent", "headed", "content"};

    return is_complete ? "complete" : words[phase];
}

const char *provenance_word(enum provenance provenance)
{
    static const char *const words[] = {"provider", "estimated", "partial"};

    return words[provenance];
}

static bool has_input(const struct usage *usage)
{
    return usage_input_all(usage) >= 0;
}

static bool has_any(const struct usage *usage)
{
    return has_input(usage) || usage_output_all(usage) >= 0;
}

static void charge_nothing(struct charge *charge, enum charge_case what)
{
    charge->what = what;
    usage_init(&charge->usage);
}

static void charge_told(struct charge *charge, enum charge_case what, const struct usage *told)
{
    charge->what = what;
    charge->usage = *told;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Output of which the audio part is known already is not counted again as text. */
static int64_t text_of(const struct usage *usage, int64_t output)
{
    int64_t audio = usage->tokens[TOKENS_AUDIO_OUTPUT];

    return audio > 0 ? larger(0, output - audio) : output;
}

/* As told; an untold input is the estimate, the output at least `output`. */
static void charge_seen(struct charge *charge, const struct charge_facts *facts, int64_t output)
{
    bool told_input = has_input(facts->told);

    charge->usage = *facts->told;
    charge->is_estimated = true;
    charge->provenance = told_input ? PROVENANCE_PARTIAL : PROVENANCE_ESTIMATED;
    if (!told_input) {
        charge->usage.tokens[TOKENS_INPUT] = facts->input_estimate;
    }
    if (facts->has_output) {
        charge->usage.tokens[TOKENS_OUTPUT] =
            larger(charge->usage.tokens[TOKENS_OUTPUT], text_of(facts->told, output));
    }
}

static void of_whole(const struct charge_facts *facts, struct charge *charge)
{
    bool misses_output = facts->has_output && usage_output_all(facts->told) < 0;

    if (has_input(facts->told) && !misses_output) {
        charge_told(charge, facts->is_drained ? CHARGE_DRAINED : CHARGE_COMPLETE, facts->told);
        return;
    }
    charge->what = CHARGE_COMPLETE_UNTOLD;
    charge->is_untold = true;
    charge_seen(charge, facts, misses_output ? facts->output_seen : 0);
    if (usage_output_all(facts->told) >= 0) {
        charge->provenance = PROVENANCE_PARTIAL;
    }
}

static void of_ambiguous(const struct charge_facts *facts, struct charge *charge)
{
    charge_nothing(charge, CHARGE_AMBIGUOUS);
    if (facts->ambiguous == CHARGE_AMBIGUOUS_INPUT) {
        charge->usage.tokens[TOKENS_INPUT] = facts->input_estimate;
        charge->is_estimated = true;
        charge->provenance = PROVENANCE_ESTIMATED;
        return;
    }
    charge->exposed.tokens[TOKENS_INPUT] = facts->input_estimate;
}

static void of_broken(const struct charge_facts *facts, struct charge *charge)
{
    if (facts->phase != CHARGE_PHASE_CONTENT && !has_any(facts->told)) {
        of_ambiguous(facts, charge);
        return;
    }
    charge->what = facts->end == CHARGE_END_BUDGET ? CHARGE_CUT : CHARGE_BROKEN;
    charge_seen(charge, facts, facts->output_seen);
}

static void of_cancelled(const struct charge_facts *facts, struct charge *charge)
{
    charge->what = facts->end == CHARGE_END_HEDGE ? CHARGE_HEDGE_LOST : CHARGE_CANCELLED;
    charge_seen(charge, facts, facts->output_seen + facts->chunk);
}

void charge_of(const struct charge_facts *facts, struct charge *charge)
{
    *charge = (struct charge){.provenance = PROVENANCE_PROVIDER};
    usage_init(&charge->exposed);
    if (facts->end == CHARGE_END_REPLAY) {
        charge_nothing(charge, CHARGE_REPLAYED);
        return;
    }
    if (facts->phase == CHARGE_PHASE_UNSENT && facts->end != CHARGE_END_NO) {
        charge_nothing(charge, CHARGE_UNSENT);
        return;
    }
    if (facts->operation != CHARGE_METERED) {
        charge_nothing(charge, facts->operation == CHARGE_NOT_READ ? CHARGE_UNREAD : CHARGE_FREE);
        return;
    }
    switch (facts->end) {
    case CHARGE_END_GOOD: of_whole(facts, charge); return;
    case CHARGE_END_NO:
        charge_told(charge, has_any(facts->told) ? CHARGE_REFUSED_TOLD : CHARGE_REFUSED,
                    facts->told);
        return;
    case CHARGE_END_BROKEN:
    case CHARGE_END_BUDGET: of_broken(facts, charge); return;
    case CHARGE_END_CANCELLED:
    case CHARGE_END_HEDGE: of_cancelled(facts, charge); return;
    case CHARGE_END_CRASH:
        charge->what = CHARGE_CRASHED;
        charge_seen(charge, facts, facts->output_seen);
        return;
    case CHARGE_END_REPLAY: UNREACHABLE();
    }
}
