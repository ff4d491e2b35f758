/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/fetcher.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/secret.h"
#include "conf/url.h"
#include "proxy/curl_loop.h"
#include "proxy/dial_easy.h"

enum { TEXT_MAX = 16 * 1024, BODY_MAX = 64 * 1024 };

struct fetcher {
    struct loop *loop;
    const struct snapshot *snapshot;
    struct curl_loop *curl_loop;
    struct link all;
    struct buf ca_path; /* the hashed directory, empty when there is none */
    struct buf proxy;   /* ends in NUL */
};

struct fetching {
    struct link link;
    struct fetcher *fetcher;
    CURL *easy;
    struct curl_slist *fields;
    char error[CURL_ERROR_SIZE]; /* libcurl's own words for why it failed */
    size_t body_len;
    uint16_t port;
    bool is_dial;
    bool is_plain;  /* http:// */
    bool is_denied; /* an address was refused by rule */
    bool is_added;
    void (*posted)(void *to, const struct fetch_answer *answer);
    void (*dialed)(void *to, int fd, const struct why *why);
    void *to;
};

/* ---- addresses ---- */

static bool read_address(const struct sockaddr *from, struct egress_address *address,
                         unsigned *port)
{
    *address = (struct egress_address){.bytes = {[10] = 0xff, [11] = 0xff}};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, from, sizeof v4);
        memcpy(address->bytes + 12, &v4.sin_addr, 4);
        *port = ntohs(v4.sin_port);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, from, sizeof v6);
        memcpy(address->bytes, &v6.sin6_addr, 16);
        *port = ntohs(v6.sin6_port);
        return true;
    }
    return false;
}

/* Operators name where records go, and that is mostly in networks of their own: so private
 * addresses are none the worse. In the clear they go where keys may go in the clear. When the
 * environment may name a proxy, only another port proves that this is its address. */
static bool is_allowed(const struct fetching *fetching, const struct sockaddr *to)
{
    const struct snapshot *snapshot = fetching->fetcher->snapshot;
    struct egress_address address;
    unsigned port = 0;
    bool is_proxy = false;

    if (!read_address(to, &address, &port) || egress_is_metadata(&address)) {
        return false;
    }
    is_proxy = !fetching->is_dial && snapshot->egress_proxy.len > 0 && port != fetching->port;
    return !fetching->is_plain || is_proxy ||
           egress_may_be_plain(&address, snapshot->egress_allow, snapshot->egress_allow_count);
}

