/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/naive_usage.h: usage read a second time, the slow way: jansson makes a tree of
 * each document, and the rules of docs/metering.md are looked up in it. On its own, because
 * jansson's header and ours use the same names. */
#ifndef TESTS_UNIT_WIRE_NAIVE_USAGE_H
#define TESTS_UNIT_WIRE_NAIVE_USAGE_H

#include <stdbool.h>
#include <stddef.h>

enum naive_operation { NAIVE_CHAT, NAIVE_EMBEDDINGS, NAIVE_RESPONSES, NAIVE_MESSAGES };

/* -1 and "": not told. */
struct naive_usage {
    long long input;
    long long cache_read;
    long long written_short;
    long long written_long;
    long long audio_input;
    long long image_input;
    long long output;
    long long audio_output;
    long long reasoning;
    long long searches;
    double cost; /* -1: not told */
    char tier[32];
    char region[32];
    char model[65];
    bool is_odd;
    bool has_others;
};

/* What has been told, as it was told. */
struct naive {
    enum naive_operation operation;
    bool is_beyond; /* a document is more than jansson can hold: nothing can be said */
    bool is_fast;
    bool is_odd;
    bool has_others;
    long long input;
    long long output;
    long long read;
    long long written;
    long long written_long;
    long long reasoning;
    long long total;
    long long parts[3]; /* audio in, image in, audio out */
    long long searches;
    long long beside[5];      /* input, output, read, written, of that long */
    struct naive_usage words; /* cost, tier, region and model alone */
};

void naive_begin(struct naive *naive, enum naive_operation operation);
/* A whole answer, or the data of an event. */
void naive_document(struct naive *naive, const char *at, size_t len, bool is_event);
void naive_usage(const struct naive *naive, struct naive_usage *usage);

#endif
