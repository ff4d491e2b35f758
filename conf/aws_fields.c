/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of providers at Amazon. A key of Bedrock's own is worn like any other; access keys sign, and are taken from
 * AWS's own variables where nothing is written. */
#include "conf/aws_fields.h"

#include "conf/cloud_fields.h"
#include "conf/snapshot.h"
#include "wire/sigv4.h"

static const char key_id_variable[] = "AWS_ACCESS_KEY_ID";
static const char secret_variable[] = "AWS_SECRET_ACCESS_KEY";
static const char token_variable[] = "AWS_SESSION_TOKEN";

/* ---- fields ---- */

static bool has_apis(struct reader *reader, const struct node *node, const struct provider *provider)
{
    return cloud_is_of_kind(reader, node, provider, provider->kind != NULL && provider->kind->api != NULL, "bedrock");
}

/* The interface of this name, of the one that stands first in the registry and those behind it. */
static const struct provider_kind *api_of(const struct provider_kind *first, struct span name)
{
    const struct provider_kind *one = first;

    while (one != NULL && !span_equal(name, span_of(one->api))) {
        one = one->other_api;
    }
    return one;
}

static void take_api(struct provider *provider, const struct provider_kind *kind)
{
    provider->kind = kind;
    provider->dialect = kind->dialect;
    provider->has_api = true;
}

void aws_read_api(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct span text = {NULL, 0};
    const struct provider_kind *kind = NULL;

    if (!has_apis(reader, node, provider) || provider->kind == NULL || !reader_text(reader, node, &text)) {
        return;
    }
    kind = api_of(provider->kind, text);
    if (kind == NULL) {
        complaint_help(reader_complain(reader, node->place, "must be converse or openai"),
                       "converse serves all of Bedrock's models, openai those that have OpenAI's form there");
        return;
    }
    take_api(provider, kind);
}

static void read_secret(struct reader *reader, const struct node *node, const struct provider *provider,
                        struct span *secret)
{
    struct span text = {NULL, 0};

    if (!has_apis(reader, node, provider) || !reader_secret(reader, node, &text)) {
        return;
    }
    if (text.len == 0) {
        reader_complain(reader, node->place, "is empty");
        return;
    }
    *secret = text;
}

void aws_read_access_key_id(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;

    read_secret(reader, node, provider, &provider->access_key_id);
}

void aws_read_secret_access_key(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;

    read_secret(reader, node, provider, &provider->credential);
}

void aws_read_session_token(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;

    read_secret(reader, node, provider, &provider->session_token);
}

/* ---- what nobody wrote ---- */

static bool is_set(struct reader *reader, const char *name, const char *file_name)
{
    return reader->world->variable(reader->world->to, span_of(name)).len > 0 ||
           reader->world->variable(reader->world->to, span_of(file_name)).len > 0;
}

/* Whether only access keys are in the environment. Bedrock's own key comes first, as in AWS's SDKs. */
static bool has_keys_alone(struct reader *reader)
{
    return !is_set(reader, "AWS_BEARER_TOKEN_BEDROCK", "AWS_BEARER_TOKEN_BEDROCK_FILE") &&
           is_set(reader, key_id_variable, "AWS_ACCESS_KEY_ID_FILE");
}

static bool is_unwritten(const struct provider *provider)
{
    return provider->credential_mode == CREDENTIAL_SECRET && provider->credential.len == 0;
}

void aws_settle_api(struct reader *reader, struct provider *provider)
{
    const struct provider_kind *kind = provider->kind;
    bool signs = provider->access_key_id.len > 0;

    if (kind == NULL || kind->api == NULL || provider->has_api) {
        return;
    }
    if (signs || (is_unwritten(provider) && has_keys_alone(reader))) {
        kind = api_of(kind, SPAN_OF("converse"));
    }
    take_api(provider, kind);
}

bool aws_takes_keys(struct reader *reader, const struct node *node, struct provider *provider)
{
    if (provider->kind->api == NULL) {
        return false;
    }
    if (provider->access_key_id.len > 0 || provider->credential.len > 0 || provider->session_token.len > 0) {
        return true; /* aws_check says what is missing */
    }
    if (!has_keys_alone(reader)) {
        return false;
    }
    provider->credential_variable = key_id_variable;
    if (reader_variable_secret(reader, node->key_place, key_id_variable, &provider->access_key_id) &&
        reader_variable_secret(reader, node->key_place, secret_variable, &provider->credential)) {
        (void)reader_variable_secret(reader, node->key_place, token_variable, &provider->session_token);
    }
    return true;
}

bool aws_may_sign(const struct node *node, const struct provider *provider)
{
    return provider->kind->signs_for != NULL ||
           (provider->kind->api != NULL && node_child(node, SPAN_OF("api")) == NULL);
}

/* ---- what goes together ---- */

static void check_keys(struct reader *reader, const struct node *node, const struct provider *provider)
{
    if (provider->access_key_id.len == 0) {
        complaint_help(reader_complain(reader, node->key_place, "has no access_key_id"),
                       "access_key_id and secret_access_key come together, or set %s and %s", key_id_variable,
                       secret_variable);
    } else if (provider->credential.len == 0) {
        complaint_help(reader_complain(reader, node->key_place, "has an access key and no secret_access_key"),
                       "write secret_access_key, or set %s and %s and write neither", key_id_variable,
                       secret_variable);
    } else if (provider->credential.len > SIGV4_SECRET_MAX) {
        reader_complain(reader, node->key_place, "has a secret_access_key of more than %d bytes", SIGV4_SECRET_MAX);
    } else if (provider->kind->signs_for == NULL) {
        complaint_help(reader_complain(reader, node->key_place, "cannot sign for this api"),
                       "api: converse takes access keys; api: openai a key of Bedrock's own, in credential or "
                       "AWS_BEARER_TOKEN_BEDROCK");
    } else if (provider->region.len == 0 && node_child(node, SPAN_OF("region")) == NULL &&
               node_child(node, SPAN_OF("base_url")) != NULL) {
        complaint_help(reader_complain(reader, node->key_place, "has no region"),
                       "requests are signed for one: write region, like us-east-1 or \"${AWS_REGION}\"");
    }
}

void aws_check(struct reader *reader, const struct node *node, const struct provider *provider)
{
    static const struct span names[] = {SPAN("access_key_id"), SPAN("secret_access_key"), SPAN("session_token")};
    bool has_keys = provider->access_key_id.len > 0;

    if (provider->kind->api == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        has_keys = has_keys || node_child(node, names[i]) != NULL;
    }
    if (has_keys && node_child(node, SPAN_OF("credential")) != NULL) {
        complaint_help(reader_complain(reader, node->key_place, "has a credential beside access keys"),
                       "requests carry the one or are signed with the other: leave one of them out");
    } else if (has_keys) {
        check_keys(reader, node, provider);
    } else if (provider->dialect == &dialect_bedrock && provider->credential_mode == CREDENTIAL_PASSTHROUGH &&
               node_child(node, SPAN_OF("credential")) != NULL) {
        complaint_help(reader_complain(reader, node->key_place, "has credential: passthrough and api: converse"),
                       "no app speaks Converse, so none has a key for it: write one, or access keys");
    }
}
