/* SPDX-License-Identifier: Apache-2.0 */
/* admin: listen, token. */
#include "conf/section.h"

static void read_listen(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct span text = {NULL, 0};

    reader->places.admin = node->place;
    if (!reader_text(reader, node, &text)) {
        return;
    }
    snapshot->admin_off = span_equal(text, SPAN_OF("off"));
    if (!snapshot->admin_off) {
        (void)listen_read_address(reader, node->place, text, &snapshot->admin);
    }
}

static void read_token(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;

    (void)reader_secret(reader, node, &snapshot->admin_token);
}

static const struct field inner[] = {
    {.name = "listen",
     .type = FIELD_CUSTOM,
     .read = read_listen,
     .initial = "127.0.0.1:8403",
     .help = "where operators are served; off closes it"},
    {.name = "token",
     .type = FIELD_CUSTOM,
     .read = read_token,
     .is_secret = true,
     .help = "required beyond loopback; health does not ask for it"},
};

static const struct field_table admin_fields = FIELD_TABLE(inner);

static const struct field fields[] = {
    {.name = "admin",
     .type = FIELD_MAP,
     .inner = &admin_fields,
     .help = "the listener for operators"},
};

const struct field_table section_admin = FIELD_TABLE(fields);
