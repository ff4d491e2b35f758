/* SPDX-License-Identifier: Apache-2.0 */
/* base/limits.h: every ceiling of the house, each with its reason. Bytes unless a name says otherwise. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* What apps send: generous against the measured clients (heads up to 3 KiB), small against abuse. */
enum {
    LIMIT_REQUEST_LINE = 8 * 1024,
    LIMIT_TARGET = 4 * 1024,          /* longer: 414 */
    LIMIT_REQUEST_HEAD = 32 * 1024,
    LIMIT_REQUEST_FIELD = 16 * 1024,  /* one header line */
    LIMIT_REQUEST_NAME = 256,         /* a header's name; the longest real one has 41 */
    LIMIT_REQUEST_FIELDS = 100,
    LIMIT_DROPPED_BODY = 64 * 1024,   /* a body on a path that takes none */
    LIMIT_EMPTY_LINES = 1,            /* before a request line (RFC 9112, 2.2 asks for at least one) */
    LIMIT_PIPELINE = 32 * 1024        /* bytes read ahead of the call that runs */
};

/* What providers send. */
enum {
    LIMIT_RESPONSE_HEAD = 64 * 1024,
    LIMIT_RESPONSE_FIELDS = 200,
    LIMIT_INTERIM_RESPONSES = 8,      /* 1xx before the real one */
    LIMIT_ERROR_BODY = 64 * 1024,     /* of a provider's error: read so far and no further */
    LIMIT_ERROR_MESSAGE = 2 * 1024    /* of a foreign error text that we quote */
};

/* Chunked framing: what may be spent on framing rather than on data. */
enum {
    LIMIT_CHUNK_DIGITS = 16,
    LIMIT_CHUNK_EXTENSION = 256,      /* of one chunk */
    LIMIT_CHUNK_OVERHEAD = 4 * 1024,  /* extensions of all chunks of a body */
    LIMIT_TRAILERS = 8 * 1024
};

/* JSON. */
enum {
    LIMIT_JSON_DEPTH = 128,
    LIMIT_JSON_MEMBERS = 1000000,     /* members and items of the whole document */
    LIMIT_JSON_NUMBER = 64,           /* bytes of one number's text */
    LIMIT_JSON_KEY = 1024,            /* bytes of one key as written */
    LIMIT_MODEL_NAME = 256,
    LIMIT_MESSAGES = 100000
};

/* Streams. */
enum {
    LIMIT_EVENT_HELD = 1024 * 1024,        /* an event is held until it is whole; past this it passes as it comes,
                                            * unless it is translated */
    LIMIT_EVENT = 32 * 1024 * 1024,        /* one event of a provider */
    LIMIT_GATE = 1024 * 1024,              /* held before the first content; then the gate opens by itself */
    LIMIT_RESUME_TEXT = 256 * 1024,        /* kept of a stream that may be continued: 64 Ki tokens */
    LIMIT_RESUME_NAMES = 1024,             /* id, created and model of its chunks */
    LIMIT_APP_BACKLOG_HIGH = 256 * 1024,   /* unsent bytes of one app: pause its upstream */
    LIMIT_APP_BACKLOG_LOW = 64 * 1024      /* and go on here */
};

/* Silent connections: those that have not brought a whole request head yet. The oldest gives way, so
 * these cost honest apps nothing: a head normally comes with the connection. The shares keep an
 * address from taking the descriptors that calls need (two each); the figures are the shares of the
 * 65,536 descriptors we ask for, so that a system that gives more does not cost more memory. */
enum {
    LIMIT_SILENT_PER_PEER_SHARE = 4, /* a quarter of the descriptors for one address, */
    LIMIT_SILENT_SHARE = 2,          /* half of them for all addresses together, */
    LIMIT_SILENT_PER_PEER = 16 * 1024, /* and never more than this */
    LIMIT_SILENT = 32 * 1024
};

/* Answers kept for repeats (Idempotency-Key), for 24 hours: whoever wants them can be expected to come soon,
 * so the share of the memory decides, and the entry that was kept first goes first. */
enum {
    LIMIT_REPLAY = 1024 * 1024,           /* one answer; a larger one is not kept */
    LIMIT_REPLAYS = 100000,               /* entries, those of calls that run with them */
    LIMIT_REPLAY_BYTES = 64 * 1024 * 1024,
    LIMIT_REPLAY_SHARE = 8                /* and never more than this part of limits.memory */
};

/* The shell. */
enum {
    LIMIT_WIRE_HEAD = 8 * 1024 * 1024, /* a head we send, or a model list: 4 MiB of it a provider's */
    LIMIT_APP_BACKLOG = 4 * 1024 * 1024, /* unsent, over the largest answer that is held whole */
    LIMIT_RECV = 64 * 1024,           /* the one receive buffer of a loop */
    LIMIT_HOLDS = 1024 * 1024,        /* open at once: more than calls can be */
    LIMIT_DRAINS = 64,                /* calls whose app has left that are read on at once, */
    LIMIT_DRAIN_BYTES = 8 * 1024 * 1024, /* how much of each (reference/budgets.md, 11, row 4) */
    LIMIT_OUTBOX = 64 * 1024,         /* what goes to apps at the end of a turn; more goes at once */
    LIMIT_UPSTREAM_SLICE = 16 * 1024, /* of a TLS write, so that "fully written" means something */
    LIMIT_DIALS_PER_ENDPOINT = 16,
    LIMIT_TLS_PER_MULTI = 64          /* libcurl searches its connections one by one */
};

#endif
