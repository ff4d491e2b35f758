/* SPDX-License-Identifier: Apache-2.0 */
/* egress: proxy, allow. */
#include "conf/section.h"
#include "conf/url.h"

static void read_proxy(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct span text = {NULL, 0};
    struct why why = {""};
    struct url url;

    if (url_has_userinfo(node->text)) {
        reader_hide(reader, node);
    }
    if (!reader_text(reader, node, &text) || span_equal(text, SPAN_OF("none"))) {
        return;
    }
    if (span_equal(text, SPAN_OF("environment"))) {
        snapshot->egress_proxy = text;
        return;
    }
    if (url_read(text, &url, &why) != ERR_NONE) {
        complaint_help(reader_complain(reader, node->place, "%s", why.text),
                       "write none, environment or http://host:port");
        return;
    }
    if (url.is_tls || !url.has_port || url.path.len > 0) {
        reader_complain(reader, node->place, "must be none, environment or http://host:port");
        return;
    }
    snapshot->egress_proxy = text;
}

static bool read_range(struct reader *reader, const struct node *node, struct span text, void *item)
{
    if (egress_range_read(text, item) == ERR_NONE) {
        return true;
    }
    complaint_help(reader_complain(reader, node->place, "must be a range of addresses"),
                   "ranges are written like 10.0.0.0/8, fc00::/7 or 192.168.1.20; "
                   "no bit is set behind the prefix");
    return false;
}

const struct egress_range *reader_ranges(struct reader *reader, const struct node *node,
                                         size_t *count)
{
    void *items = NULL;

    reader_items(reader, node, read_range, sizeof(struct egress_range), &items, count);
    return items;
}

static void read_allow(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;

    snapshot->egress_allow = reader_ranges(reader, node, &snapshot->egress_allow_count);
}

static const struct field inner[] = {
    {.name = "proxy",
     .type = FIELD_CUSTOM,
     .read = read_proxy,
     .initial = "none",
     .help = "none, environment (HTTPS_PROXY, NO_PROXY) or http://host:port for every connection"},
    {.name = "allow",
     .type = FIELD_CUSTOM,
     .read = read_allow,
     .help = "private ranges that a provider's name may resolve to, and http:// may be used for"},
};

static const struct field_table egress_fields = FIELD_TABLE(inner);

static const struct field fields[] = {
    {.name = "egress",
     .type = FIELD_MAP,
     .inner = &egress_fields,
     .help = "which addresses providers may have, and how they are reached"},
};

const struct field_table section_egress = FIELD_TABLE(fields);
