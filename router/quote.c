/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of the input is the count and its error, or the bytes where nothing is counted: a token
 * has at least one, and what a provider puts around a message is less than the JSON around it. A
 * picture is no text, and has a ceiling by the model. Of what else is no text, or is not in the
 * request, nobody knows more than that it has to fit into the model's context. Of the output it is
 * the cap. The dearest prices that can apply do the rest (price_upper). */
#include "router/quote.h"

#include "base/must.h"
#include "pricing/family.h"
#include "wire/json_walk.h"
#include "wire/estimate.h"
#include "wire/json_value.h"

enum {
    PERMILLE = 1000,
    TOOLS_FRAME = 600,
    ANSWERS_MAX = 1024,
    /* A body of megabytes is images, not text: more than this would keep targets out for nothing.
     */
    INPUT_MAX = 32768
};

/* ---- the request ---- */

/* What an app runs itself; a tool without a type is one of Anthropic's that apps define. */
static bool is_own_tool(struct span tool)
{
    static const char *const types[] = {"\"function\"",   "\"custom\"", "\"local_shell",
                                        "\"apply_patch",  "\"bash_",    "\"memory_",
                                        "\"text_editor_", "\"computer"};
    struct span type = json_walk_find(tool, "type");

    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (span_starts(type, span_of(types[i]))) {
            return true;
        }
    }
    return type.len == 0;
}

static bool has_foreign_tool(struct span tools)
{
    struct json_walk walk = json_walk_of(tools);
    struct span tool;

    while (json_walk_item(&walk, &tool)) {
        if (!is_own_tool(tool)) {
            return true;
        }
    }
    return false;
}

static int64_t number_of(struct span value, int64_t otherwise)
{
    int64_t number = 0;

    return value.len > 0 && json_integer(value, &number) == ERR_NONE && number > otherwise &&
                   number <= ANSWERS_MAX
               ? number
               : otherwise;
}

static void read_tier(struct span tier, struct span speed, struct quote_request *quoted)
{
    if (json_is_text(tier, "auto")) {
        quoted->may_be_faster = true;
    } else if (json_is_string(tier) && !json_is_text(tier, "standard_only")) {
        usage_word_set(&quoted->tier, span_make(tier.at + 1, tier.len - 2));
    }
    if (json_is_text(speed, "fast")) {
        usage_word_set(&quoted->tier, SPAN_OF("fast"));
    }
}

/* OpenAI's caches fill by themselves, Anthropic's and Bedrock's where a request says so. */
static bool may_write_cache(struct span body, const struct request *request)
{
    if (request->dialect == &dialect_bedrock) {
        return span_find(body, SPAN_OF("\"cachePoint\"")) != NULL;
    }
    return request->dialect != &dialect_anthropic ||
           span_find(body, SPAN_OF("\"cache_control\"")) != NULL;
}

static bool has_output(const struct operation *operation)
{
    return operation->unfold != NULL || operation->read_event != NULL;
}

void quote_read_plain(struct span body, const struct request *request,
                      struct quote_request *quoted)
{
    *quoted = (struct quote_request){
        .bytes = body.len,
        .output_cap = request->output_cap,
        .answers = request->answers,
        .has_output = has_output(request->operation),
        .may_write_cache = may_write_cache(body, request),
    };
}

/* A tool of Google's is a member beside those that the app declares. */
static bool has_hosted_tool(struct span tools)
{
    struct json_walk walk = json_walk_of(tools);
    struct span tool;
    struct span name;
    struct span value;

    while (json_is_array(tools) && json_walk_item(&walk, &tool)) {
        struct json_walk members = json_walk_of(tool);

        while (json_is_object(tool) && json_walk_member(&members, &name, &value)) {
            if (!json_is_text(name, "functionDeclarations") &&
                !json_is_text(name, "function_declarations")) {
                return true;
            }
        }
    }
    return false;
}

/* Gemini: the answers are counted with the cap, what is spoken is asked for by a word. */
static void read_gemini(struct span body, const struct request *request,
                        struct quote_request *quoted)
{
    enum { TOOLS, TIER, TIER_TOO, MEMBERS };
    static const char *const names[MEMBERS] = {"tools", "serviceTier", "service_tier"};
    struct span values[MEMBERS];

    json_walk_pick(json_walk_document(body), names, MEMBERS, values);
    quote_read_plain(body, request, quoted);
    quoted->has_tools = json_is_array(values[TOOLS]);
    quoted->runs_tools = has_hosted_tool(values[TOOLS]);
    quoted->may_speak = span_find(body, SPAN_OF("\"AUDIO\"")) != NULL;
    read_tier(values[TIER].len > 0 ? values[TIER] : values[TIER_TOO], span_make(NULL, 0), quoted);
}

