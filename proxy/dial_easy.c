/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/dial_easy.c: one dial as libcurl sees it. Each option stands here for a measured reason;
 * none is decoration. */
#include "proxy/dial_easy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"

enum {
    CA_ENTRIES_MAX = 4096,
    CONNECTION_AGE_S = 2000000, /* as good as none: age is the pool's business */
    TEXT_MAX = 4096,
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 10
};

/* How libcurl's codes read as outcomes. What depends on the phase, the rule or a proxy is decided
 * in dial_easy_outcome before this is asked. */
static const struct {
    CURLcode code;
    enum outcome outcome;
} outcomes[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, OUTCOME_EGRESS_PROXY},
    {CURLE_PROXY, OUTCOME_EGRESS_PROXY},
    {CURLE_COULDNT_RESOLVE_HOST, OUTCOME_DNS},
    {CURLE_COULDNT_CONNECT, OUTCOME_CONNECT},
    {CURLE_SSL_CIPHER, OUTCOME_TLS},
    {CURLE_SEND_ERROR, OUTCOME_TLS},
    {CURLE_RECV_ERROR, OUTCOME_TLS},
    {CURLE_GOT_NOTHING, OUTCOME_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, OUTCOME_TLS_VERIFY},
    {CURLE_SSL_CACERT_BADFILE, OUTCOME_TLS_VERIFY},
    {CURLE_SSL_ISSUER_ERROR, OUTCOME_TLS_VERIFY},
    {CURLE_SSL_INVALIDCERTSTATUS, OUTCOME_TLS_VERIFY},
    {CURLE_FAILED_INIT, OUTCOME_LOCAL},
    {CURLE_OUT_OF_MEMORY, OUTCOME_LOCAL},
};

/* One code of libcurl stands for all handshakes that fail. These sentences of OpenSSL tell of what
 * another try cannot change; where they are worded otherwise, it is made in vain. */
static const struct {
    const char *text;
    enum outcome outcome;
} handshakes[] = {
    {"protocol version", OUTCOME_TLS_VERSION},     /* its alert, when it is too old for us */
    {"unsupported protocol", OUTCOME_TLS_VERSION}, /* ours, when it answers all the same */
    {"wrong version number", OUTCOME_TLS_UNFIT},   /* no TLS at all, by its first bytes */
    {"http request", OUTCOME_TLS_UNFIT},
    {"packet length too long", OUTCOME_TLS_UNFIT},
};

/* The directory serves only when its names are hashes ("5ed36f99.0"). */
static bool has_hashed_names(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return false;
    }
    bool is_found = false;
    for (unsigned i = 0; i < CA_ENTRIES_MAX && !is_found; i++) {
        const struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            break;
        }
        is_found = strspn(entry->d_name, "0123456789abcdef") == 8 &&
                   strcmp(entry->d_name + 8, ".0") == 0;
    }
    closedir(directory);
    return is_found;
}

void dial_easy_find_ca_path(struct buf *out)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        return;
    }
    char *path = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CAPATH, &path) == CURLE_OK && path != NULL &&
        has_hashed_names(path)) {
        buf_put(out, span_make(path, strlen(path) + 1));
    }
    curl_easy_cleanup(easy);
}

static struct egress_address address_of(const struct sockaddr *from, unsigned *port)
{
    struct egress_address address = {.bytes = {[10] = 0xff, [11] = 0xff}};
    *port = 0;
    if (from->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof v4);
        memcpy(address.bytes + 12, &v4.sin_addr, 4);
        *port = ntohs(v4.sin_port);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, from, sizeof v6);
        memcpy(address.bytes, &v6.sin6_addr, 16);
        *port = ntohs(v6.sin6_port);
    }
    return address;
}

/* A proxy that an operator named is allowed as written. When the environment may name one, only
 * another port proves that this address is the proxy's and not the provider's. */
static bool is_allowed(const struct dial *dial, const struct sockaddr *to)
{
    const struct dialer *dialer = dial->dialer;
    const struct endpoint *endpoint = &dial->provider->endpoint;
    unsigned port = 0;
    struct egress_address address = address_of(to, &port);
    bool is_proxy = dialer->has_proxy || (dialer->asks_environment && port != endpoint->port);
    return egress_judge(&address, is_proxy || endpoint->host_is_literal,
                        dialer->snapshot->egress_allow,
                        dialer->snapshot->egress_allow_count) == EGRESS_ALLOWED;
}

static void note_socket(struct dial *dial, int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0) {
        dial->sockets[dial->sockets_count % DIAL_SOCKETS_MAX] =
            (struct dial_socket){.fd = fd, .inode = status.st_ino};
    }
    dial->sockets_count++;
}

