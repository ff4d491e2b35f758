/* SPDX-License-Identifier: Apache-2.0 */
/* providers.<name>: who is called, where, with which key. */
#include "conf/section.h"

#include "base/suggest.h"
#include "conf/aws_fields.h"
#include "conf/base_path.h"
#include "conf/cloud_fields.h"
#include "conf/fixture_fields.h"
#include "conf/names.h"
#include "conf/url.h"
#include "wire/habits.h"

enum { KINDS_MAX = 16, ADDRESS_MAX = 8192 };

/* ---- kind ---- */

static void read_kind(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct span names[KINDS_MAX];
    struct span text = {NULL, 0};
    size_t count = 0;
    int near = -1;
    struct complaint *complaint = NULL;

    reader->places.kinds[provider->index] = node->place;
    if (!reader_text(reader, node, &text)) {
        return;
    }
    provider->kind = provider_by_name(text);
    if (provider->kind != NULL) {
        provider->dialect = provider->kind->dialect;
        provider->drains = provider->kind->drains;
        return;
    }
    for (; count < KINDS_MAX && provider_at(count) != NULL; count++) {
        names[count] = span_of(provider_at(count)->name);
    }
    near = suggest_nearest(text, names, count);
    complaint = reader_complain(reader, node->place, "is no known kind of provider");
    if (near >= 0) {
        complaint_help(complaint, "did you mean \"%.*s\"?", SPAN_ARGS(names[near]));
    } else {
        complaint_help(complaint, "kinds: openai, anthropic, gemini, azure_openai, bedrock, fixtures; "
                                  "compatible for all others that speak OpenAI's dialect");
    }
}

/* ---- base_url ---- */

/* Anthropic's paths begin with /v1 on whatever host; others write it into their address. */
static enum url_version version_of(const struct provider *provider)
{
    if (provider->dialect == &dialect_bedrock || (provider->dialect != NULL && provider->dialect->version.len > 0)) {
        return URL_VERSION_NEVER;
    }
    return provider->dialect == &dialect_anthropic ? URL_VERSION_ALWAYS : URL_VERSION_ALONE;
}

static void set_endpoint(struct reader *reader, const struct url *url, struct provider *provider)
{
    if (url_make_endpoint(url, version_of(provider), &reader->snapshot->arena,
                          &provider->endpoint) != ERR_NONE) {
        reader->has_no_memory = true;
    }
    cloud_settle_path(reader, provider, url->path);
}

static void read_base_url(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct span text = {NULL, 0};
    struct why why = {""};
    struct url url;

    reader->places.base_urls[provider->index] = node->place;
    aws_settle_api(reader, provider);
    if (url_has_userinfo(node->text)) {
        reader_hide(reader, node);
    }
    if (!reader_text(reader, node, &text)) {
        return;
    }
    if (url_read(text, &url, &why) != ERR_NONE) {
        complaint_help(reader_complain(reader, node->place, "%s", why.text), "%s",
                       span_find(text, SPAN_OF("api-version=")) == NULL ? "" : "the version is the setting api_version");
        return;
    }
    base_path_check(reader, node, provider, url.path);
    set_endpoint(reader, &url, provider);
}

/* Without the key: the kind's own address, if it has one. */
static void default_base_url(struct reader *reader, const struct node *node,
                             struct provider *provider)
{
    const char *form = provider->kind->base_url_form;
    struct span text = {NULL, 0};
    struct why why = {""};
    struct url url;

    if (provider->kind->base_url == NULL) {
        complaint_help(reader_complain(reader, node->key_place, "has no base_url"),
                       "kind %s has no address of its own%s%s", provider->kind->name,
                       form == NULL ? "" : ": ", form == NULL ? "" : form);
        return;
    }
    if (cloud_base_url(reader, node, provider, &text)) {
        must(url_read(text, &url, &why) == ERR_NONE);
        set_endpoint(reader, &url, provider);
    }
}

/* ---- credential ---- */

