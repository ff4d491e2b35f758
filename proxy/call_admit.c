/* SPDX-License-Identifier: Apache-2.0 */
/* Whose call it is, and whether that one may make it: judged with the head, before the body is read. An app hears
 * one and the same no for a key that is unknown, mistyped, revoked, early or late; the log knows. */
#include "proxy/call_parts.h"

#include "base/limits.h"
#include "base/secret.h"
#include "proxy/keys.h"
#include "proxy/peer.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

/* ---- the credential ---- */

/* "Bearer", one blank, the key. Of what is written otherwise nobody knows what was meant. */
static bool read_credential(const struct call_head *head, struct span *credential)
{
    struct span bearer = call_head_span(head, head->bearer);

    *credential = call_head_span(head, head->key);
    if (bearer.len == 0) {
        return true;
    }
    if (!span_starts_nocase(bearer, SPAN_OF("bearer "))) {
        return false;
    }
    *credential = span_from(bearer, sizeof "bearer " - 1); /* a second blank is none of any key */
    return true;
}

void call_admit_put_credential(const struct call *call, struct buf *out)
{
    struct digest digest;

    digest_sha256(call_head_span(&call->head, call->head.key), &digest);
    buf_put_format(out, "sha256:%02x%02x%02x%02x", digest.bytes[0], digest.bytes[1],
                   digest.bytes[2], digest.bytes[3]);
}

/* ---- a credential that is none of ours ---- */

/* How long a secret is, is none. */
static bool is_the_same(struct span credential, struct span secret)
{
    return credential.len == secret.len && secret.len > 0 && secret_equal(credential, secret);
}

/* Whose it is besides: a provider's name, or "admin.token". All are compared, whichever it is. */
static struct span owner_of(const struct snapshot *snapshot, struct span credential)
{
    struct span owner = {NULL, 0};

    for (size_t i = 0; i < snapshot->routing.providers_count; i++) {
        const struct provider *provider = &snapshot->routing.providers[i];

        if (is_the_same(credential, provider->credential)) {
            owner = provider->name;
        }
    }
    if (is_the_same(credential, snapshot->admin_token)) {
        owner = SPAN_OF("admin.token");
    }
    return owner;
}

/* It is out: whoever sends it here has it. */
static void alarm(const struct call *call, struct span owner, const struct silent_name *peer)
{
    struct log *log = call->env->log;
    struct buf *text = &call->env->scratch->text;
    char address[PEER_TEXT_BYTES];

    if (owner.len == 0 || !keys_may_alarm(call->env->keys)) {
        return;
    }
    buf_clear(text);
    call_admit_put_credential(call, text);
    log_begin(log, LOG_WARN, "foreign_credential",
              "a caller sent a secret of this proxy's own as its key: it was refused; it has become known, "
              "change it");
    log_field(log, "call_id", span_make(call->call_id, CALL_ID_LENGTH));
    log_field(log, "owner", owner);
    log_field(log, "credential", buf_span(text));
    log_field(log, "peer", peer_text(peer, address));
    log_end(log);
}

static struct refusal refuse_key(struct call *call, struct span credential)
{
    struct refusal refusal = {.kind = REFUSAL_INVALID_KEY};
    struct silent_name peer;

    (void)conn_peer(call->conn, &peer);
    alarm(call, owner_of(call->snapshot, credential), &peer);
    refusal.wait_ms = keys_wrong(call->env->keys, &peer);
    if (refusal.wait_ms > 0) {
        refusal.kind = REFUSAL_TOO_MANY_WRONG_KEYS;
    } else {
        buf_put_text(&call->relay.head, "www-authenticate: Bearer\r\n");
    }
    return refusal;
}

/* ---- what the key's owner may ---- */

static enum refusal_kind judge(const struct call *call)
{
    const struct caller *caller = call->caller;
    const struct operation *operation = call->match.operation;
    struct egress_address address;
    struct silent_name peer;

    (void)conn_peer(call->conn, &peer);
    memcpy(address.bytes, peer.bytes, sizeof address.bytes);
    if (!caller_may_be_at(caller, &address)) {
        return REFUSAL_ADDRESS_NOT_ALLOWED;
    }
    if (caller->team_is_disabled) {
        return REFUSAL_TEAM_DISABLED;
    }
    if (operation->kind == OPERATION_MODELS) {
        return REFUSAL_NONE; /* lists what the caller may use, nothing else */
    }
    if (!caller_may_do(caller, span_of(operation->name)) ||
        (operation->kind == OPERATION_PASS && !caller_may_pass(caller))) {
        return REFUSAL_NOT_ALLOWED;
    }
    return REFUSAL_NONE;
}

