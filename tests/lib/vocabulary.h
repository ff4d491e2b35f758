/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/vocabulary.h: the real rank files, which scripts/install-ranks --into build/ranks brings.
 * Without them a test fails: what is not measured is not known. */
#ifndef TESTS_LIB_VOCABULARY_H
#define TESTS_LIB_VOCABULARY_H

#include "pricing/bpe.h"

/* The family's vocabulary, from its file in `folder`. Says what is missing and ends the program with a failure when there
 * is none. The caller frees it. */
struct bpe *vocabulary(const char *folder, enum bpe_family family);
/* The bytes of a file, which the caller frees; empty when it cannot be read. */
struct span vocabulary_file(const char *path);

#endif
