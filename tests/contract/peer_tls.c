/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/peer_tls.c: see peer_tls.h. Keys are P-256; the authorities live in memory and are
 * inherited by the server's processes. */
#include "tests/contract/peer_tls.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/must.h"

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

static struct authority known;
static struct authority other;
static EVP_PKEY *leaf_key;
static SSL_CTX *context; /* one per server, so that sessions can be resumed */

static void add_extension(X509 *to, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX how;
    X509V3_set_ctx_nodb(&how);
    X509V3_set_ctx(&how, issuer, to, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &how, nid, value);
    must(extension != NULL);
    must(X509_add_ext(to, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *certificate_begin(EVP_PKEY *key, const char *name, long from_days, long to_days)
{
    static long serial = 1000;
    X509 *made = X509_new();
    must(made != NULL && X509_set_version(made, 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made), from_days * 86400);
    X509_gmtime_adj(X509_getm_notAfter(made), to_days * 86400);
    must(X509_set_pubkey(made, key) == 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    return made;
}

static struct authority authority_make(const char *name)
{
    struct authority made = {.key = EVP_EC_gen("P-256")};
    must(made.key != NULL);
    made.certificate = certificate_begin(made.key, name, -2, 30);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(made.certificate));
    add_extension(made.certificate, made.certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(made.certificate, made.certificate, NID_subject_key_identifier, "hash");
    must(X509_sign(made.certificate, made.key, EVP_sha256()) > 0);
    return made;
}

void tls_make_authority(const char *path)
{
    known = authority_make("Known Test Authority");
    other = authority_make("Other Test Authority");
    leaf_key = EVP_EC_gen("P-256");
    FILE *file = fopen(path, "w");
    must(file != NULL);
    must(PEM_write_X509(file, known.certificate) == 1);
    must(fclose(file) == 0);
}

static X509 *leaf_make(const struct show *show)
{
    const struct authority *by = show->has_other_ca ? &other : &known;
    X509 *made = certificate_begin(leaf_key, "leaf", show->from_days, show->to_days);
    X509_set_issuer_name(made, X509_get_subject_name(by->certificate));
    char name[300];
    (void)snprintf(name, sizeof name, "%s:%s",
                   isdigit((unsigned char)show->host[0]) ? "IP" : "DNS", show->host);
    add_extension(made, by->certificate, NID_subject_alt_name, name);
    must(X509_sign(made, by->key, EVP_sha256()) > 0);
    return made;
}

/* Counts what it is offered beside "http/1.1", and would take anything. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *to)
{
    (void)ssl;
    struct peer *peer = to;
    for (unsigned at = 0; at < in_len; at += 1U + in[at]) {
        if (in[at] != 8 || memcmp(in + at + 1, "http/1.1", 8) != 0) {
            atomic_fetch_add(&peer->shared->offers, 1);
        }
    }
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

bool peer_tls_accept(struct peer *peer, const struct show *show)
{
    /* Each connection has a process of its own; a fixed ticket key lets sessions go between
     * them. */
    static unsigned char ticket_key[80] = "not a secret, the same in all processes";
    context = SSL_CTX_new(TLS_server_method());
    must(context != NULL);
    X509 *leaf = leaf_make(show);
    must(SSL_CTX_use_certificate(context, leaf) == 1);
    must(SSL_CTX_use_PrivateKey(context, leaf_key) == 1);
    SSL_CTX_set_tlsext_ticket_keys(context, ticket_key, (long)sizeof ticket_key);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, peer);
    if (show->is_tls12) {
        SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    }
    SSL *ssl = SSL_new(context);
    must(ssl != NULL);
    SSL_set_fd(ssl, peer->fd);
    bool is_open = SSL_accept(ssl) == 1;
    if (is_open) {
        peer->tls = ssl;
        if (SSL_session_reused(ssl)) {
            atomic_fetch_add(&peer->shared->resumed, 1);
        }
    }
    return is_open;
}

ssize_t peer_tls_read(struct peer *peer, char *at, size_t size)
{
    return SSL_read(peer->tls, at, (int)size);
}

ssize_t peer_tls_write(struct peer *peer, const char *at, size_t size)
{
    return SSL_write(peer->tls, at, (int)(size > 1 << 20 ? 1 << 20 : size));
}

void peer_tls_close(struct peer *peer)
{
    (void)SSL_shutdown(peer->tls);
    peer->tls = NULL;
}
