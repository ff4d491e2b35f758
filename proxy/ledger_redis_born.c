/* SPDX-License-Identifier: Apache-2.0 */
/* When the ledger began: told by its server. Another moment than before means that it has forgotten all, or was
 * rebuilt; then each part is greeted anew, also by those who are idle. */
#include "base/text.h"
#include "proxy/ledger_redis_parts.h"

void root_hear_born(struct ledger *ledger, int64_t born)
{
    int64_t before = ledger->born;

    ledger->born = born > 0 ? born : -1;
    if (before == 0 || before == ledger->born) {
        return;
    }
    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        struct root *root = LIST_OWNER(at, struct root, link);

        if (!list_is_empty(&root->counters) && root->state != ROOT_JOINING) {
            root->is_wanted = true;
            root_lose(root);
        }
    }
}

static void hear_born(struct command *command, const struct redisReply *reply)
{
    struct ledger *ledger = command->to;
    struct span digits = {NULL, 0};
    uint64_t born = 0;

    ledger->is_asking_born = false;
    if (reply == NULL || redis_reply_is_error(reply)) {
        return;
    }
    digits = redis_reply_bytes(reply);
    root_hear_born(ledger, digits.at != NULL && text_read_u64(digits, &born) == ERR_NONE
                               ? (int64_t)born
                               : -1);
}

void root_ask_born(struct ledger *ledger)
{
    struct root *registry = ledger->registry;
    struct command *command = NULL;

    registry->node = topology_find(ledger, registry);
    if (ledger->is_asking_born || registry->node == NULL || !node_is_up(registry->node)) {
        return;
    }
    command = node_command(registry->node, 3, hear_born, NULL);
    if (command != NULL) {
        command->to = ledger;
        ledger->is_asking_born = true;
        put_text(registry->node, SPAN_OF("HGET"));
        put_key(registry, "born");
        put_text(registry->node, SPAN_OF("born"));
        node_send(registry->node);
    }
}
