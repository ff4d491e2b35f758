/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wire/naive_usage.h"

#include <jansson.h>
#include <string.h>

static const long long figure_max = 1LL << 31;

void naive_begin(struct naive *naive, enum naive_operation operation)
{
    memset(naive, 0, sizeof *naive);
    naive->operation = operation;
    naive->input = naive->output = naive->read = naive->written = naive->written_long = -1;
    naive->reasoning = naive->total = naive->searches = -1;
    naive->words.cost = -1;
    for (int i = 0; i < 5; i++) {
        naive->beside[i] = -1;
        naive->parts[i % 3] = -1;
    }
}

/* A value by its path: names with '/' between them. */
static json_t *at(json_t *tree, const char *path)
{
    char name[64];

    while (tree != NULL && *path != '\0') {
        size_t length = strcspn(path, "/");

        memcpy(name, path, length);
        name[length] = '\0';
        tree = json_object_get(tree, name);
        path += length + (path[length] == '/');
    }
    return json_is_null(tree) ? NULL : tree;
}

/* A sane number of tokens, or -1; what is there and is none is odd. */
static long long number(struct naive *naive, json_t *value)
{
    if (value == NULL) {
        return -1;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > figure_max) {
        naive->is_odd = true;
        return -1;
    }
    return json_integer_value(value);
}

static bool set(long long *to, long long figure)
{
    if (figure >= 0) {
        *to = figure;
    }
    return figure >= 0;
}

static void word(char *to, json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = text == NULL ? 0 : strlen(text);

    length = length < 31 ? length : 31; /* a longer one is cut */
    if (length > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.") >= length) {
        memcpy(to, text, length);
        to[length] = '\0';
    }
}

static void model(struct naive *naive, json_t *value)
{
    const char *text = json_string_value(value);

    if (naive->words.model[0] == '\0' && text != NULL && strlen(text) < sizeof naive->words.model) {
        memcpy(naive->words.model, text, strlen(text) + 1);
    }
}

static void cost(struct naive *naive, json_t *value)
{
    if (json_is_number(value) && json_number_value(value) >= 0) {
        naive->words.cost = json_number_value(value);
    } else if (json_is_number(value)) {
        naive->is_odd = true;
    }
}

/* The first of these that is a number, else the first that is anything. */
static json_t *first(json_t *usage, const char *const *paths)
{
    json_t *found = NULL;

    for (; *paths != NULL; paths++) {
        json_t *value = at(usage, *paths);

        if (json_is_number(value)) {
            return value;
        }
        found = found == NULL ? value : found;
    }
    return found;
}

static void add(struct naive *naive, int which, long long figure)
{
    long long sum = (naive->beside[which] < 0 ? 0 : naive->beside[which]) + figure;

    naive->is_odd = naive->is_odd || sum > figure_max;
    naive->beside[which] = sum > figure_max ? figure_max : sum;
}

static void written(struct naive *naive, json_t *sum, json_t *brief, json_t *lasting)
{
    long long whole = number(naive, sum);
    long long a = number(naive, brief);
    long long b = number(naive, lasting);

    set(&naive->written, whole);
    set(&naive->written_long, b);
    if (whole >= 0 && a >= 0 && b >= 0 && a + b != whole) {
        naive->is_odd = true;
    }
    if (whole < 0 && (a >= 0 || b >= 0)) {
        naive->written = (a < 0 ? 0 : a) + (naive->written_long < 0 ? 0 : naive->written_long);
    }
}

/* ---- openai ---- */

static const char *const cached_paths[] = {"num_cached_tokens",
                                           "prompt_tokens_details/cached_tokens",
                                           "prompt_token_details/cached_tokens",
                                           "prompt_cache_hit_tokens",
                                           "cached_tokens",
                                           NULL};
static const char *const search_paths[] = {"num_search_queries",
                                           "server_tool_use_details/web_search_requests", NULL};

static bool sides(struct naive *naive, long long input, long long output, long long total)
{
    long long input_before = naive->input;
    long long output_before = naive->output;
    long long total_before = naive->total;
    bool is_any = set(&naive->input, input);

    is_any |= set(&naive->output, output);
    is_any |= set(&naive->total, total);
    naive->is_odd |=
        naive->input < input_before || naive->output < output_before || naive->total < total_before;
    return is_any;
}

