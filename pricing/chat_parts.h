/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/chat_parts.h: what the shapes of chat_count.h have in common. Only for chat_*.c. */
#ifndef PRICING_CHAT_PARTS_H
#define PRICING_CHAT_PARTS_H

#include "pricing/chat_count.h"
#include "pricing/family.h"

/* A count under way. */
struct counting {
    struct chat_counter *counter;
    struct family family;
    uint64_t texts;  /* tokens of the vocabulary */
    uint64_t frame;  /* tokens of the model around them */
    uint64_t slack;  /* tokens that the frame may be off */
    uint32_t media;
    uint32_t pictures;
    uint64_t picture_bytes;
    bool has_functions;
    bool is_elsewhere; /* part of the input is kept by the provider */
};

/* The tokens of bytes that are text already. */
void counting_text(struct counting *counting, struct span text);
/* Of a JSON string; anything else counts nothing. With `suffix` behind it. */
void counting_string(struct counting *counting, struct span value, const char *suffix);
/* Of JSON that the model is shown in a form that nobody told: as it stands, with slack. */
void counting_json(struct counting *counting, struct span value);
/* Of a JSON string that only the provider can read: up to a token for each byte. */
void counting_sealed(struct counting *counting, struct span value);
/* A part that is a picture. `data` is the string that has it in base64; empty: it is elsewhere. */
void counting_picture(struct counting *counting, struct span data);
/* What was decoded last, for more text behind it: begin, put, count. */
struct buf *counting_scratch(struct counting *counting);

/* A whole body. */
void count_chat(struct counting *counting, struct span body);
void count_responses(struct counting *counting, struct span body);
void count_messages(struct counting *counting, struct span body);
void count_generate(struct counting *counting, struct span body);
void count_embed(struct counting *counting, struct span body);

/* OpenAI's parts. A string, or a list of parts of which those with a text count; `suffix` goes behind a
 * string. Others are media. */
void count_content(struct counting *counting, struct span content, const char *suffix);
/* The tools or functions of a request, in all of OpenAI's spellings. */
void count_tools(struct counting *counting, struct span tools);
/* What the model is made to call: "auto", "none", an object with a name. */
void count_choice(struct counting *counting, struct span choice);

#endif