static void read_credential(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct span secret = {NULL, 0};

    if (!reader_secret(reader, node, &secret)) {
        return;
    }
    if (secret.len == 0) {
        complaint_help(reader_complain(reader, node->place, "is empty"),
                       "passthrough sends the app's own key on; none sends no key");
    } else if (span_equal(secret, SPAN_OF("passthrough"))) {
        provider->credential_mode = CREDENTIAL_PASSTHROUGH;
    } else if (span_equal(secret, SPAN_OF("none"))) {
        provider->credential_mode = CREDENTIAL_NONE;
    } else {
        provider->credential_mode = CREDENTIAL_SECRET;
        provider->credential = secret;
    }
}

/* Without the key: the kind's variable, or the file that its _FILE variable names. */
static void default_credential(struct reader *reader, const struct node *node,
                               struct provider *provider)
{
    const char *variable = provider->kind->key_variable;

    if (variable == NULL) {
        complaint_help(reader_complain(reader, node->key_place, "has no credential"),
                       "credential: \"${NAME}\", passthrough (the app's own key goes on) or none");
        return;
    }
    provider->credential_variable = provider->kind->key_variable_first;
    if (provider->credential_variable != NULL &&
        !reader_variable_secret(reader, node->key_place, provider->credential_variable,
                                &provider->credential)) {
        return;
    }
    if (provider->credential.len == 0) {
        provider->credential_variable = variable;
        if (!reader_variable_secret(reader, node->key_place, variable, &provider->credential)) {
            return;
        }
    }
    provider->credential_mode =
        provider->credential.len > 0 ? CREDENTIAL_SECRET : CREDENTIAL_PASSTHROUGH;
    if (provider->credential.len == 0 && !reader->has_no_file) {
        complaint_help(reader_complain(reader, node->key_place, "has no credential, and the variable %s is not set",
                                       variable),
                       "set %s, or write %s%snone", variable,
                       aws_may_sign(node, provider) ? "access_key_id and secret_access_key, or " : "",
                       provider->dialect == &dialect_bedrock ? "credential: "
                                                             : "credential: passthrough (the app's own key goes on) or ");
    }
}

/* ---- the rest ---- */

static void read_ca_file(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;

    (void)reader_text(reader, node, &provider->ca_file);
}