/* libcurl asks this for every address before it uses it. */
static curl_socket_t open_cb(void *to, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetching *fetching = to;
    int fd = -1;

    (void)purpose;
    if (!is_allowed(fetching, &address->addr)) {
        fetching->is_denied = true;
        return CURL_SOCKET_BAD;
    }
    fd = socket(address->family, address->socktype, address->protocol);
    if (fd < 0) {
        return CURL_SOCKET_BAD;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

/* ---- the end ---- */

static void drop(struct fetching *fetching)
{
    if (fetching->is_added) {
        curl_loop_remove(fetching->fetcher->curl_loop, fetching->easy);
    }
    curl_easy_cleanup(fetching->easy);
    curl_slist_free_all(fetching->fields);
    list_remove(&fetching->link);
    mem_give(fetching, sizeof *fetching);
}

static void say_why(const struct fetching *fetching, CURLcode code, struct why *why)
{
    if (fetching->is_denied) {
        why_set(why, "its address may not be called: docs/sinks.md");
    } else {
        why_set(why, "%s", fetching->error[0] != '\0' ? fetching->error : curl_easy_strerror(code));
    }
}

static void end_dial(struct fetching *fetching, CURLcode code)
{
    void (*dialed)(void *to, int fd, const struct why *why) = fetching->dialed;
    void *to = fetching->to;
    curl_socket_t theirs = CURL_SOCKET_BAD;
    struct why why = {""};
    int fd = -1;

    if (code == CURLE_OK &&
        curl_easy_getinfo(fetching->easy, CURLINFO_ACTIVESOCKET, &theirs) == CURLE_OK &&
        theirs != CURL_SOCKET_BAD) {
        fd = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
    }
    if (fd < 0) {
        say_why(fetching, code == CURLE_OK ? CURLE_COULDNT_CONNECT : code, &why);
    }
    drop(fetching); /* closes libcurl's descriptor of the connection; ours stays */
    dialed(to, fd, &why);
}

static void end_post(struct fetching *fetching, CURLcode code)
{
    void (*posted)(void *to, const struct fetch_answer *answer) = fetching->posted;
    void *to = fetching->to;
    struct fetch_answer answer = {.why = {""}};
    curl_off_t retry_after = 0;
    long status = 0;

    (void)curl_easy_getinfo(fetching->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(fetching->easy, CURLINFO_RETRY_AFTER, &retry_after);
    /* What came after the head of an answer changes nothing of what it says, if it was only long.
     */
    if (code == CURLE_OK || fetching->body_len > BODY_MAX) {
        answer.status = (unsigned)status;
        answer.retry_after_s = retry_after > INT32_MAX ? INT32_MAX : (uint32_t)retry_after;
    } else {
        say_why(fetching, code, &answer.why);
    }
    drop(fetching);
    posted(to, &answer);
}

static void on_done(void *to, CURL *easy, CURLcode code)
{
    char *private = NULL;
    struct fetching *fetching = NULL;

    (void)to;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    fetching = (struct fetching *)(void *)private;
    if (fetching->is_dial) {
        end_dial(fetching, code);
    } else {
        end_post(fetching, code);
    }
}

void fetcher_cancel(struct fetching *fetching)
{
    if (fetching != NULL) {
        drop(fetching);
    }
}

/* ---- the beginning ---- */

static size_t body_cb(char *at, size_t size, size_t count, void *to)
{
    struct fetching *fetching = to;

    (void)at;
    fetching->body_len += size * count;
    return fetching->body_len > BODY_MAX ? 0 : size * count; /* less than was given ends it */
}

static bool set_text(CURL *easy, CURLoption option, struct span text)
{
    struct buf copy;
    bool is_set = false;

    buf_init(&copy, TEXT_MAX);
    buf_put(&copy, text);
    buf_put_char(&copy, '\0');
    is_set = !copy.failed && curl_easy_setopt(easy, option, copy.at) == CURLE_OK;
    buf_fini(&copy);
    return is_set;
}

/* The reasons stand in dial_easy.c. */
static bool set_manners(struct fetching *fetching)
{
    CURL *easy = fetching->easy;

    return curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)(void *)fetching) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetching->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_cb) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetching) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_cb) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetching) == CURLE_OK;
}

static bool set_trust(CURL *easy, const struct fetcher *fetcher, struct span ca_file)
{
    if (curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK) {
        return false;
    }
    if (ca_file.len > 0) {
        return curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
               set_text(easy, CURLOPT_CAINFO, ca_file);
    }
    return fetcher->ca_path.len == 0 ||
           (curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
            curl_easy_setopt(easy, CURLOPT_CAPATH, fetcher->ca_path.at) == CURLE_OK);
}

static bool set_proxy(CURL *easy, const struct fetcher *fetcher)
{
    if (span_equal(fetcher->snapshot->egress_proxy, SPAN_OF("environment"))) {
        return curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK;
    }
    return curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, fetcher->proxy.at) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK;
}

static bool add_field(struct fetching *fetching, struct span line)
{
    struct curl_slist *more = NULL;
    struct buf copy;

    buf_init(&copy, TEXT_MAX);
    buf_put(&copy, line);
    buf_put_char(&copy, '\0');
    if (!copy.failed) {
        more = curl_slist_append(fetching->fields, copy.at);
    }
    secret_buf_fini(&copy);
    if (more != NULL) {
        fetching->fields = more;
    }
    return more != NULL;
}

/* Nobody is asked whether he would take the body: it costs a round trip. */
static bool set_fields(struct fetching *fetching, const struct fetch_post *post)
{
    bool is_good = add_field(fetching, SPAN_OF("Expect:"));

    for (size_t i = 0; i < post->fields_count && is_good; i++) {
        is_good = add_field(fetching, post->fields[i]);
    }
    return is_good &&
           curl_easy_setopt(fetching->easy, CURLOPT_HTTPHEADER, fetching->fields) == CURLE_OK;
}

static bool set_times(CURL *easy, uint32_t connect_ms, uint32_t total_ms)
{
    return curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)total_ms) == CURLE_OK;
}

