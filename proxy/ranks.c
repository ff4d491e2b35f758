/* SPDX-License-Identifier: Apache-2.0 */
/* Each thread has its own list of tables; what the store thread reads comes over in a ranks_found.
 */
#include "proxy/ranks.h"

#include "base/mem.h"
#include "pricing/family.h"
#include "proxy/files.h"

enum { FILE_MAX = 8 * 1024 * 1024, PATH_ROOM = 4096, LOOK_MS = 60000, FAMILIES = 2 };

struct ranks {
    /* The store thread's. */
    struct {
        struct bpe *bpe;
        size_t held;
    } read[FAMILIES];
    /* The loop's. */
    const struct bpe *tables[FAMILIES];
    struct bpe_room *room;
    struct chat_counter counter;
    struct log *log;
    struct store_question question;
    struct ranks_found found;
    bool is_wanted[FAMILIES];
    bool is_asking;
    bool has_told_missing;
    bool has_told_bad;
    mono_ms look_at;
};

struct ranks *ranks_new(void)
{
    struct ranks *ranks = mem_take_zero(sizeof *ranks);

    if (ranks != NULL) {
        chat_counter_init(&ranks->counter, NULL, NULL, NULL);
    }
    return ranks;
}

void ranks_free(struct ranks *ranks)
{
    if (ranks == NULL) {
        return;
    }
    for (size_t i = 0; i < FAMILIES; i++) {
        if (ranks->read[i].bpe != NULL && ranks->tables[i] == NULL) {
            mem_take_over(ranks->read[i].held); /* read, and never heard of */
        }
        bpe_free(ranks->read[i].bpe);
    }
    chat_counter_fini(&ranks->counter);
    bpe_room_free(ranks->room);
    mem_give(ranks, sizeof *ranks);
}

/* ---- finding and reading ---- */

static struct span variable(const char *name)
{
    return files_world().variable(NULL, span_of(name));
}

/* The i-th folder to look in; false past the end. One that is not set is empty. */
static bool put_folder(struct buf *out, int i)
{
    struct span base;

    switch (i) {
    case 0: buf_put(out, variable("HEADGATE_RANKS")); return true;
    case 1:
        base = variable("XDG_DATA_HOME");
        buf_put(out, base.len > 0 ? base : variable("HOME"));
        if (out->len > 0) {
            buf_put_text(out, base.len > 0 ? "/headgate/ranks" : "/.local/share/headgate/ranks");
        }
        return true;
    case 2: buf_put_text(out, "/usr/local/share/headgate/ranks"); return true;
    case 3: buf_put_text(out, "/usr/share/headgate/ranks"); return true;
    default: return false;
    }
}

/* The first one that is there. */
static enum err read_file(enum bpe_family family, struct buf *bytes, struct why *why)
{
    enum err err = ERR_MISSING;
    struct buf path;

    buf_init(&path, PATH_ROOM);
    for (int i = 0; err == ERR_MISSING; i++) {
        buf_clear(&path);
        if (!put_folder(&path, i)) {
            break;
        }
        if (path.len > 0) {
            buf_put_format(&path, "/%s.tiktoken", bpe_family_name(family));
            err = path.failed ? ERR_MEMORY : files_read(buf_span(&path), bytes, why);
        }
    }
    buf_fini(&path);
    return err;
}

static enum err read_table(enum bpe_family family, struct bpe **bpe, struct why *why)
{
    struct buf bytes;
    enum err err = ERR_NONE;

    buf_init(&bytes, FILE_MAX);
    err = read_file(family, &bytes, why);
    if (err == ERR_NONE) {
        *bpe = bpe_new(buf_span(&bytes), family, why);
        if (*bpe != NULL && !bpe_is_published(*bpe)) {
            bpe_free(*bpe);
            *bpe = NULL;
            why_set(why, "it is another one than the published one");
        }
        if (*bpe == NULL) {
            why_prefix(why, "%s.tiktoken: ", bpe_family_name(family));
            err = ERR_FORMAT;
        }
    }
    buf_fini(&bytes);
    return err;
}

void ranks_load(struct ranks *ranks, enum bpe_family family, struct ranks_found *found)
{
    if (ranks->read[family].bpe == NULL) {
        size_t before = mem_held();
        enum err err = ERR_NONE;
        struct why why;

        err = read_table(family, &ranks->read[family].bpe, &why);
        found->err[family] = err;
        if (err != ERR_NONE && err != ERR_MISSING) {
            found->why = why;
        }
        if (ranks->read[family].bpe != NULL) {
            ranks->read[family].held = mem_held() - before;
            mem_hand_over(ranks->read[family].held);
        }
    }
    found->tables[family] = ranks->read[family].bpe;
    found->held[family] = ranks->read[family].held;
}