void quote_read(struct span body, const struct request *request, struct quote_request *quoted)
{
    enum { N, BEST_OF, TIER, SPEED, TOOLS, SEARCH, AUDIO, PROMPT, MEMBERS };
    static const char *const names[MEMBERS] = {
        "n", "best_of", "service_tier", "speed", "tools", "web_search_options", "audio", "prompt"};
    struct span values[MEMBERS];

    if (request->dialect == &dialect_gemini) {
        read_gemini(body, request, quoted);
        return;
    }
    if (request->dialect == &dialect_bedrock) { /* of our own making: the app's tools and nothing hosted */
        quote_read_plain(body, request, quoted);
        quoted->has_tools = json_walk_find(json_walk_document(body), "toolConfig").len > 0;
        return;
    }
    json_walk_pick(json_walk_document(body), names, MEMBERS, values);
    *quoted = (struct quote_request){
        .bytes = body.len,
        .output_cap = request->output_cap,
        .answers = number_of(values[BEST_OF], number_of(values[N], 1)),
        .has_output = has_output(request->operation),
        .has_tools = json_is_array(values[TOOLS]),
        .runs_tools = has_foreign_tool(values[TOOLS]) || json_is_object(values[SEARCH]) ||
                      json_is_object(values[PROMPT]), /* a stored one may have tools of its own */
        .may_write_cache = may_write_cache(body, request),
        .may_speak = json_is_object(values[AUDIO]),
    };
    read_tier(values[TIER], values[SPEED], quoted);
}

struct estimate quote_estimate(size_t body_bytes, int64_t output_cap)
{
    uint64_t input = estimate_input(body_bytes);

    return (struct estimate){.input_tokens = input < INPUT_MAX ? input : INPUT_MAX,
                             .output_tokens = estimate_output(output_cap)};
}

int64_t quote_length(const struct guesses *guesses, const struct way *way,
                     const struct plan_ask *ask, int64_t cap)
{
    size_t count = way->route != NULL ? way->route->targets_count : 1;
    const struct target *targets = way->route != NULL ? way->route->targets : &way->direct;
    int64_t sum = 0;
    int64_t known = 0;

    for (size_t i = 0; i < count && guesses != NULL; i++) {
        const struct target *target = &targets[i];
        struct span model = target->model.len > 0 ? target->model : ask->model;
        struct guess length;

        if (plan_serves(target, way->rules, ask->dialect, ask->operation)) {
            length = guesses_tokens(guesses, guesses_key(guesses, target->provider->name, model),
                                    GUESS_LENGTH, GUESS_ONE_ANSWER);
            sum += length.is_learned ? length.tokens : 0;
            known += length.is_learned;
        }
    }
    sum = known > 0 ? sum / known : 0;
    return cap < 0 || sum < cap ? sum : 0;
}

/* ---- words ---- */

const char *quote_how_word(enum quote_how how)
{
    static const char *const words[] = {"exact",   "estimated", "ratio", "assumed",
                                        "learned", "cap",       "none"};

    return words[how];
}

const char *quote_open_word(enum quote_open open)
{
    static const char *const words[] = {"", "media", "elsewhere", "tools", "output"};

    return words[open];
}

const char *quote_open_text(enum quote_open open)
{
    static const char *const texts[] = {
        "", "what sound or files take is not known here, and neither is the model's context",
        "part of the conversation is kept by the provider",
        "the provider runs tools, which read and charge on their own",
        "the request has no output cap that bounds it, and the model's maximum is not known"};

    return texts[open];
}

/* ---- tokens ---- */

uint64_t quote_bytes(uint64_t bytes, const struct chat_count *count)
{
    return bytes > count->picture_bytes ? bytes - count->picture_bytes : 0;
}

bool quote_count_is_better(const struct chat_count *count, const struct guess *ratio)
{
    return !count->is_elsewhere &&
           (count->is_exact || count->error_permille < ratio->error_permille ||
            (count->error_permille == ratio->error_permille && !ratio->is_learned));
}

/* All text of the body, and what a provider adds for tools. */
static int64_t bound_of_bytes(const struct quote_request *request, const struct chat_count *count)
{
    return (int64_t)quote_bytes(request->bytes, count) + (request->has_tools ? TOOLS_FRAME : 0);
}

/* What the model takes at most; -1: not known. Where a price begins beyond it, there is a way to more
 * (a beta header of Anthropic's). */
static int64_t context_of(const struct price *price)
{
    int64_t context = price != NULL && price->context > 0 ? price->context : -1;

    for (size_t i = 0; context > 0 && i < price->counts.cases; i++) {
        if (price->cases[i].over >= context) {
            return -1;
        }
    }
    return context;
}