static bool set_post(struct fetching *fetching, const struct fetch_post *post)
{
    CURL *easy = fetching->easy;
    struct why why;
    struct url url;

    if (url_read(post->url, &url, &why) != ERR_NONE) {
        return false;
    }
    fetching->port = url.port;
    fetching->is_plain = !url.is_tls;
    return set_manners(fetching) && set_text(easy, CURLOPT_URL, post->url) &&
           set_trust(easy, fetching->fetcher, post->ca_file) &&
           set_proxy(easy, fetching->fetcher) && set_fields(fetching, post) &&
           set_times(easy, post->connect_ms, post->total_ms) &&
           curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body.at) == CURLE_OK;
}

static bool set_dial(struct fetching *fetching, struct span host, uint16_t port, uint32_t ms)
{
    CURL *easy = fetching->easy;
    bool is_v6 = memchr(host.at, ':', host.len) != NULL;
    bool is_set = false;
    struct buf url;

    buf_init(&url, TEXT_MAX);
    buf_put_format(&url, is_v6 ? "http://[%.*s]:%u/" : "http://%.*s:%u/", SPAN_ARGS(host),
                   (unsigned)port);
    is_set = !url.failed && set_manners(fetching) && set_text(easy, CURLOPT_URL, buf_span(&url)) &&
             set_times(easy, ms, ms) &&
             curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    buf_fini(&url);
    return is_set;
}

static struct fetching *make(struct fetcher *fetcher, void *to)
{
    struct fetching *fetching = mem_take_zero(sizeof *fetching);

    if (fetching == NULL) {
        return NULL;
    }
    fetching->fetcher = fetcher;
    fetching->to = to;
    list_init(&fetching->link);
    list_push_back(&fetcher->all, &fetching->link);
    fetching->easy = curl_easy_init();
    return fetching;
}

static struct fetching *begin(struct fetching *fetching, bool is_set)
{
    if (!is_set || curl_loop_add(fetching->fetcher->curl_loop, fetching->easy) != ERR_NONE) {
        drop(fetching);
        return NULL;
    }
    fetching->is_added = true;
    return fetching;
}

struct fetching *fetcher_post(struct fetcher *fetcher, const struct fetch_post *post,
                              void (*done)(void *to, const struct fetch_answer *answer), void *to)
{
    struct fetching *fetching = make(fetcher, to);

    if (fetching == NULL) {
        return NULL;
    }
    fetching->posted = done;
    return begin(fetching, fetching->easy != NULL && set_post(fetching, post));
}

struct fetching *fetcher_dial(struct fetcher *fetcher, struct span host, uint16_t port,
                              uint32_t connect_ms,
                              void (*done)(void *to, int fd, const struct why *why), void *to)
{
    struct fetching *fetching = make(fetcher, to);

    if (fetching == NULL) {
        return NULL;
    }
    fetching->is_dial = true;
    fetching->port = port;
    fetching->dialed = done;
    return begin(fetching, fetching->easy != NULL && set_dial(fetching, host, port, connect_ms));
}

/* ---- the whole ---- */

struct fetcher *fetcher_new(struct loop *loop, const struct snapshot *snapshot)
{
    struct fetcher *fetcher = mem_take_zero(sizeof *fetcher);

    if (fetcher == NULL) {
        return NULL;
    }
    fetcher->loop = loop;
    fetcher->snapshot = snapshot;
    list_init(&fetcher->all);
    buf_init(&fetcher->ca_path, TEXT_MAX);
    buf_init(&fetcher->proxy, TEXT_MAX);
    dial_easy_find_ca_path(&fetcher->ca_path);
    buf_put(&fetcher->proxy, snapshot->egress_proxy);
    buf_put_char(&fetcher->proxy, '\0');
    fetcher->curl_loop = curl_loop_new(loop, on_done, fetcher);
    if (fetcher->curl_loop == NULL || fetcher->proxy.failed) {
        fetcher_free(fetcher);
        return NULL;
    }
    return fetcher;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL) {
        return;
    }
    while (!list_is_empty(&fetcher->all)) {
        drop(LIST_OWNER(fetcher->all.next, struct fetching, link));
    }
    curl_loop_free(fetcher->curl_loop);
    buf_fini(&fetcher->ca_path);
    buf_fini(&fetcher->proxy);
    mem_give(fetcher, sizeof *fetcher);
}
