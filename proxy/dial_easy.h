/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/dial_easy.h: the inside of dial_curl.c: one handle of libcurl per dial, its options, the
 * egress rule at its sockets, and how its end reads as an outcome. */
#ifndef PROXY_DIAL_EASY_H
#define PROXY_DIAL_EASY_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/slots.h"
#include "proxy/curl_loop.h"
#include "proxy/dial.h"

enum { DIAL_SOCKETS_MAX = 8, DIAL_ADDRESS_MAX = 64 };

/* One multi, and how many dials and connections it has. */
struct dial_multi {
    struct link link;
    struct curl_loop *curl_loop;
    unsigned used;
    unsigned dials; /* of them in flight */
};

/* What is known of an endpoint's name. */
struct dial_name {
    bool has_resolved;
    bool has_failed;
    bool has_good;
    bool has_stale;
    bool has_named_cert;             /* the last certificate shown had alternative names */
    mono_ms failed_at;               /* the last lookup that failed */
    mono_ms stale_at;                /* when the old address last went into libcurl's cache */
    mono_ms good_at;
    char good[DIAL_ADDRESS_MAX];     /* the address that last worked after a lookup */
};

struct dialer {
    struct loop *loop;
    const struct snapshot *snapshot;
    curl_loop_done *on_done;
    CURLSH *share;                   /* names and TLS sessions, for all multis */
    struct dial_multi plain;
    struct link secure;              /* multis for TLS */
    struct link dials;               /* in flight */
    struct slots slots;
    struct loop_timer tick;
    struct dial_name *names;         /* by the endpoint's index */
    struct buf ca_path;              /* the hashed directory, empty when there is none */
    struct buf proxy;                /* ends in NUL; "" when the settings name none */
    bool has_proxy;                  /* the settings name one */
    bool asks_environment;           /* the environment may name one */
    bool has_global;
};

/* LOOKUP until a socket was opened, CONNECT until one has a peer, then SECURE. */
enum dial_phase { DIAL_LOOKUP, DIAL_CONNECT, DIAL_SECURE };

/* The inode tells a socket from another one that got its number later. */
struct dial_socket {
    int fd;
    ino_t inode;
};

struct dial {
    struct link link;
    struct dialer *dialer;
    const struct provider *provider;
    struct dial_name *name;
    struct dial_multi *multi;        /* NULL: not begun */
    CURL *easy;
    struct curl_slist *resolve;
    char error[CURL_ERROR_SIZE];     /* libcurl's own words for why it failed */
    struct loop_task refuse;         /* says why later, when it cannot even begin */
    enum outcome refusal;
    struct dial_ears ears;
    uint64_t id;
    uint64_t handle;
    mono_ms began;
    mono_ms phase_since;
    uint32_t connect_ms;
    enum dial_phase phase;
    struct dial_socket sockets[DIAL_SOCKETS_MAX];
    unsigned sockets_count;          /* opened ever */
    bool is_denied;                  /* the egress rule refused an address */
    bool is_local;                   /* no descriptor left */
    bool is_stale;                   /* goes to the old address, without a lookup */
};

/* Puts the directory of hashed certificates that libcurl was built for, if it is one, with a
 * NUL. */
void dial_easy_find_ca_path(struct buf *out);
/* Makes dial->easy (and dial->resolve) with all options set. ERR_MEMORY; dial_easy_drop follows
 * then as well. */
MUST_CHECK enum err dial_easy_make(struct dial *dial);
void dial_easy_drop(struct dial *dial);
/* Gives libcurl `ms` from now for what is left: it counts from the start of the dial. */
void dial_easy_allow(struct dial *dial, mono_ms now, uint32_t ms);
/* Where the dial is now. */
enum dial_phase dial_easy_phase(const struct dial *dial);
/* Whether the peer's certificate has alternative names. libcurl falls back on the common name where
 * there are none, which RFC 9110, 4.3.4 forbids. A resumed session may show no certificate (libcurl 8):
 * then it is as good as the last one that this endpoint showed. */
bool dial_easy_is_named(struct dial *dial);
/* How a failure with this code reads. */
enum outcome dial_easy_outcome(const struct dial *dial, CURLcode code);
/* How running out of the phase's time reads. */
enum outcome dial_easy_late(const struct dial *dial);

#endif
