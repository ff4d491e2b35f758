/* SPDX-License-Identifier: Apache-2.0 */
/* listen, open, allowed_hosts. */
#include "conf/section.h"

#include <string.h>

#include "conf/url.h"

enum { LISTENS_MAX = 16 };

bool listen_read_address(struct reader *reader, struct place place, struct span text,
                         struct listen_address *address)
{
    struct why why = {""};

    if (url_read_listen(text, address, &why) == ERR_NONE) {
        return true;
    }
    reader_complain(reader, place, "%s", why.text);
    return false;
}

/* Addresses and their places stand side by side; only good ones count. */
static void read_one(struct reader *reader, const struct node *node,
                     struct listen_address *addresses, struct place *places, size_t *count)
{
    struct span text = {NULL, 0};

    if (reader_text(reader, node, &text) &&
        listen_read_address(reader, node->place, text, &addresses[*count])) {
        places[*count] = node->place;
        (*count)++;
    }
}

static void read_list(struct reader *reader, const struct node *node,
                      struct listen_address *addresses, struct place *places, size_t *count)
{
    size_t index = 0;

    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), index++);
        read_one(reader, child, addresses, places, count);
        reader_leave(reader);
    }
}

static void read_listen(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    size_t room = node->kind == NODE_LIST ? node->count : 1;
    struct listen_address *addresses = NULL;
    struct place *places = NULL;

    if (room == 0 || room > LISTENS_MAX) {
        reader_complain(reader, node->place, "must have 1 to 16 addresses");
        return;
    }
    addresses = reader_take(reader, room * sizeof *addresses);
    places = reader_take(reader, room * sizeof *places);
    if (addresses == NULL || places == NULL) {
        return;
    }
    if (node->kind == NODE_LIST) {
        read_list(reader, node, addresses, places, &snapshot->listens_count);
    } else {
        read_one(reader, node, addresses, places, &snapshot->listens_count);
    }
    snapshot->listens = addresses;
    reader->places.listens = places;
}

/* A host, with or without a port; brackets around IPv6. */
static bool read_host(struct reader *reader, const struct node *node, struct span text, void *item)
{
    struct span *host = item;
    char *copy = reader_take(reader, text.len);

    if (copy == NULL) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        bool is_known = is_upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                        strchr(".-_:[]", c) != NULL;

        if (!is_known || text.len > 255) {
            complaint_help(reader_complain(reader, node->place, "must be a host as apps send it"),
                           "names are written out, without scheme, path or \"*\"");
            return false;
        }
        copy[i] = (char)(is_upper ? c + ('a' - 'A') : c);
    }
    *host = span_make(copy, text.len);
    return true;
}

static void read_allowed_hosts(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    void *items = NULL;

    reader_items(reader, node, read_host, sizeof(struct span), &items,
                 &snapshot->allowed_hosts_count);
    snapshot->allowed_hosts = items;
}

static const struct field fields[] = {
    {.name = "listen",
     .type = FIELD_CUSTOM,
     .read = read_listen,
     .initial = "127.0.0.1:8402",
     .help = "where apps are served: one or a list of host:port, [::1]:port, unix:/path"},
    {.name = "open",
     .type = FIELD_BOOL,
     .place = offsetof(struct snapshot, is_open),
     .initial = "false",
     .help = "allow a listener that others can reach while there are no caller keys"},
    {.name = "allowed_hosts",
     .type = FIELD_CUSTOM,
     .read = read_allowed_hosts,
     .help = "values of the Host header that are served; others are answered 421"},
};

const struct field_table section_listen = FIELD_TABLE(fields);