static void extras(struct naive *naive, json_t *usage, bool has_reasoning, bool has_searches)
{
    long long reasoning = number(naive, at(usage, "reasoning_tokens"));
    long long citations = number(naive, at(usage, "citation_tokens"));

    cost(naive, at(usage, "cost"));
    cost(naive, at(usage, "cost/total_cost"));
    cost(naive, at(usage, "cost_in_usd_ticks"));
    word(naive->words.tier, at(usage, "service_tier"));
    if (!has_reasoning) {
        set(&naive->reasoning, reasoning);
    }
    if (citations >= 0 || (reasoning >= 0 && has_searches)) {
        naive->beside[1] = -1;
        add(naive, 1, reasoning < 0 ? 0 : reasoning);
        add(naive, 1, citations < 0 ? 0 : citations);
    }
}

static bool is_filled(json_t *usage, const char *const *known)
{
    for (; *known != NULL; known++) {
        if (at(usage, *known) != NULL) {
            return true;
        }
    }
    return false;
}

/* False: no number in it. */
static bool chat_usage(struct naive *naive, json_t *usage)
{
    static const char *const known[] = {"prompt_tokens",
                                        "completion_tokens",
                                        "num_cached_tokens",
                                        "prompt_tokens_details/cached_tokens",
                                        "prompt_token_details/cached_tokens",
                                        "prompt_cache_hit_tokens",
                                        "cached_tokens",
                                        "prompt_tokens_details/cache_write_tokens",
                                        "prompt_tokens_details/audio_tokens",
                                        "prompt_tokens_details/image_tokens",
                                        "completion_tokens_details/reasoning_tokens",
                                        "completion_tokens_details/audio_tokens",
                                        "total_tokens",
                                        "num_search_queries",
                                        "server_tool_use_details/web_search_requests",
                                        NULL};
    json_t *reasoning = at(usage, "completion_tokens_details/reasoning_tokens");
    json_t *searches = first(usage, search_paths);

    if (!json_is_object(usage) || !is_filled(usage, known)) {
        return false;
    }
    sides(naive, number(naive, at(usage, "prompt_tokens")),
          number(naive, at(usage, "completion_tokens")), number(naive, at(usage, "total_tokens")));
    set(&naive->read, number(naive, first(usage, cached_paths)));
    written(naive, at(usage, "prompt_tokens_details/cache_write_tokens"), NULL, NULL);
    set(&naive->reasoning, number(naive, reasoning));
    set(&naive->parts[0], number(naive, at(usage, "prompt_tokens_details/audio_tokens")));
    set(&naive->parts[1], number(naive, at(usage, "prompt_tokens_details/image_tokens")));
    set(&naive->parts[2], number(naive, at(usage, "completion_tokens_details/audio_tokens")));
    set(&naive->searches, number(naive, searches));
    extras(naive, usage, json_is_number(reasoning), json_is_number(searches));
    for (size_t i = 0; known[i] != NULL; i++) {
        if (json_is_number(at(usage, known[i]))) {
            return true;
        }
    }
    return false;
}

static void timings(struct naive *naive, json_t *told, bool has_usage)
{
    long long cached = number(naive, at(told, "cache_n"));

    if (!json_is_object(told)) {
        return;
    }
    if (has_usage) {
        naive->read = naive->read < 0 ? cached : naive->read;
        return;
    }
    long long input = number(naive, at(told, "prompt_n"));
    if (input >= 0) {
        naive->input = input + (cached < 0 ? 0 : cached);
    }
    sides(naive, -1, number(naive, at(told, "predicted_n")), -1);
    set(&naive->read, cached);
}

static void chat(struct naive *naive, json_t *tree)
{
    json_t *choices = at(tree, "choices");
    json_t *in_choice = NULL;
    json_t *choice = NULL;
    size_t i = 0;

    json_array_foreach(choices, i, choice)
    {
        in_choice =
            json_object_get(choice, "usage") == NULL ? in_choice : json_object_get(choice, "usage");
    }
    bool has_usage = chat_usage(naive, at(tree, "usage")) ||
                     chat_usage(naive, at(tree, "x_groq/usage")) || chat_usage(naive, in_choice);
    timings(naive, at(tree, "timings"), has_usage);
    word(naive->words.tier, at(tree, "service_tier"));
    model(naive, at(tree, "model"));
}

