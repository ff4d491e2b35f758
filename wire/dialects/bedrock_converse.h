/* SPDX-License-Identifier: Apache-2.0 */
/* dialects/bedrock_converse.h: how conversations are told to Converse and its answers read (bedrock.md 3 to 6;
 * translation.md). Owns nothing. Only the dialect's row calls it. */
#ifndef WIRE_DIALECTS_BEDROCK_CONVERSE_H
#define WIRE_DIALECTS_BEDROCK_CONVERSE_H

#include "wire/chat.h"

/* One way alone: there is no app to read a request of, or to write an answer for. */
extern const struct translator bedrock_converse_translator;

void converse_write_request(struct chat *chat, struct json_out *out);

struct converse_reader {
    int64_t index;      /* of the block of the open call */
    uint32_t call;      /* that is open */
    bool is_open;
    bool has_arguments; /* it had a fragment */
};
bool converse_read_answer(struct chat *chat, struct chat_answer *answer, struct span body);
void converse_read_event(void *reader, struct span data, struct chat_pipe *pipe);
void converse_read_end(void *reader, struct chat_pipe *pipe);

#endif
