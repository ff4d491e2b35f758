/* SPDX-License-Identifier: Apache-2.0 */
/* sinks[] of kind http: url, headers, ca_file, timeout. */
#include "conf/sink_http.h"

#include "base/must.h"
#include "conf/names.h"
#include "conf/reader.h"
#include "conf/url.h"

enum { HEADERS_MAX = 32 };

/* ---- url ---- */

/* http:// carries the records and the headers' secrets in the clear: loopback and allowed ranges
 * only. A name is judged again by each address it turns out to have. */
static bool may_be_plain(const struct snapshot *snapshot, const struct url *url)
{
    struct egress_address address;

    if (egress_address_read(url->host, &address)) {
        return egress_may_be_plain(&address, snapshot->egress_allow, snapshot->egress_allow_count);
    }
    return url->host_is_literal || snapshot->egress_allow_count > 0;
}

static void read_url(struct reader *reader, const struct node *node, void *object)
{
    struct sink_http_settings *settings = object;
    struct span text = {NULL, 0};
    struct why why = {""};
    struct url url;

    if (url_has_userinfo(node->text)) {
        reader_hide(reader, node);
    }
    if (!reader_text(reader, node, &text)) {
        return;
    }
    if (url_read(text, &url, &why) != ERR_NONE) {
        reader_complain(reader, node->place, "%s", why.text);
        return;
    }
    if (!url.is_tls && !may_be_plain(reader->snapshot, &url)) {
        complaint_help(reader_complain(reader, node->place, "is http:// beyond loopback"),
                       "write https://, or allow the network it is in: egress: { allow: "
                       "[10.0.0.0/8] }");
    }
    settings->url = text;
    settings->is_tls = url.is_tls;
}

/* ---- headers ---- */

static bool is_ours(struct span name)
{
    static const struct span ours[] = {
        SPAN("host"),
        SPAN("content-type"),
        SPAN("content-length"),
        SPAN("transfer-encoding"),
        SPAN("expect"),
        SPAN("connection"),
        SPAN("idempotency-key"),
        SPAN("x-headgate-batch-id"),
        SPAN("te"),
        SPAN("content-encoding"),
        SPAN("trailer"),
        SPAN("upgrade"),
    };

    for (size_t i = 0; i < ARRAY_LENGTH(ours); i++) {
        if (span_equal(name, ours[i])) {
            return true;
        }
    }
    return false;
}

/* Control characters have been refused before. */
static bool is_value(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] > 0x7e) {
            return false;
        }
    }
    return span_equal(span_trim(text), text);
}

static bool copy_lower(struct reader *reader, struct span text, struct span *lower)
{
    char *copy = text.len == 0 ? NULL : reader_take(reader, text.len);

    for (size_t i = 0; copy != NULL && i < text.len; i++) {
        char c = text.at[i];

        copy[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    *lower = span_make(copy, copy == NULL ? 0 : text.len);
    return copy != NULL;
}

static void read_header(struct reader *reader, const struct node *node,
                        struct sink_http_header *headers, size_t index)
{
    struct sink_http_header *header = &headers[index];

    /* Whatever it is called, it may be a password. */
    reader_hide(reader, node);
    if (!copy_lower(reader, node->key, &header->name) || !name_is_header(header->name)) {
        reader_complain(reader, node->key_place, "must be the name of a header");
        return;
    }
    if (is_ours(header->name)) {
        reader_complain(reader, node->key_place, "is a header that headgate sets itself");
    }
    for (size_t i = 0; i < index; i++) {
        if (span_equal(headers[i].name, header->name)) {
            reader_complain(reader, node->key_place, "is named twice");
        }
    }
    if (reader_text(reader, node, &header->value) && !is_value(header->value)) {
        complaint_help(reader_complain(reader, node->place, "is no value of a header"),
                       "printable ASCII, without blanks at its ends: nothing is trimmed");
    }
}

static void read_headers(struct reader *reader, const struct node *node, void *object)
{
    struct sink_http_settings *settings = object;
    struct sink_http_header *headers = NULL;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_MAP) || node->count == 0) {
        return;
    }
    if (node->count > HEADERS_MAX) {
        reader_complain(reader, node->place, "must have at most 32 headers");
        return;
    }
    headers = reader_take(reader, node->count * sizeof *headers);
    if (headers == NULL) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, child->key, 0);
        read_header(reader, child, headers, index++);
        reader_leave(reader);
    }
    settings->headers = headers;
    settings->headers_count = index;
}

/* ---- the rest ---- */

static void read_ca_file(struct reader *reader, const struct node *node, void *object)
{
    struct sink_http_settings *settings = object;

    (void)reader_text(reader, node, &settings->ca_file);
}

static const struct field rows[] = {
    SINK_ROWS("500", "5s"),
    {.name = "url",
     .type = FIELD_CUSTOM,
     .read = read_url,
     .is_required = true,
     .help = "where batches are posted to"},
    {.name = "headers",
     .type = FIELD_CUSTOM,
     .read = read_headers,
     .is_secret = true,
     .help = "further headers by name: { authorization: \"Bearer ${USAGE_TOKEN}\" }"},
    {.name = "ca_file",
     .type = FIELD_CUSTOM,
     .read = read_ca_file,
     .help = "certificates to trust in place of the system's"},
    {.name = "timeout",
     .type = FIELD_DURATION,
     .place = offsetof(struct sink_http_settings, timeout_ms),
     .initial = "30s",
     .min = "100ms",
     .max = "10m",
     .help = "for one batch from the first byte to the answer's last"},
};

static const struct field_table fields = FIELD_TABLE(rows);

static void check(struct reader *reader, const struct node *node, struct sink_settings *settings)
{
    (void)reader;
    (void)node;
    settings->destination = ((struct sink_http_settings *)settings)->url;
}

const struct sink_kind sink_kind_http = {
    .name = "http",
    .help = "batches of lines posted to a URL",
    .fields = &fields,
    .size = sizeof(struct sink_http_settings),
    .check = check,
};