/* libcurl asks this for every address before it uses it. */
static curl_socket_t open_cb(void *to, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct dial *dial = to;
    if (address->family != AF_INET && address->family != AF_INET6) {
        return CURL_SOCKET_BAD;
    }
    if (!dial->is_stale) {
        dial->name->has_resolved = true;
    }
    if (!is_allowed(dial, &address->addr)) {
        dial->is_denied = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype, address->protocol);
    if (fd < 0) {
        dial->is_local = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return CURL_SOCKET_BAD;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    note_socket(dial, fd);
    return fd;
}

/* What every dial needs. */
static bool set_manners(CURL *easy, struct dial *dial)
{
    char *private = (char *)(void *)dial;
    return curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, private) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, dial->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SHARE, dial->dialer->share) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* Or removal waits for a lookup thread. */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_S) == CURLE_OK &&
           /* Or h2 is offered and taken, and our HTTP/1.1 is not understood. */
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_cb) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, dial) == CURLE_OK;
}

/* libcurl reads the environment's proxy settings unless it is told otherwise. */
static bool set_proxy(CURL *easy, const struct dialer *dialer)
{
    if (curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) != CURLE_OK) {
        return false;
    }
    return dialer->asks_environment ||
           (curl_easy_setopt(easy, CURLOPT_PROXY, dialer->proxy.at) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK);
}

/* Bundle and directory together, the default, cost 27 ms of CPU for each dial; the directory alone
 * 1 ms; the bundle alone 27 ms once per multi. */
static bool set_trust(CURL *easy, const struct dial *dial)
{
    struct span ca_file = dial->provider->ca_file;
    const struct buf *ca_path = &dial->dialer->ca_path;
    if (curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L) != CURLE_OK) {
        return false;
    }
    if (span_is_empty(ca_file) && ca_path->len > 0) {
        return curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_CAPATH, ca_path->at) == CURLE_OK;
    }
    if (curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK || span_is_empty(ca_file)) {
        return span_is_empty(ca_file);
    }
    struct buf path;
    buf_init(&path, TEXT_MAX);
    buf_put(&path, ca_file);
    buf_put_char(&path, '\0');
    bool is_set =
        !path.failed && curl_easy_setopt(easy, CURLOPT_CAINFO, path.at) == CURLE_OK;
    buf_fini(&path);
    return is_set;
}

static bool set_address(CURL *easy, const struct endpoint *endpoint)
{
    struct buf url;
    buf_init(&url, TEXT_MAX);
    buf_put_text(&url, endpoint->is_tls ? "https://" : "http://");
    buf_put_text(&url, endpoint->host_is_v6 ? "[" : "");
    buf_put(&url, endpoint->host);
    buf_put_text(&url, endpoint->host_is_v6 ? "]:" : ":");
    buf_put_u64(&url, endpoint->port);
    buf_put(&url, span_make("/", 2));
    bool is_set = !url.failed && curl_easy_setopt(easy, CURLOPT_URL, url.at) == CURLE_OK;
    buf_fini(&url);
    return is_set;
}

/* The plus sign lets the entry grow old like one that was looked up. */
static bool set_old_address(struct dial *dial)
{
    const struct endpoint *endpoint = &dial->provider->endpoint;
    bool is_v6 = strchr(dial->name->good, ':') != NULL;
    struct buf entry;
    buf_init(&entry, TEXT_MAX);
    buf_put_char(&entry, '+');
    buf_put(&entry, endpoint->host);
    buf_put_char(&entry, ':');
    buf_put_u64(&entry, endpoint->port);
    buf_put_text(&entry, is_v6 ? ":[" : ":");
    buf_put_text(&entry, dial->name->good);
    buf_put_text(&entry, is_v6 ? "]" : "");
    buf_put_char(&entry, '\0');
    if (!entry.failed) {
        dial->resolve = curl_slist_append(NULL, entry.at);
    }
    buf_fini(&entry);
    return dial->resolve != NULL &&
           curl_easy_setopt(dial->easy, CURLOPT_RESOLVE, dial->resolve) == CURLE_OK;
}

enum err dial_easy_make(struct dial *dial)
{
    const struct endpoint *endpoint = &dial->provider->endpoint;
    dial->easy = curl_easy_init();
    if (dial->easy == NULL || !set_manners(dial->easy, dial) ||
        !set_proxy(dial->easy, dial->dialer) || !set_address(dial->easy, endpoint) ||
        (endpoint->is_tls && !set_trust(dial->easy, dial)) ||
        (dial->is_stale && !set_old_address(dial))) {
        return ERR_MEMORY;
    }
    return ERR_NONE;
}

