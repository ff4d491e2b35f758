/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/words.h"

#include <string.h>

#include "base/text.h"

bool word_is(struct span word, const char *text)
{
    return span_equal(word, span_make(text, strlen(text)));
}

struct span words_next(struct words *words)
{
    if (words->at == words->count) {
        scenario_complain(words->scenario, "something is missing after",
                          words->count == 0 ? SPAN_OF("") : words->list[words->count - 1]);
        return SPAN_OF("");
    }
    return words->list[words->at++];
}

bool words_take(struct words *words, const char *text)
{
    if (words->at < words->count && word_is(words->list[words->at], text)) {
        words->at++;
        return true;
    }
    return false;
}

uint64_t words_number(struct words *words)
{
    struct span word = words_next(words);
    uint64_t number = 0;

    if (text_read_u64(word, &number) != ERR_NONE) {
        scenario_complain(words->scenario, "not a number:", word);
    }
    return number;
}

uint64_t words_ms(struct words *words)
{
    struct span word = words_next(words);
    uint64_t ms = 0;

    if (word_is(word, "end")) {
        return MONO_NEVER;
    }
    if (text_read_duration(word, &ms) != ERR_NONE) {
        scenario_complain(words->scenario, "not a time:", word);
    }
    return ms;
}

uint32_t words_ms32(struct words *words)
{
    uint64_t ms = words_ms(words);

    if (ms > UINT32_MAX) {
        scenario_complain(words->scenario, "too long a time at", words->list[words->at - 1]);
    }
    return (uint32_t)ms;
}

uint32_t words_number32(struct words *words)
{
    uint64_t number = words_number(words);

    if (number > UINT32_MAX) {
        scenario_complain(words->scenario, "too large a number:", words->list[words->at - 1]);
    }
    return (uint32_t)number;
}

size_t words_find_name(char (*names)[NAME_MAX_LEN], size_t count, struct span word)
{
    size_t i = 0;

    while (i < count && !word_is(word, names[i])) {
        i++;
    }
    return i;
}

void words_keep_name(struct scenario *scenario, char *name, struct span word)
{
    if (word.len == 0 || word.len >= NAME_MAX_LEN) {
        scenario_complain(scenario, "not a name:", word);
        return;
    }
    memcpy(name, word.at, word.len);
    name[word.len] = '\0';
}

uint8_t words_target(struct words *words)
{
    struct scenario *scenario = words->scenario;
    struct span word = words_next(words);
    size_t i = words_find_name(scenario->names, scenario->targets, word);

    if (i == scenario->targets) {
        scenario_complain(scenario, "no target is called", word);
        return 0;
    }
    return (uint8_t)i;
}

bool words_outcome(struct span word, enum outcome *outcome)
{
    static const char *const names[] = {
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy) #name,
#include "router/outcomes.def"
#undef OUTCOME
    };

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (span_equal_nocase(word, span_make(names[i], strlen(names[i])))) {
            *outcome = (enum outcome)i;
            return true;
        }
    }
    return false;
}