static void quote_input(const struct quote_ask *ask, struct span model,
                        const struct quote_counts *counts, struct quote *quote)
{
    struct quote_tokens *input = &quote->input;
    int64_t bytes = bound_of_bytes(ask->request, &counts->count);
    int64_t counted = (int64_t)counts->count.tokens;
    int64_t error = counts->count.error_permille;
    int64_t most = counted + (counted * error + PERMILLE - 1) / PERMILLE;

    *input = (struct quote_tokens){
        .likely = counts->ratio.tokens,
        .error_permille = counts->ratio.error_permille,
        .how = counts->ratio.is_learned ? QUOTE_RATIO : QUOTE_ASSUMED,
    };
    if (counts->is_counted && quote_count_is_better(&counts->count, &counts->ratio)) {
        input->likely = counted;
        input->error_permille = (uint32_t)error;
        input->how = counts->count.is_exact ? QUOTE_EXACT : QUOTE_ESTIMATED;
    }
    /* Of a vocabulary that is only supposed the error is, too. */
    input->most = counts->is_counted && error < PERMILLE && most < bytes && family_of(model).is_known
                      ? most
                      : bytes;
    if (input->most < input->likely) {
        input->most = input->likely;
    }
    if (counts->count.pictures > 0) {
        quote->pictures = (int64_t)counts->count.pictures * family_of(model).image_tokens;
        input->most += quote->pictures;
    }
    if (counts->count.media > counts->count.pictures || counts->count.is_elsewhere) {
        input->most = context_of(quote->price);
        if (input->most >= 0 && input->likely > input->most) {
            input->likely = input->most;
        }
    }
}

static int64_t times(int64_t tokens, int64_t answers)
{
    return tokens > INT64_MAX / answers ? INT64_MAX : tokens * answers;
}

static void quote_output(const struct quote_ask *ask, const struct price *price,
                         struct quote_tokens *output)
{
    const struct quote_request *request = ask->request;
    int64_t cap = request->output_cap;

    *output = (struct quote_tokens){.how = QUOTE_NONE};
    if (!request->has_output) {
        return;
    }
    if (ask->length > 0) {
        output->how = QUOTE_LEARNED;
        output->likely = ask->length;
    } else { /* as the strategies have it */
        output->how = cap >= 0 ? QUOTE_CAP : QUOTE_ASSUMED;
        output->likely = (int64_t)estimate_output(cap);
    }
    if (price != NULL && price->output_max >= 0 && (cap < 0 || cap > price->output_max)) {
        cap = price->output_max;
    }
    if (cap >= 0 && cap < output->likely) {
        output->likely = cap;
    }
    output->likely = times(output->likely, request->answers);
    output->most = cap < 0 ? -1 : times(cap, request->answers);
}

/* ---- money ---- */

static enum quote_open open_of(const struct quote_ask *ask, const struct quote_counts *counts,
                               const struct quote *quote)
{
    if (quote->input.most < 0) {
        return counts->count.is_elsewhere ? QUOTE_OPEN_ELSEWHERE : QUOTE_OPEN_MEDIA;
    }
    if (ask->request->runs_tools) {
        return QUOTE_OPEN_TOOLS;
    }
    return quote->output.most < 0 ? QUOTE_OPEN_OUTPUT : QUOTE_BOUNDED;
}

static void price_quote(const struct quote_ask *ask, const struct target *target,
                        struct quote *quote)
{
    struct price_terms terms = cost_terms(target, ask->at);
    struct price_bounds bounds = {.input = quote->input.most,
                                  .output = quote->output.most,
                                  .may_write_cache = ask->request->may_write_cache,
                                  .may_hear = quote->media > 0,
                                  .may_speak = ask->request->may_speak,
                                  .may_be_faster = ask->request->may_be_faster};

    for (size_t i = 0; i < FEE_KINDS; i++) {
        bounds.fees[i] = -1;
    }
    terms.tier = ask->request->tier;
    price_likely(quote->price, quote->input.likely, quote->output.likely, &terms, &quote->likely);
    if (quote->open == QUOTE_BOUNDED) {
        price_upper(quote->price, &bounds, &terms, &quote->most);
        quote->open = quote->most.saturated ? QUOTE_OPEN_OUTPUT : QUOTE_BOUNDED;
    }
}

void quote_make(const struct quote_ask *ask, const struct target *target,
                const struct quote_counts *counts, struct quote *quote)
{
    struct span model = target->model.len > 0 ? target->model : ask->model;

    *quote = (struct quote){.price = cost_price(ask->prices, target, ask->model, ask->at),
                            .media = counts->count.media};
    quote_input(ask, cost_model(target->provider, model), counts, quote);
    quote_output(ask, quote->price, &quote->output);
    quote->open = open_of(ask, counts, quote);
    if (quote->price != NULL) {
        price_quote(ask, target, quote);
    }
}