void dial_easy_drop(struct dial *dial)
{
    if (dial->easy != NULL) {
        curl_easy_cleanup(dial->easy);
        dial->easy = NULL;
    }
    curl_slist_free_all(dial->resolve);
    dial->resolve = NULL;
}

void dial_easy_allow(struct dial *dial, mono_ms now, uint32_t ms)
{
    uint64_t total = mono_add(now - dial->began, ms);
    curl_easy_setopt(dial->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(total > INT32_MAX ? INT32_MAX : total));
}

static bool has_peer(const struct dial_socket *socket)
{
    struct stat status;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return fstat(socket->fd, &status) == 0 && status.st_ino == socket->inode &&
           S_ISSOCK(status.st_mode) &&
           getpeername(socket->fd, (struct sockaddr *)(void *)&peer, &size) == 0;
}

enum dial_phase dial_easy_phase(const struct dial *dial)
{
    if (dial->sockets_count == 0) {
        return DIAL_LOOKUP;
    }
    unsigned count =
        dial->sockets_count < DIAL_SOCKETS_MAX ? dial->sockets_count : DIAL_SOCKETS_MAX;
    for (unsigned i = 0; i < count; i++) {
        if (has_peer(&dial->sockets[i])) {
            return DIAL_SECURE;
        }
    }
    return DIAL_CONNECT;
}

/* Whether it was a proxy of the settings or the environment that answered, or refused, us. */
static bool is_proxys_fault(const struct dial *dial, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(dial->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status != 0 && status / 100 != 2) {
        return true;
    }
    return dial->dialer->has_proxy && status == 0 &&
           (code == CURLE_COULDNT_CONNECT || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
            code == CURLE_GOT_NOTHING || code == CURLE_OPERATION_TIMEDOUT ||
            code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_WEIRD_SERVER_REPLY ||
            code == CURLE_UNSUPPORTED_PROTOCOL);
}

enum outcome dial_easy_late(const struct dial *dial)
{
    if (is_proxys_fault(dial, CURLE_OPERATION_TIMEDOUT)) {
        return OUTCOME_EGRESS_PROXY;
    }
    switch (dial->phase) {
    case DIAL_LOOKUP: return OUTCOME_DNS;
    case DIAL_CONNECT: return OUTCOME_CONNECT_TIMEOUT;
    case DIAL_SECURE: break;
    }
    return dial->provider->endpoint.is_tls ? OUTCOME_TLS_TIMEOUT : OUTCOME_CONNECT_TIMEOUT;
}

bool dial_easy_is_named(struct dial *dial)
{
    struct dial_name *name = &dial->dialer->names[dial->provider->endpoint.index];
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(dial->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL ||
        info->num_of_certs < 1) {
        return name->has_named_cert;
    }
    name->has_named_cert = false;
    for (const struct curl_slist *at = info->certinfo[0]; at != NULL; at = at->next) {
        if (span_starts(span_of(at->data), SPAN_OF("X509v3 Subject Alternative Name"))) {
            name->has_named_cert = true;
        }
    }
    return name->has_named_cert;
}

static enum outcome outcome_of_handshake(const struct dial *dial)
{
    for (size_t i = 0; i < ARRAY_LENGTH(handshakes); i++) {
        if (strstr(dial->error, handshakes[i].text) != NULL) {
            return handshakes[i].outcome;
        }
    }
    return OUTCOME_TLS;
}

enum outcome dial_easy_outcome(const struct dial *dial, CURLcode code)
{
    if (code == CURLE_COULDNT_CONNECT && dial->sockets_count == 0 && dial->is_denied) {
        return OUTCOME_EGRESS_DENIED;
    }
    long reason = 0;
    curl_easy_getinfo(dial->easy, CURLINFO_OS_ERRNO, &reason);
    if (dial->is_local) {
        return OUTCOME_LOCAL;
    }
    if (code == CURLE_COULDNT_CONNECT && reason == EADDRNOTAVAIL) {
        return OUTCOME_PORTS;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return dial_easy_late(dial);
    }
    if (is_proxys_fault(dial, code)) {
        return OUTCOME_EGRESS_PROXY;
    }
    if (code == CURLE_SSL_CONNECT_ERROR) {
        return outcome_of_handshake(dial);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(outcomes); i++) {
        if (outcomes[i].code == code) {
            return outcomes[i].outcome;
        }
    }
    return OUTCOME_CONNECT;
}
