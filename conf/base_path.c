/* SPDX-License-Identifier: Apache-2.0 */
/* What people copy out of a portal, a curl or another gateway's file: an operation of the dialect, or one of the rows. */
#include "conf/base_path.h"

/* By kind; "*" stands for any characters. */
static const char *const rows[][2] = {
    {"azure_openai", "*/deployments/*"},
    {"gemini", "*/models*"},
    {"gemini", "*/openai"}, /* that is kind: compatible */
};

/* Lists of models are left out: there are providers whose address ends in /models. */
static bool ends_in_operation(struct span path, const struct dialect *dialect)
{
    for (const struct operation *one = dialect->operations; one->name != NULL; one++) {
        if (one->kind != OPERATION_MODELS && span_ends(path, one->path)) {
            return true;
        }
    }
    return false;
}

static bool goes_too_far(struct span path, const struct provider_kind *kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (span_equal(span_of(kind->name), span_of(rows[i][0])) && span_fits(path, span_of(rows[i][1]))) {
            return true;
        }
    }
    return ends_in_operation(path, kind->dialect);
}

void base_path_check(struct reader *reader, const struct node *node, const struct provider *provider,
                     struct span path)
{
    const struct provider_kind *kind = provider->kind;

    /* Of a kind that is not known, or answers in process, no dialect is. */
    if (provider->dialect != NULL && goes_too_far(path, kind)) {
        complaint_help(reader_complain(reader, node->place, "goes too far: what is asked for comes behind it"),
                       "write it like %s",
                       kind->base_url_form != NULL ? kind->base_url_form
                       : kind->base_url != NULL    ? kind->base_url
                                                   : "https://host/v1");
    }
}
