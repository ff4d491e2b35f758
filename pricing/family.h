/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/family.h: by which vocabulary a model's tokens are counted, and how far that may be off. A
 * table, families.def. Pure. */
#ifndef PRICING_FAMILY_H
#define PRICING_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "pricing/bpe.h"

struct family {
    enum bpe_family bpe;
    uint32_t permille;       /* tokens of the model for 1,000 of the vocabulary */
    uint32_t error_permille; /* of a text's count; 0: exact */
    bool is_known;           /* false: no row fits, so that the vocabulary is a guess too */
    bool is_frame_checked;   /* what a chat adds to its texts is known to the token */
    uint16_t image_tokens;   /* that a picture takes at most */
};

/* The family of a model as a provider or an app calls it: also fine-tuned ("ft:gpt-4o-mini:..."), below
 * a folder ("openai/gpt-4o") or behind a region and a vendor ("us.anthropic.claude-sonnet-4-6"). The
 * longest row that fits counts, in any case of letters; without one it is o200k and not known. */
struct family family_of(struct span model);
/* `count` tokens of the vocabulary in tokens of the model, rounded up; saturates. */
uint64_t family_tokens(const struct family *family, uint64_t count);

#endif