static void response(struct naive *naive, json_t *tree)
{
    json_t *usage = at(tree, "usage");

    if (json_is_object(usage)) {
        bool is_told = sides(naive, number(naive, at(usage, "input_tokens")),
                             number(naive, at(usage, "output_tokens")),
                             number(naive, at(usage, "total_tokens")));

        set(&naive->read, number(naive, at(usage, "input_tokens_details/cached_tokens")));
        written(naive, at(usage, "input_tokens_details/cache_write_tokens"),
                at(usage, "input_tokens_details/cache_write_tokens_details/ttl_30m_tokens"),
                at(usage, "input_tokens_details/cache_write_tokens_details/ttl_12h_tokens"));
        set(&naive->parts[0], number(naive, at(usage, "input_tokens_details/audio_tokens")));
        set(&naive->parts[1], number(naive, at(usage, "input_tokens_details/image_tokens")));
        set(&naive->parts[2], number(naive, at(usage, "output_tokens_details/audio_tokens")));
        json_t *reasoning = at(usage, "output_tokens_details/reasoning_tokens");
        set(&naive->reasoning, number(naive, reasoning));
        extras(naive, usage, json_is_number(reasoning), false);
        if (is_told && naive->input >= 0 && naive->read > naive->input) {
            naive->is_odd |=
                naive->output < 0 || naive->total != naive->input + naive->read + naive->output;
            naive->input += naive->read;
        }
    }
    word(naive->words.tier, at(tree, "service_tier"));
    set(&naive->searches, number(naive, at(tree, "tool_usage/web_search/num_requests")));
    naive->has_others |= json_is_object(at(tree, "tool_usage/image_gen"));
    model(naive, at(tree, "model"));
}

/* ---- anthropic ---- */

static void round_of(struct naive *naive, json_t *item)
{
    const char *type = json_string_value(at(item, "type"));
    const char *name = json_string_value(at(item, "model"));

    if (!json_is_object(item)) {
        naive->is_odd = true;
        return;
    }
    if (type != NULL && strcmp(type, "message") == 0) {
        return;
    }
    if (name != NULL && name[0] != '\0' && strcmp(name, naive->words.model) != 0) {
        naive->has_others = true;
        return;
    }
    static const char *const names[] = {"input_tokens", "output_tokens", "cache_read_input_tokens"};
    for (int i = 0; i < 3; i++) {
        long long figure = number(naive, at(item, names[i]));

        if (figure >= 0) {
            add(naive, i, figure);
        }
    }
    long long sum = number(naive, at(item, "cache_creation_input_tokens"));
    long long a = number(naive, at(item, "cache_creation/ephemeral_5m_input_tokens"));
    long long b = number(naive, at(item, "cache_creation/ephemeral_1h_input_tokens"));
    if (sum >= 0 || a >= 0 || b >= 0) {
        sum = sum >= 0 ? sum : (a < 0 ? 0 : a) + (b < 0 ? 0 : b);
        add(naive, 3, sum);
    }
    if (b >= 0) {
        add(naive, 4, b > sum ? sum : b);
    }
}

static void messages_usage(struct naive *naive, json_t *usage)
{
    const char *speed = json_string_value(at(usage, "speed"));
    json_t *rounds = at(usage, "iterations");
    json_t *item = NULL;
    size_t i = 0;
    long long before = 0;
    long long after = 0;
    long long *side[] = {&naive->input, &naive->read, &naive->written};

    if (!json_is_object(usage)) {
        return;
    }
    if (json_is_array(rounds)) {
        memset(naive->beside, -1, sizeof naive->beside);
        json_array_foreach(rounds, i, item)
        {
            round_of(naive, item);
        }
    }
    for (i = 0; i < 3; i++) {
        before += *side[i] < 0 ? 0 : *side[i];
    }
    set(&naive->input, number(naive, at(usage, "input_tokens")));
    set(&naive->read, number(naive, at(usage, "cache_read_input_tokens")));
    written(naive, at(usage, "cache_creation_input_tokens"),
            at(usage, "cache_creation/ephemeral_5m_input_tokens"),
            at(usage, "cache_creation/ephemeral_1h_input_tokens"));
    for (i = 0; i < 3; i++) {
        after += *side[i] < 0 ? 0 : *side[i];
    }
    naive->is_odd |= after < before;
    sides(naive, -1, number(naive, at(usage, "output_tokens")), -1);
    set(&naive->reasoning, number(naive, at(usage, "output_tokens_details/thinking_tokens")));
    set(&naive->searches, number(naive, at(usage, "server_tool_use/web_search_requests")));
    cost(naive, at(usage, "cost"));
    word(naive->words.tier, at(usage, "service_tier"));
    word(naive->words.region, at(usage, "inference_geo"));
    if (speed != NULL && speed[0] != '\0') {
        naive->is_fast = strcmp(speed, "fast") == 0;
    }
}

