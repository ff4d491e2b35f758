/* SPDX-License-Identifier: Apache-2.0 */
/* Holds of others, listed and given back or presumed. */
#include "proxy/ledger_redis_parts.h"

static size_t row_windows(const struct redisReply *row)
{
    return redis_reply_count(row) >= 3 ? redis_reply_count(row) - 3 : 0;
}

/* What list found is looked at again by the script: it may have changed in between. */
bool root_reap(struct root *root, const struct redisReply *list,
               bool (*takes)(void *to, const struct redisReply *row), void *to, const char *how,
               void (*done)(struct command *, const struct redisReply *))
{
    size_t holds = 0;
    size_t windows = 0;
    struct command *command = NULL;

    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 2; i < redis_reply_count(list); i++) {
            const struct redisReply *row = redis_reply_at(list, i);
            size_t count = row_windows(row);

            if (redis_reply_count(row) == 0 || (takes != NULL && !takes(to, row))) {
                continue;
            }
            if (pass == 0) {
                holds++;
                windows += count;
            } else if (pass == 1) {
                for (size_t j = 0; j < count; j++) {
                    put_text(root->node, redis_reply_bytes(redis_reply_at(row, 3 + j)));
                }
            } else {
                put_text(root->node, redis_reply_bytes(redis_reply_at(row, 0)));
                put_number(root->node, (int64_t)count);
            }
        }
        if (pass == 0) {
            command = holds == 0 ? NULL
                                 : root_script(root, SCRIPT_REAP, 2 + windows, 2 + 2 * holds, done);
            if (command == NULL) {
                return false;
            }
            command->to = to;
            put_key(root, "h");
            put_key(root, "d");
        } else if (pass == 1) {
            put_text(root->node, span_of(how));
            put_number(root->node, (int64_t)holds);
        }
    }
    node_send(root->node);
    return true;
}

bool root_list(struct root *root, int64_t count, struct span cursor,
               void (*done)(struct command *, const struct redisReply *), void *to)
{
    struct command *command = root_script(root, SCRIPT_LIST, 3, 2, done);

    if (command == NULL) {
        return false;
    }
    command->to = to;
    put_key(root, "h");
    put_key(root, "d");
    put_key(root, "i");
    put_number(root->node, count);
    put_text(root->node, cursor);
    node_send(root->node);
    return true;
}