void ranks_quote(struct ranks *ranks, struct quoting *quoting, struct ranks_found *found)
{
    struct chat_counter counter;
    struct bpe_room *room = NULL;

    *found = (struct ranks_found){.held = {0}};
    for (int i = 0; i < FAMILIES; i++) {
        if (quoting_wants(quoting, (enum bpe_family)i)) {
            ranks_load(ranks, (enum bpe_family)i, found);
        }
    }
    if (found->tables[BPE_CL100K] != NULL || found->tables[BPE_O200K] != NULL) {
        room = bpe_room_new();
    }
    chat_counter_init(&counter, room == NULL ? NULL : found->tables[BPE_CL100K],
                      room == NULL ? NULL : found->tables[BPE_O200K], room);
    quoting_count(quoting, &counter);
    chat_counter_fini(&counter);
    bpe_room_free(room);
}

/* ---- on the loop ---- */

void ranks_heard(struct ranks *ranks, const struct ranks_found *found, struct log *log)
{
    bool is_missing = false;
    bool is_bad = false;

    for (size_t i = 0; i < FAMILIES; i++) {
        is_missing = is_missing || found->err[i] == ERR_MISSING;
        is_bad = is_bad || (found->err[i] != ERR_NONE && found->err[i] != ERR_MISSING);
        if (found->tables[i] != NULL && ranks->tables[i] == NULL) {
            mem_take_over(found->held[i]);
            ranks->tables[i] = found->tables[i];
        }
    }
    if (log != NULL && is_missing && !ranks->has_told_missing) {
        ranks->has_told_missing = true;
        log_say(
            log, LOG_INFO, "ranks_missing",
            "tokens that no provider tells are guessed from bytes; scripts/install-ranks brings "
            "the vocabularies with which they are counted (docs/tokens.md)");
    }
    if (log != NULL && is_bad && !ranks->has_told_bad) {
        ranks->has_told_bad = true;
        log_say(log, LOG_WARN, "ranks_unusable", "a vocabulary cannot be used: %s",
                found->why.text);
    }
}

bool ranks_count(struct ranks *ranks, const char *operation, struct span model, struct span body,
                 struct chat_count *count)
{
    struct family family = family_of(model);
    enum count_shape shape = COUNT_CHAT;

    if (!family.is_known || !count_shape_of(operation, &shape)) {
        return false;
    }
    if (ranks->tables[family.bpe] == NULL) {
        ranks->is_wanted[family.bpe] |= !ranks->is_asking; /* then it is the store thread's */
        return false;
    }
    if (ranks->room == NULL) {
        ranks->room = bpe_room_new();
    }
    if (body.len == 0 || body.len > RANKS_BODY_MAX || ranks->room == NULL) {
        return false;
    }
    ranks->counter.room = ranks->room;
    ranks->counter.tables[family.bpe] = ranks->tables[family.bpe];
    return chat_count(&ranks->counter, shape, model, body, count) == ERR_NONE;
}

bool ranks_are_used(const struct ranks *ranks)
{
    return ranks->tables[BPE_CL100K] != NULL || ranks->tables[BPE_O200K] != NULL;
}

static void look(struct store_question *question, struct journal_place end)
{
    struct ranks *ranks = LIST_OWNER(question, struct ranks, question);

    (void)end;
    for (int i = 0; i < FAMILIES; i++) {
        if (ranks->is_wanted[i]) {
            ranks_load(ranks, (enum bpe_family)i, &ranks->found);
        }
    }
}

static void looked(struct store_question *question)
{
    struct ranks *ranks = LIST_OWNER(question, struct ranks, question);

    ranks_heard(ranks, &ranks->found, ranks->log);
    for (size_t i = 0; i < FAMILIES; i++) {
        ranks->is_wanted[i] = false;
    }
    ranks->is_asking = false;
}

void ranks_want(struct ranks *ranks, struct store *store, struct log *log, mono_ms now)
{
    if (ranks->is_asking || (!ranks->is_wanted[0] && !ranks->is_wanted[1]) ||
        now < ranks->look_at) {
        return;
    }
    ranks->look_at = mono_add(now, LOOK_MS);
    ranks->log = log;
    ranks->found = (struct ranks_found){.held = {0}};
    ranks->question = (struct store_question){.run = look, .done = looked};
    ranks->is_asking = store_ask(store, &ranks->question);
}
