/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/fetch_curl.h"

#include <curl/curl.h>

#include "base/secret.h"

enum { URL_MAX = 8192, BEARER_MAX = SECRET_MAX + 32 };

static size_t on_body_cb(char *at, size_t size, size_t count, void *to)
{
    struct buf *body = to;

    buf_put(body, span_make(at, size * count));
    return body->failed ? 0 : size * count; /* less than was given ends the transfer */
}

/* Texts for libcurl, which copies them. */
struct texts {
    struct buf url;
    struct buf bearer;
};

static enum err texts_init(struct texts *texts, const struct fetch_request *request)
{
    buf_init(&texts->url, URL_MAX);
    buf_init(&texts->bearer, BEARER_MAX);
    buf_put(&texts->url, request->url);
    buf_put_char(&texts->url, '\0');
    if (request->bearer.len > 0) {
        buf_put_text(&texts->bearer, "Authorization: Bearer ");
        buf_put(&texts->bearer, request->bearer);
    }
    buf_put_char(&texts->bearer, '\0');
    return texts->url.failed || texts->bearer.failed ? ERR_MEMORY : ERR_NONE;
}

static void texts_fini(struct texts *texts)
{
    buf_fini(&texts->url);
    secret_buf_fini(&texts->bearer);
}

static void set_up(CURL *easy, const struct fetch_request *request, const struct texts *texts,
                   const struct curl_slist *fields, struct buf *body)
{
    (void)curl_easy_setopt(easy, CURLOPT_URL, texts->url.at);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
    (void)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_ms);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body_cb);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    if (request->is_post) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                               request->json.len > 0 ? request->json.at : "");
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->json.len);
    }
}

/* What went wrong, as ours. */
static enum err err_of(CURLcode code, const struct buf *body, struct why *why)
{
    if (code == CURLE_OK) {
        return ERR_NONE;
    }
    if (body->failed) {
        why_set(why, "the answer is larger than %zu bytes", body->max);
        return ERR_CEILING;
    }
    why_set(why, "%s", curl_easy_strerror(code));
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                   code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING
               ? ERR_MISSING
               : ERR_SYSTEM;
}

static enum err transfer(const struct fetch_request *request, const struct texts *texts,
                         unsigned *status, struct buf *body, struct why *why)
{
    /* Without a media type: an empty body is none, and libcurl would call it a form. */
    struct curl_slist *fields = curl_slist_append(
        NULL, request->json.len > 0 ? "Content-Type: application/json" : "Content-Type:");
    struct curl_slist *more =
        request->bearer.len > 0 ? curl_slist_append(fields, texts->bearer.at) : fields;
    CURL *easy = curl_easy_init();
    enum err err = ERR_MEMORY;
    long code = 0;

    why_set(why, "%s", err_text(ERR_MEMORY));
    if (easy != NULL && fields != NULL && more != NULL) {
        set_up(easy, request, texts, fields, body);
        err = err_of(curl_easy_perform(easy), body, why);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
        *status = (unsigned)code;
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(fields);
    return err;
}

enum err fetch(const struct fetch_request *request, unsigned *status, struct buf *body,
               struct why *why)
{
    struct texts texts;
    enum err err = texts_init(&texts, request);

    *status = 0;
    if (err != ERR_NONE) {
        why_set(why, "%s", err_text(err));
    } else if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        err = transfer(request, &texts, status, body, why);
        curl_global_cleanup();
    } else {
        why_set(why, "libcurl cannot be used");
        err = ERR_SYSTEM;
    }
    texts_fini(&texts);
    return err;
}
