/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of providers in the clouds. A kind says which of them it takes. */
#include "conf/cloud_fields.h"

#include <string.h>

#include "conf/names.h"
#include "conf/snapshot.h"

enum { REGION_MAX = 32, DEPLOYMENTS_MAX = 256 };

/* Since then a stream tells its figures when it is asked to; before, asking is a 400 (azure-openai.md
 * 3), and without figures there is nothing to reckon with. */
#define VERSION_LEAST "2024-09-01"

bool cloud_is_of_kind(struct reader *reader, const struct node *node,
                       const struct provider *provider, bool is_taken, const char *kind)
{
    if (provider->kind == NULL || is_taken) {
        return true;
    }
    complaint_help(reader_complain(reader, node->key_place, "is no setting of kind %s",
                                   provider->kind->name),
                   "only of kind %s", kind);
    return false;
}

/* ---- api_version ---- */

static bool is_date(struct span text)
{
    static const char form[] = "dddd-dd-dd";

    if (text.len != sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.at[i] >= '0' && text.at[i] <= '9';

        if (form[i] == 'd' ? !is_digit : text.at[i] != form[i]) {
            return false;
        }
    }
    return true;
}

static bool is_version(struct span text)
{
    static const struct span preview = SPAN("-preview");

    if (span_equal(text, SPAN_OF("v1")) || span_equal(text, SPAN_OF("preview"))) {
        return true;
    }
    if (span_ends(text, preview)) {
        text.len -= preview.len;
    }
    return is_date(text);
}

void cloud_read_version(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct span text = {NULL, 0};

    if (!reader_text(reader, node, &text) ||
        !cloud_is_of_kind(reader, node, provider,
                    provider->kind != NULL && provider->kind->has_deployments, "azure_openai")) {
        return;
    }
    if (!is_version(text)) {
        complaint_help(reader_complain(reader, node->place, "must be v1, preview or a date"),
                       "v1, the default, is for addresses that end in /openai/v1; a date like "
                       "2024-10-21 or 2025-04-01-preview for those with /deployments/ in them");
    } else if (text.len >= sizeof VERSION_LEAST - 1 &&
               memcmp(text.at, VERSION_LEAST, sizeof VERSION_LEAST - 1) < 0) {
        complaint_help(reader_complain(reader, node->place, "must be " VERSION_LEAST " or later"),
                       "before, streams do not say how many tokens they took");
    } else {
        provider->api_version = text;
    }
}

/* ---- deployments ---- */

static void read_deployment(struct reader *reader, const struct node *node,
                            struct provider *provider, struct deployment_model *row)
{
    struct span model = {NULL, 0};

    if (!name_is_model(node->key)) {
        reader_complain(reader, node->key_place, "%s", name_model_rule);
    } else if (reader_text(reader, node, &model)) {
        if (!name_is_model(model)) {
            reader_complain(reader, node->place, "%s", name_model_rule);
            return;
        }
        row->deployment = arena_copy(reader->arena, node->key);
        row->model = model;
        provider->deployments_count++;
    }
}

void cloud_read_deployments(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct deployment_model *rows = NULL;

    if (!cloud_is_of_kind(reader, node, provider,
                    provider->kind != NULL && provider->kind->has_deployments, "azure_openai") ||
        !reader_expects(reader, node, NODE_MAP)) {
        return;
    }
    if (node->count > DEPLOYMENTS_MAX) {
        reader_complain(reader, node->place, "must be at most %d deployments", DEPLOYMENTS_MAX);
        return;
    }
    rows = node->count == 0 ? NULL : reader_take(reader, node->count * sizeof *rows);
    if (rows == NULL) {
        return;
    }
    provider->deployments = rows;
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, child->key, 0);
        read_deployment(reader, child, provider, &rows[provider->deployments_count]);
        reader_leave(reader);
    }
}

/* ---- region ---- */

/* It becomes a part of a host's name: nothing that could make another host of it. */
static bool is_region(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              (c == '-' && i > 0 && i + 1 < text.len))) {
            return false;
        }
    }
    return text.len > 0 && text.len <= REGION_MAX;
}

void cloud_read_region(struct reader *reader, const struct node *node, void *object)
{
    struct provider *provider = object;
    struct span text = {NULL, 0};

    if (!reader_text(reader, node, &text) ||
        !cloud_is_of_kind(reader, node, provider, provider->kind != NULL && provider->kind->has_region,
                    "bedrock")) {
        return;
    }
    if (!is_region(text)) {
        complaint_help(reader_complain(reader, node->place, "is no region"),
                       "regions are written like us-east-1");
        return;
    }
    provider->region = text;
}

/* ---- addresses ---- */

void cloud_settle_path(struct reader *reader, struct provider *provider, struct span path)
{
    struct buf out;

    if (provider->kind == NULL || provider->kind->put_base == NULL) {
        return;
    }
    buf_init(&out, path.len + 64);
    provider->kind->put_base(&out, path, provider->api_version);
    provider->endpoint.path = arena_copy(reader->arena, buf_span(&out));
    reader->has_no_memory = reader->has_no_memory || out.failed || reader->arena->failed;
    buf_fini(&out);
}

bool cloud_base_url(struct reader *reader, const struct node *node, const struct provider *provider,
                    struct span *url)
{
    static const struct span mark = SPAN("{region}");
    struct span form = span_of(provider->kind->base_url);
    const char *at = span_find(form, mark);
    struct span rest;
    struct buf out;

    if (at == NULL) {
        *url = form;
        return true;
    }
    if (provider->region.len == 0) {
        if (node_child(node, SPAN_OF("region")) == NULL) {
            complaint_help(reader_complain(reader, node->key_place, "has no region"),
                           "write region, like us-east-1 or \"${AWS_REGION}\", or a base_url");
        }
        return false;
    }
    rest = span_from(form, (size_t)(at - form.at) + mark.len);
    buf_init(&out, form.len + provider->region.len);
    buf_put(&out, span_make(form.at, (size_t)(at - form.at)));
    buf_put(&out, provider->region);
    buf_put(&out, rest);
    *url = arena_copy(reader->arena, buf_span(&out));
    reader->has_no_memory = reader->has_no_memory || out.failed || reader->arena->failed;
    buf_fini(&out);
    return !reader->has_no_memory;
}

void cloud_check_base_url(struct reader *reader, const struct node *node,
                          const struct provider *provider)
{
    const struct node *region = node_child(node, SPAN_OF("region"));

    /* A signature is made for a region, wherever the address leads. */
    if (region != NULL && provider->region.len > 0 && provider->access_key_id.len == 0) {
        complaint_help(reader_complain(reader, region->key_place, "has a region beside a base_url"),
                       "base_url says where it is already: leave one of them out");
    }
}