static bool read_header(struct reader *reader, const struct node *node, struct span text,
                        void *item)
{
    struct span *header = item;
    char *copy = reader_take(reader, text.len);

    if (copy == NULL) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        copy[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    *header = span_make(copy, text.len);
    if (!name_is_header(*header)) {
        reader_complain(reader, node->place, "must be the name of a header");
        return false;
    }
    if (name_is_managed_header(*header)) {
        complaint_help(reader_complain(reader, node->place, "is a header that never passes"),
                       "headgate sets it, it ends at this hop, or it carries a credential");
        return false;
    }
    return true;
}

static void read_forward_headers(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    void *items = NULL;

    reader_items(reader, node, read_header, sizeof(struct span), &items,
                 &provider->forward_headers_count);
    provider->forward_headers = items;
}

static const struct field pool_rows[] = {
    {.name = "idle",
     .type = FIELD_U32,
     .place = offsetof(struct provider, pool_idle),
     .initial = "64",
     .min = "0",
     .max = "10000",
     .help = "connections kept warm"},
    {.name = "idle_time",
     .type = FIELD_DURATION,
     .place = offsetof(struct provider, pool_idle_ms),
     .initial = "20s",
     .min = "1s",
     .max = "1h",
     .help = "how long one is kept without use"},
    {.name = "life",
     .type = FIELD_DURATION,
     .place = offsetof(struct provider, pool_life_ms),
     .initial = "300s",
     .min = "1s",
     .max = "1d",
     .help = "how old one may get"},
};

static const struct field_table pool_fields = FIELD_TABLE(pool_rows);

/* ---- breaker ---- */

static const struct field breaker_rows[] = {
    {.name = "failures",
     .type = FIELD_U32,
     .place = offsetof(struct trip_rule, failures),
     .initial = "5",
     .min = "1",
     .max = "1000",
     .help = "so many in a row open it"},
    {.name = "ratio",
     .type = FIELD_PERCENT,
     .place = offsetof(struct trip_rule, ratio_percent),
     .initial = "50%",
     .min = "1%",
     .max = "100%",
     .help = "this share of failures in the window opens it"},
    {.name = "window",
     .type = FIELD_DURATION,
     .place = offsetof(struct trip_rule, window_ms),
     .initial = "30s",
     .min = "1s",
     .max = "10m",
     .help = "what the ratio looks back on"},
    {.name = "open",
     .type = FIELD_DURATION,
     .place = offsetof(struct trip_rule, open_ms),
     .initial = "5s",
     .min = "100ms",
     .max = "120s",
     .help = "how long it stays open the first time; doubled with each further time"},
    {.name = "silence",
     .type = FIELD_DURATION,
     .place = offsetof(struct trip_rule, silence_ms),
     .initial = "10s",
     .min = "100ms",
     .max = "10m",
     .may_be_off = true,
     .help = "so long without a sign, from ten attempts on, opens it; or off"},
};

static const struct field_table breaker_fields = FIELD_TABLE(breaker_rows);

/* ---- on_abort ---- */

static const struct span abort_words[] = {SPAN("cancel"), SPAN("drain")};

/* ---- the mapping ---- */

#define KIND_ROW                                                                                   \
    {                                                                                              \
        .name = "kind", .type = FIELD_CUSTOM, .read = read_kind, .is_required = true,              \
        .help = "openai, anthropic, gemini, azure_openai, bedrock, compatible or fixtures"                                \
    }

#define BREAKER_ROW                                                                                \
    {                                                                                              \
        .name = "breaker", .type = FIELD_MAP, .place = offsetof(struct provider, breaker),         \
        .inner = &breaker_fields, .help = "when it is left alone after failures, and for how long" \
    }

/* Kinds that are called over the network. */
static const struct field remote_rows[] = {
    KIND_ROW,
    /* Before base_url, whose path they have a say in. */
    {.name = "api_version",
     .type = FIELD_CUSTOM,
     .read = cloud_read_version,
     .initial = "v1",
     .help = "of kind azure_openai: v1, preview, or a date like 2024-10-21 for the classic addresses"},
    {.name = "deployments",
     .type = FIELD_CUSTOM,
     .read = cloud_read_deployments,
     .help = "of kind azure_openai: which model each deployment is of, for its price"},
    {.name = "region",
     .type = FIELD_CUSTOM,
     .read = cloud_read_region,
     .help = "of kind bedrock: where it serves, like us-east-1"},
    {.name = "api",
     .type = FIELD_CUSTOM,
     .read = aws_read_api,
     .help = "of kind bedrock: converse, or openai; by the credential that is there without it"},
    {.name = "access_key_id",
     .type = FIELD_CUSTOM,
     .read = aws_read_access_key_id,
     .is_secret = true,
     .help = "of kind bedrock: AWS's access key, by which requests are signed"},
    {.name = "secret_access_key",
     .type = FIELD_CUSTOM,
     .read = aws_read_secret_access_key,
     .is_secret = true,
     .help = "of kind bedrock: the secret of that key"},
    {.name = "session_token",
     .type = FIELD_CUSTOM,
     .read = aws_read_session_token,
     .is_secret = true,
     .help = "of kind bedrock: the token of a key that is for a time"},
    {.name = "credential",
     .type = FIELD_CUSTOM,
     .read = read_credential,
     .is_secret = true,
     .help = "a key, passthrough (the app's own goes on) or none; the kind's variable without it"},
    {.name = "base_url",
     .type = FIELD_CUSTOM,
     .read = read_base_url,
     .help = "where it is; the kind's own address without it"},
    BREAKER_ROW,
    {.name = "pool", .type = FIELD_MAP, .inner = &pool_fields, .help = "connections kept warm"},
    {.name = "ca_file",
     .type = FIELD_CUSTOM,
     .read = read_ca_file,
     .help = "certificates to trust in place of the system's"},
    {.name = "on_abort",
     .type = FIELD_SWITCH,
     .place = offsetof(struct provider, drains),
     .initial = "cancel",
     .words = abort_words,
     .words_count = ARRAY_LENGTH(abort_words),
     .help = "when the app leaves: cancel the attempt, or drain it for its usage"},
    {.name = "forward_headers",
     .type = FIELD_CUSTOM,
     .read = read_forward_headers,
     .help = "further request headers that pass"},
};

/* Kinds that answer in process. */
static const struct field builtin_rows[] = {
    KIND_ROW,
    BREAKER_ROW,
    {.name = "fixtures",
     .type = FIELD_CUSTOM,
     .read = fixtures_read,
     .help = "what it plays: dialect, latency, tokens_per_second, seed, fail"},
};

static const struct field_table remote_fields = FIELD_TABLE(remote_rows);
static const struct field_table builtin_fields = FIELD_TABLE(builtin_rows);

/* Told by the kind; while that is unknown, by the key that only one of them has. */
static const struct field_table *fields_of(const struct node *node)
{
    const struct node *kind = node_child(node, SPAN_OF("kind"));
    const struct provider_kind *known =
        kind == NULL || kind->kind != NODE_TEXT ? NULL : provider_by_name(kind->text);
    bool is_builtin =
        known != NULL ? known->is_builtin : node_child(node, SPAN_OF("fixtures")) != NULL;

    return is_builtin ? &builtin_fields : &remote_fields;
}

/* What goes for all its models: its address tells. */
static void read_habits(struct provider *provider)
{
    struct buf address;
    unsigned habits = 0;

    buf_init(&address, ADDRESS_MAX);
    buf_put(&address, provider->endpoint.authority);
    buf_put(&address, provider->endpoint.path);
    habits = habits_of(provider->kind->name, buf_span(&address), span_make("", 0));
    buf_fini(&address);
    provider->lacks_responses = (habits & HABIT_NO_RESPONSES) != 0;
    provider->lacks_stream_options = (habits & HABIT_NO_STREAM_OPTIONS) != 0;
}

static void read_provider(struct reader *reader, const struct node *node, struct provider *provider)
{
    field_defaults(&pool_fields, provider);
    field_defaults(&breaker_fields, &provider->breaker);
    reader_map(reader, node, fields_of(node), provider);
    if (node->kind != NODE_MAP || provider->kind == NULL) {
        return;
    }
    if (provider->kind->is_builtin) {
        provider->credential_mode = CREDENTIAL_NONE;
        if (node_child(node, SPAN_OF("fixtures")) == NULL) {
            fixtures_init(reader, provider);
        }
        return;
    }
    aws_settle_api(reader, provider);
    if (node_child(node, SPAN_OF("credential")) == NULL && !aws_takes_keys(reader, node, provider)) {
        default_credential(reader, node, provider);
    }
    if (node_child(node, SPAN_OF("base_url")) == NULL) {
        default_base_url(reader, node, provider);
    } else {
        cloud_check_base_url(reader, node, provider);
    }
    aws_check(reader, node, provider);
    read_habits(provider);
}

static bool take_places(struct reader *reader, size_t count)
{
    reader->places.providers = reader_take(reader, count * sizeof(struct place));
    reader->places.kinds = reader_take(reader, count * sizeof(struct place));
    reader->places.base_urls = reader_take(reader, count * sizeof(struct place));
    return reader->places.providers != NULL && reader->places.kinds != NULL &&
           reader->places.base_urls != NULL;
}

static void read_providers(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct provider *providers = NULL;
    uint16_t index = 0;

    if (!reader_expects(reader, node, NODE_MAP)) {
        return;
    }
    if (node->count == 0) {
        reader_complain(reader, node->key_place, "must name at least one provider");
        return;
    }
    providers = reader_take(reader, node->count * sizeof *providers);
    if (providers == NULL || !take_places(reader, node->count)) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct provider *provider = &providers[index];
        struct path path;

        provider->index = index;
        provider->name = arena_copy(&snapshot->arena, child->key);
        reader->places.providers[index] = child->key_place;
        reader->places.kinds[index] = child->key_place;
        reader->places.base_urls[index] = child->key_place;
        reader_enter(reader, &path, child->key, 0);
        if (!name_is_plain(child->key)) {
            complaint_help(reader_complain(reader, child->key_place, "is no name of a provider"),
                           "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", beginning with a letter "
                           "or digit");
        }
        read_provider(reader, child, provider);
        reader_leave(reader);
        index++;
    }
    reader->providers = providers;
    snapshot->routing.providers = providers;
    snapshot->routing.providers_count = index;
}

static const struct field fields[] = {
    {.name = "providers",
     .type = FIELD_CUSTOM,
     .read = read_providers,
     .is_required = true,
     .help = "who is called, by name: { kind: openai }"},
};

const struct field_table section_providers = FIELD_TABLE(fields);