static bool has_tag(struct span tags, struct span tag)
{
    while (tags.len > 0) {
        if (span_equal(span_cut(&tags, ','), tag)) {
            return true;
        }
    }
    return false;
}

/* The key's tags, then those of the app's that are others. False: no memory. */
static bool join_tags(struct call *call)
{
    struct call_head *head = &call->head;
    struct span own = call->caller->tags;
    struct span sent = {NULL, 0};
    struct http1_part all;

    if (own.len == 0) {
        return true;
    }
    if (buf_reserve(&head->text, own.len + head->tags.len + 1) != ERR_NONE) {
        return false;
    }
    sent = call_head_span(head, head->tags); /* it stays where it is from here on */
    all = call_head_keep(head, own);
    while (sent.len > 0) {
        struct span tag = span_cut(&sent, ',');

        if (!has_tag(own, tag)) {
            (void)call_head_keep(head, SPAN_OF(","));
            all.len += 1 + call_head_keep(head, tag).len;
        }
    }
    head->tags = all;
    return true;
}

struct refusal call_admit(struct call *call)
{
    struct refusal refusal = {.kind = REFUSAL_NONE};
    struct keys *keys = call->env->keys;
    const struct key_entry *entry = NULL;
    struct span credential;

    if (!keys_are_wanted(keys)) {
        return refusal;
    }
    if (!read_credential(&call->head, &credential)) {
        call->key_verdict = KEY_UNKNOWN;
        return refuse_key(call, call_head_span(&call->head, call->head.key));
    }
    if (credential.len == 0) {
        buf_put_text(&call->relay.head, "www-authenticate: Bearer\r\n");
        refusal.kind = REFUSAL_MISSING_KEY;
        return refusal;
    }
    call->key_verdict = (uint8_t)keys_find(keys, credential, &entry);
    if (entry != NULL) {
        call->keyring = keyring_take(keys_ring(keys));
        call->caller = &entry->caller;
    }
    if (call->key_verdict != KEY_GOOD) {
        return refuse_key(call, credential);
    }
    refusal.kind = judge(call);
    if (refusal.kind == REFUSAL_NONE && !join_tags(call)) {
        refusal.kind = REFUSAL_OVERLOADED;
    }
    return refusal;
}

/* ---- what the body adds ---- */

static bool is_text(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

struct refusal call_admit_user(struct call *call)
{
    struct refusal refusal = {.kind = REFUSAL_NONE};
    struct buf *text = &call->env->scratch->text;

    if (!call->caller->user_is_from_request || call->request.user.len == 0) {
        return refusal;
    }
    buf_clear(text);
    json_string_decode(call->request.user, text);
    if (text->len > SCOPE_VALUE_MAX || !is_text(buf_span(text))) {
        refusal = (struct refusal){
            .kind = REFUSAL_INVALID_VALUE,
            .param = "user",
            .hint = "this key's calls need a user of 1 to 256 bytes without control characters"};
        return refusal;
    }
    call->head.user = call_head_keep(&call->head, buf_span(text));
    if (call->head.text.failed) {
        refusal.kind = REFUSAL_OVERLOADED;
    }
    return refusal;
}

static bool may_name(const struct call *call, struct span tier)
{
    struct buf *text = &call->env->scratch->text;

    if (!json_is_string(tier)) {
        return true; /* null, or nothing that a provider takes */
    }
    buf_clear(text);
    json_string_decode(tier, text);
    return caller_may_name_tier(call->caller, buf_span(text));
}

struct refusal call_admit_tier(const struct call *call)
{
    enum { TIER, TIER_TOO, SPEED, MEMBERS }; /* Gemini has both spellings */
    static const char *const names[MEMBERS] = {"service_tier", "serviceTier", "speed"};
    struct refusal refusal = {.kind = REFUSAL_NONE};
    struct span values[MEMBERS];

    /* Of a path that is passed on unread the body is no accepted JSON; keys with tiers may not use it. */
    if (call->caller->tiers.count == 0 || call->request.is_plain ||
        call->match.operation->read_request == NULL) {
        return refusal;
    }
    json_walk_pick(json_walk_document(buf_span(&call->body)), names, MEMBERS, values);
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!may_name(call, values[i])) {
            return (struct refusal){.kind = REFUSAL_TIER_NOT_ALLOWED, .param = names[i]};
        }
    }
    return refusal;
}

struct span call_user(const struct call *call)
{
    return call->head.user.len > 0 ? call_head_span(&call->head, call->head.user)
                                   : call->caller->user;
}

bool call_admit_sees(const void *to, const struct route *route)
{
    return caller_may_call(to, route->name, route->name);
}
