/* SPDX-License-Identifier: Apache-2.0 */
/* Each list limits: what stands in none of it the key may not. */
#include "conf/key_rights.h"

#include "conf/names.h"
#include "conf/section.h"
#include "enforcement/keyring.h"
#include "wire/dialect.h"

enum { SUBSCRIBER_BITS = 64 };

static bool read_route(struct reader *reader, const struct node *node, struct span text, void *item)
{
    struct span *name = item;

    *name = text;
    return reader->snapshot == NULL || route_named(reader, node, text) != NULL;
}

static bool read_model(struct reader *reader, const struct node *node, struct span text, void *item)
{
    struct span *name = item;

    if (!name_is_model(text)) {
        reader_complain(reader, node->place, "%s", name_model_rule);
        return false;
    }
    *name = text;
    return true;
}

static bool is_operation(struct span word)
{
    for (size_t i = 0; dialect_at(i) != NULL; i++) {
        const struct dialect *dialect = dialect_at(i);

        for (const struct operation *one = dialect->operations; one->name != NULL; one++) {
            if (span_equal(span_of(one->name), word)) {
                return true;
            }
        }
        if (span_equal(span_of(dialect->pass.name), word)) {
            return true;
        }
    }
    return false;
}

static bool read_operation(struct reader *reader, const struct node *node, struct span text,
                           void *item)
{
    struct span *word = item;

    if (!is_operation(text)) {
        complaint_help(reader_complain(reader, node->place, "is no operation"),
                       "operations: chat, responses, completions, embeddings, messages, "
                       "generate_content, embed_content, count_tokens, models, pass");
        return false;
    }
    *word = text;
    return true;
}

static bool read_tier(struct reader *reader, const struct node *node, struct span text, void *item)
{
    struct span *word = item;

    if (!name_is_plain(text)) {
        complaint_help(reader_complain(reader, node->place, "is no service tier"), "%s", name_plain_rule);
        return false;
    }
    *word = text;
    return true;
}

/* A list without an item that can be read would mean that all is allowed: nothing of it is kept then, but
 * the complaint stands. */
static void read_list(struct reader *reader, const struct node *node, reader_item *read,
                      struct caller_list *list)
{
    void *items = NULL;

    reader_items(reader, node, read, sizeof(struct span), &items, &list->count);
    list->list = items;
    if (node->kind == NODE_LIST && node->count == 0) {
        complaint_help(reader_complain(reader, node->place, "is empty"),
                       "leave it out where nothing is to be limited; revoked: true stops a key");
    }
}

void key_rights_routes(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_list(reader, node, read_route, &entry->caller.routes);
}

void key_rights_models(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_list(reader, node, read_model, &entry->caller.models);
}

void key_rights_operations(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_list(reader, node, read_operation, &entry->caller.operations);
}

void key_rights_tiers(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    read_list(reader, node, read_tier, &entry->caller.tiers);
}

/* An IPv4 address. */
static bool is_mapped(const struct egress_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

void key_rights_addresses(struct reader *reader, const struct node *node, void *object)
{
    struct key_entry *entry = object;

    entry->caller.addresses = reader_ranges(reader, node, &entry->caller.addresses_count);
    for (size_t i = 0; i < entry->caller.addresses_count; i++) {
        const struct egress_range *range = &entry->caller.addresses[i];

        if (range->bits > SUBSCRIBER_BITS && !is_mapped(&range->base)) {
            complaint_help(reader_complain(reader, node->place, "has a range smaller than /64"),
                           "an address in IPv6 counts as its network of 64 bits");
        }
    }
    if (node->kind == NODE_LIST && node->count == 0) {
        reader_complain(reader, node->place, "is empty");
    }
}