static void messages(struct naive *naive, json_t *tree, bool is_event)
{
    json_t *usage = is_event ? at(tree, "message/usage") : NULL;

    model(naive, is_event ? at(tree, "message/model") : at(tree, "model"));
    messages_usage(naive, json_is_object(usage) ? usage : at(tree, "usage"));
}

void naive_document(struct naive *naive, const char *text, size_t len, bool is_event)
{
    json_error_t error;
    json_t *tree = json_loadb(text, len, JSON_ALLOW_NUL, &error);

    if (tree == NULL) {
        naive->is_beyond |= json_error_code(&error) == json_error_numeric_overflow;
        return;
    }
    switch (naive->operation) {
    case NAIVE_CHAT:
    case NAIVE_EMBEDDINGS: chat(naive, tree); break;
    case NAIVE_RESPONSES: response(naive, is_event ? at(tree, "response") : tree); break;
    case NAIVE_MESSAGES: messages(naive, tree, is_event); break;
    }
    json_decref(tree);
}

/* ---- what it comes to ---- */

static void take_out(long long *whole, long long *part, bool *is_odd)
{
    if (*whole >= 0 && *part > 0) {
        if (*part > *whole) {
            *is_odd = true;
            *part = *whole;
        }
        *whole -= *part;
    }
}

static void compare_total(const struct naive *naive, struct naive_usage *usage)
{
    long long beside = naive->beside[1] < 0 ? 0 : naive->beside[1];
    long long rest = naive->total - (usage->input < 0 ? 0 : usage->input) -
                     (usage->output < 0 ? 0 : usage->output);

    if (naive->total < 0 || rest == 0) {
        return;
    }
    if (usage->input >= 0 && usage->output >= 0) {
        if (rest != beside) {
            usage->is_odd |= rest != usage->reasoning;
            usage->output += rest > beside ? rest - beside : 0;
        }
        return;
    }
    usage->is_odd = true;
    if (rest > 0 && usage->input >= 0) {
        usage->output = rest;
    } else if (rest > 0 && usage->output >= 0) {
        usage->input = rest;
    }
}

static void top_up(long long *figure, long long more)
{
    if (more >= 0) {
        *figure = (*figure < 0 ? 0 : *figure) + more;
    }
}

static void only_input(const struct naive *naive, struct naive_usage *usage)
{
    if (usage->input < 0) {
        usage->input = naive->total;
    } else if (naive->total >= 0 && naive->total != usage->input) {
        usage->is_odd = true;
    }
}

static void split(const struct naive *naive, struct naive_usage *usage, long long whole)
{
    usage->written_short = whole;
    if (whole >= 0 && naive->written_long >= 0) {
        usage->is_odd |= naive->written_long > whole;
        usage->written_long = naive->written_long > whole ? whole : naive->written_long;
        usage->written_short = whole - usage->written_long;
    }
}

void naive_usage(const struct naive *naive, struct naive_usage *usage)
{
    long long whole = naive->written;
    long long more = naive->beside[3];

    *usage = naive->words;
    usage->input = naive->input;
    usage->output = naive->output;
    usage->cache_read = naive->read;
    usage->written_short = usage->written_long = -1;
    usage->audio_input = naive->parts[0];
    usage->image_input = naive->parts[1];
    usage->audio_output = naive->parts[2];
    usage->reasoning = naive->reasoning;
    usage->searches = naive->searches;
    usage->is_odd = naive->is_odd;
    usage->has_others = naive->has_others;
    if (naive->is_fast) {
        memcpy(usage->tier, "fast", 5);
    }
    if (naive->operation == NAIVE_EMBEDDINGS && naive->output <= 0) {
        only_input(naive, usage);
    } else {
        compare_total(naive, usage);
    }
    if (naive->operation != NAIVE_MESSAGES) {
        take_out(&usage->input, &usage->cache_read, &usage->is_odd);
        take_out(&usage->input, &whole, &usage->is_odd);
        take_out(&usage->input, &usage->audio_input, &usage->is_odd);
        take_out(&usage->input, &usage->image_input, &usage->is_odd);
    }
    take_out(&usage->output, &usage->audio_output, &usage->is_odd);
    split(naive, usage, whole);
    top_up(&usage->input, naive->beside[0]);
    top_up(&usage->output, naive->beside[1]);
    top_up(&usage->cache_read, naive->beside[2]);
    top_up(&usage->written_long, naive->beside[4]);
    if (more >= 0) {
        top_up(&usage->written_short, more - (naive->beside[4] < 0 ? 0 : naive->beside[4]));
    }
    if (usage->output >= 0 && usage->reasoning > usage->output) {
        usage->reasoning = usage->output;
        usage->is_odd = true;
    }
}
