/* SPDX-License-Identifier: Apache-2.0 */
/* Azure OpenAI (azure-openai.md 1, 2). Two forms of address: with the version "v1" or "preview" the
 * path is /openai/v1/{route} and the body's model names the deployment; with a dated version, the
 * classic form, the deployment stands in the path and the version in the query. */
#include "wire/provider.h"

static const struct span v1 = SPAN("v1");
static const struct span version_name = SPAN("api-version");

static bool is_classic(struct span version)
{
    return version.len > 0 && version.at[0] >= '0' && version.at[0] <= '9';
}

static struct span without_end(struct span path, struct span end)
{
    return span_ends(path, end) ? span_make(path.at, path.len - end.len) : path;
}

/* People copy the resource's address, the SDK's (/openai) or the new form's (/openai/v1). Of another
 * path that ends in /v1 the customer knows more than we do: a front of their own. */
static void put_base(struct buf *out, struct span path, struct span version)
{
    if (is_classic(version)) {
        path = without_end(path, SPAN_OF("/v1"));
    } else if (span_ends(path, SPAN_OF("/v1"))) {
        buf_put(out, path);
        return;
    }
    buf_put(out, without_end(path, SPAN_OF("/openai")));
    buf_put_text(out, is_classic(version) ? "/openai" : "/openai/v1");
}

/* Which routes of the classic form stand under a deployment. Of those that are not read here
 * (/audio, /images) nobody knows it. "." and ".." name none, and would take the path apart at
 * whoever resolves them. */
static bool is_deployed(struct span path, struct span name)
{
    if (name.len == 0 || span_equal(name, SPAN_OF(".")) || span_equal(name, SPAN_OF(".."))) {
        return false;
    }
    return span_equal(path, SPAN_OF("/chat/completions")) ||
           span_equal(path, SPAN_OF("/completions")) || span_equal(path, SPAN_OF("/embeddings"));
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '~' || c == '.';
}

/* The name may be the app's: no slash, mark or blank of it may mean anything in the path. */
static void put_encoded(struct buf *out, struct span name)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];

        if (is_unreserved(name.at[i])) {
            buf_put_char(out, name.at[i]);
        } else {
            buf_put_char(out, '%');
            buf_put_char(out, digits[c >> 4]);
            buf_put_char(out, digits[c & 15U]);
        }
    }
}

/* The app's query without a version of its own: the settings' counts. */
static void put_query(struct buf *out, struct span query, struct span version)
{
    bool is_first = true;

    if (version.len > 0) {
        buf_put_char(out, '?');
        buf_put(out, version_name);
        buf_put_char(out, '=');
        buf_put(out, version);
        is_first = false;
    }
    while (query.len > 0) {
        struct span pair = span_cut(&query, '&');
        struct span name = pair;

        name = span_cut(&name, '=');
        if (version.len > 0 && span_equal(name, version_name)) {
            continue;
        }
        buf_put_char(out, is_first ? '?' : '&');
        buf_put(out, pair);
        is_first = false;
    }
}

static void put_target(struct buf *out, const struct provider_where *where)
{
    /* v1 is what a request without a version means, and where projects are served it must be left
     * out. */
    struct span version = span_equal(where->version, v1) ? span_make("", 0) : where->version;

    buf_put(out, where->base);
    if (is_classic(version) && is_deployed(where->path, where->model)) {
        buf_put_text(out, "/deployments/");
        put_encoded(out, where->model);
    }
    buf_put(out, where->path);
    put_query(out, where->query, version);
}

static void dress(struct buf *out, struct span key)
{
    buf_put_text(out, "api-key: ");
    buf_put(out, key);
    buf_put_text(out, "\r\n");
}

const struct provider_kind provider_azure_openai = {
    .name = "azure_openai",
    .dialect = &dialect_openai,
    .base_url_form = "https://<resource>.openai.azure.com",
    .key_variable = "AZURE_OPENAI_API_KEY",
    .has_deployments = true,
    .dress = dress,
    .put_base = put_base,
    .put_target = put_target,
};
