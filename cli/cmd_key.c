/* SPDX-License-Identifier: Apache-2.0 */
/* headgate key: makes callers' keys, and what becomes of them. It edits the file that keys: { file: ... } names;
 * a headgate that runs follows. What it makes is shown once and kept nowhere. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/key.h"
#include "cli/key_edit.h"
#include "cli/key_file.h"
#include "conf/keys.h"
#include "enforcement/key_text.h"
#include "proxy/loop.h"
#include "wire/json_out.h"

enum { LIST_MAX = 16, ENTRY_MAX = 64 * 1024, OUT_MAX = 16 * 1024 * 1024, STDIN_MAX = 1024 };

/* Options that become members of the key as they are: single values, then lists. */
enum member { TEAM, USER, NOT_BEFORE, EXPIRES, SINGLES, TAG = SINGLES, ROUTE, MODEL, OPERATION, TIER, ADDRESS, MEMBERS };

static const struct {
    const char *option;
    const char *member;
} members[MEMBERS] = {
    [TEAM] = {"--team", "team"},
    [USER] = {"--user", "user"},
    [NOT_BEFORE] = {"--not-before", "not_before"},
    [EXPIRES] = {"--expires", "expires"},
    [TAG] = {"--tag", "tags"},
    [ROUTE] = {"--route", "routes"},
    [MODEL] = {"--model", "models"},
    [OPERATION] = {"--operation", "operations"},
    [TIER] = {"--tier", "tiers"},
    [ADDRESS] = {"--address", "addresses"},
};

struct key_line {
    const struct command_line *line;
    const char *what; /* the subcommand */
    const char *name;
    const char *values[MEMBERS][LIST_MAX];
    size_t counts[MEMBERS];
    uint64_t grace_ms;
    bool wants_json;
};

/* What a subcommand works with. */
struct work {
    const struct key_line *line;
    struct snapshot *snapshot;
    struct key_file file;
    struct keyring *ring; /* what the file holds; NULL: there is no file yet */
    struct loop *loop;    /* for time and chance */
    char key[KEY_TEXT_LENGTH];
};

static int fail(int code, const char *what)
{
    (void)fprintf(stderr, "headgate: %s\n", what);
    return code;
}

static int misused(const char *what, const char *word)
{
    (void)fprintf(stderr, "headgate: key: %s%s; see headgate key --help\n", what, word);
    return EXIT_CODE_USAGE;
}

static int code_of(enum err err)
{
    return err == ERR_PERMISSION ? EXIT_CODE_PERMISSION : EXIT_CODE_RUNTIME;
}

static bool write_out(const struct buf *out)
{
    return !out->failed && fwrite(out->at, 1, out->len, stdout) == out->len && fflush(stdout) == 0;
}

static int no_key_made(void)
{
    return fail(EXIT_CODE_RUNTIME, "key: no key could be made of the chance that the system gave; "
                                   "nothing was changed: try again");
}

/* ---- the ring of a text ---- */

/* is_own: this program wrote the text, and what is wrong with it is told as such. */
static int read_ring(const struct work *work, struct span text, bool is_own, struct keyring **ring)
{
    struct complaints *complaints = mem_take(sizeof *complaints);
    enum err err = complaints == NULL
                       ? ERR_MEMORY
                       : keys_read(text, &work->snapshot->keys, complaints, ring);

    if (err == ERR_CONFIG && is_own) {
        (void)fprintf(stderr, "headgate: key: nothing was changed: %s%s%s\n",
                      complaints->list[0].text, complaints->list[0].help[0] == '\0' ? "" : "; ",
                      complaints->list[0].help);
    } else if (err == ERR_CONFIG) {
        settings_show(complaints, work->snapshot->keys.file, text);
    }
    mem_give(complaints, sizeof *complaints);
    if (err == ERR_NONE) {
        return EXIT_CODE_GOOD;
    }
    if (err != ERR_CONFIG) {
        return fail(EXIT_CODE_RUNTIME, err_text(err));
    }
    return is_own ? EXIT_CODE_USAGE : EXIT_CODE_CONFIG;
}

static const struct key_entry *entry_named(const struct keyring *ring, const char *name)
{
    for (size_t i = 0; ring != NULL && i < ring->count; i++) {
        if (span_equal(ring->keys[i].caller.name, span_of(name))) {
            return &ring->keys[i];
        }
    }
    return NULL;
}

/* ---- a new key ---- */

static void put_hex(struct buf *out, const struct digest *digest)
{
    buf_put_text(out, "\"hmac-sha256:");
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        buf_put_format(out, "%02x", digest->bytes[i]);
    }
    buf_put_char(out, '"');
}

/* Into work->key; its digest as YAML. */
static bool make_key(struct work *work, struct digest *digest)
{
    unsigned char chance[KEY_CHANCE_BYTES];
    struct digest_key secret;
    bool is_good = false;

    loop_entropy(work->loop, chance, sizeof chance);
    is_good = key_text_make(chance, work->key);
    digest_key_init(&secret, work->snapshot->keys.secret);
    digest_hmac(&secret, span_make(work->key, sizeof work->key), digest);
    secret_wipe(&secret, sizeof secret);
    secret_wipe(chance, sizeof chance);
    return is_good;
}

/* The key itself alone on stdout, so that it can be caught there; all else beside it. */
static int show_key(const struct work *work)
{
    struct span key = span_make(work->key, sizeof work->key);
    int code = EXIT_CODE_GOOD;
    struct json_out json;
    struct buf out;

    buf_init(&out, ENTRY_MAX);
    if (work->line->wants_json) {
        json_out_init(&json, &out);
        json_open_object(&json);
        json_key(&json, "name");
        json_text(&json, work->line->name);
        json_key(&json, "id");
        json_string(&json, key_text_id(key));
        json_key(&json, "key");
        json_string(&json, key);
        json_close_object(&json);
    } else {
        (void)fprintf(stderr, "%s of %s, shown this once; a headgate that runs takes it within 2 seconds:\n",
                      strcmp(work->line->what, "create") == 0 ? "key" : "new key",
                      work->line->name);
        buf_put(&out, key);
    }
    buf_put_char(&out, '\n');
    if (!write_out(&out)) {
        (void)fprintf(stderr,
                      "headgate: key: the file has the new key of %s, but standard output did not take it, "
                      "so nobody has seen it: make it another one, headgate key rotate %s%s\n",
                      work->line->name, work->line->name,
                      work->line->grace_ms > 0 ? "; that ends the grace of the old one" : "");
        code = EXIT_CODE_RUNTIME;
    }
    secret_buf_fini(&out);
    return code;
}

/* ---- changing the file ---- */

/* What an edit came to: it must read as it was meant. */
static bool is_meant(const struct keyring *ring, const struct work *work, size_t count,
                     const struct key_entry *wanted)
{
    const struct key_entry *is = entry_named(ring, work->line->name);

    return is != NULL && ring->count == count && digest_equal(&is->digest, &wanted->digest) &&
           is->is_revoked == wanted->is_revoked && is->previous_until == wanted->previous_until &&
           digest_equal(&is->previous, &wanted->previous);
}

static int replace(struct work *work, const struct buf *text, size_t count,
                   const struct key_entry *wanted)
{
    struct keyring *ring = NULL;
    struct why why = {.text = ""};
    int code = read_ring(work, buf_span(text), true, &ring);
    enum err err = ERR_NONE;

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    if (!is_meant(ring, work, count, wanted)) {
        code = fail(EXIT_CODE_RUNTIME, "key: the file is written in a way that cannot be edited here; "
                                       "nothing was changed: please edit it by hand");
    } else {
        err = key_file_replace(&work->file, buf_span(text), &why);
        code = err == ERR_NONE ? EXIT_CODE_GOOD : fail(code_of(err), why.text);
    }
    keyring_give(ring);
    return code;
}

static int edit_failed(enum err err)
{
    return fail(EXIT_CODE_RUNTIME, err == ERR_MEMORY ? err_text(err)
                                                     : "key: the file has no list of keys to edit");
}

/* ---- create ---- */

static void put_entry(const struct work *work, const struct digest *digest, struct buf *out)
{
    const struct key_line *line = work->line;

    buf_put_text(out, "{ name: ");
    key_edit_quote(out, span_of(line->name));
    buf_put_text(out, ", digest: ");
    put_hex(out, digest);
    buf_put_text(out, ", id: ");
    key_edit_quote(out, key_text_id(span_make(work->key, sizeof work->key)));
    for (int m = 0; m < MEMBERS; m++) {
        if (line->counts[m] == 0) {
            continue;
        }
        buf_put_format(out, ", %s: %s", members[m].member, m < SINGLES ? "" : "[");
        for (size_t i = 0; i < line->counts[m]; i++) {
            buf_put_text(out, i == 0 ? "" : ", ");
            key_edit_quote(out, span_of(line->values[m][i]));
        }
        buf_put_text(out, m < SINGLES ? "" : "]");
    }
    buf_put_text(out, " }");
}

/* In a file of their own routes are not looked for, since several headgates may share it: here a name that is
 * mistyped is told. */
static int check_routes(const struct work *work)
{
    const struct key_line *line = work->line;

    for (size_t i = 0; i < line->counts[ROUTE]; i++) {
        const struct routing *routing = &work->snapshot->routing;
        bool is_there = false;

        for (size_t k = 0; k < routing->routes_count; k++) {
            is_there = is_there ||
                       span_equal(routing->routes[k].name, span_of(line->values[ROUTE][i]));
        }
        if (!is_there) {
            return misused("the configuration has no route ", line->values[ROUTE][i]);
        }
    }
    return EXIT_CODE_GOOD;
}

static int create(struct work *work)
{
    struct key_entry wanted = {.is_revoked = false};
    size_t count = work->ring == NULL ? 0 : work->ring->count;
    int code = check_routes(work);
    struct buf entry;
    struct buf text;
    enum err err = ERR_NONE;

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    if (entry_named(work->ring, work->line->name) != NULL) {
        return misused("a key has this name already (rotate makes it a new one): ", work->line->name);
    }
    if (!make_key(work, &wanted.digest)) {
        return no_key_made();
    }
    buf_init(&entry, ENTRY_MAX);
    buf_init(&text, KEYS_FILE_MAX);
    put_entry(work, &wanted.digest, &entry);
    err = entry.failed ? ERR_MEMORY
                       : key_edit_add(buf_span(&work->file.text), buf_span(&entry), &text);
    code = err == ERR_NONE ? replace(work, &text, count + 1, &wanted) : edit_failed(err);
    buf_fini(&text);
    buf_fini(&entry);
    return code == EXIT_CODE_GOOD ? show_key(work) : code;
}

/* ---- rotate, revoke ---- */

static int set(struct work *work, const struct key_member *list, size_t count,
               const struct key_member *previous, const struct key_entry *wanted)
{
    struct buf text;
    int code = EXIT_CODE_GOOD;
    enum err err = ERR_NONE;

    buf_init(&text, KEYS_FILE_MAX);
    err = key_edit_set(buf_span(&work->file.text), span_of(work->line->name), list, count,
                       previous, &text);
    code = err == ERR_NONE ? replace(work, &text, work->ring->count, wanted) : edit_failed(err);
    buf_fini(&text);
    return code;
}

/* The old key holds until then; without grace until now, if it is kept for the key before it that the
 * file has, else it is gone. */
static int rotate(struct work *work)
{
    const struct key_entry *old = entry_named(work->ring, work->line->name);
    wall_ms until = loop_wall(work->loop) + (wall_ms)work->line->grace_ms;
    struct key_entry wanted = *old;
    struct key_member list[2] = {{.name = "digest"}, {.name = "id"}};
    struct key_member previous[2] = {{.name = "digest"}, {.name = "until"}};
    struct buf texts[4];
    bool keeps = work->line->grace_ms > 0 || old->previous_until != 0;
    int code = EXIT_CODE_RUNTIME;

    if (old->is_revoked) {
        return misused("it was revoked, so make another one in place of ", work->line->name);
    }
    if (!make_key(work, &wanted.digest)) {
        return no_key_made();
    }
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        buf_init(&texts[i], ENTRY_MAX);
    }
    put_hex(&texts[0], &wanted.digest);
    key_edit_quote(&texts[1], key_text_id(span_make(work->key, sizeof work->key)));
    put_hex(&texts[2], &old->digest);
    buf_put_char(&texts[3], '"');
    text_put_rfc3339(&texts[3], until);
    buf_put_char(&texts[3], '"');
    list[0].value = buf_span(&texts[0]);
    list[1].value = buf_span(&texts[1]);
    previous[0].value = buf_span(&texts[2]);
    previous[1].value = buf_span(&texts[3]);
    if (keeps) {
        wanted.previous = old->digest;
        wanted.previous_until = until;
    }
    code = set(work, list, ARRAY_LENGTH(list), keeps ? previous : NULL, &wanted);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        buf_fini(&texts[i]);
    }
    return code == EXIT_CODE_GOOD ? show_key(work) : code;
}

static int revoke(struct work *work)
{
    const struct key_member list[] = {{.name = "revoked", .value = SPAN("true")}};
    struct key_entry wanted = *entry_named(work->ring, work->line->name);
    int code = EXIT_CODE_GOOD;

    if (!wanted.is_revoked) {
        wanted.is_revoked = true;
        code = set(work, list, ARRAY_LENGTH(list), NULL, &wanted);
    }
    if (code == EXIT_CODE_GOOD) {
        (void)printf(work->line->wants_json ? "{\"name\":\"%s\",\"state\":\"revoked\"}\n"
                                            : "%s: revoked\n",
                     work->line->name);
    }
    return code;
}

/* ---- list, check ---- */

static int list(struct work *work)
{
    static const struct keyring none = {.count = 0};
    struct buf out;
    int code = EXIT_CODE_GOOD;

    buf_init(&out, OUT_MAX);
    key_list_put(work->ring != NULL ? work->ring : &none, loop_wall(work->loop),
                 work->line->wants_json, &out);
    if (!write_out(&out)) {
        code = fail(EXIT_CODE_RUNTIME, "key: standard output did not take the list");
    }
    buf_fini(&out);
    return code;
}

/* What stands on standard input, without its line end. */
static bool read_key(char text[STDIN_MAX], size_t *len)
{
    size_t count = fread(text, 1, STDIN_MAX, stdin);

    while (count > 0 && (text[count - 1] == '\n' || text[count - 1] == '\r')) {
        count--;
    }
    *len = count;
    return count > 0 && count < STDIN_MAX;
}

static int check(struct work *work)
{
    const struct key_entry *entry = NULL;
    enum key_verdict verdict = KEY_UNKNOWN;
    char text[STDIN_MAX];
    size_t len = 0;
    struct span name = SPAN("");

    if (!read_key(text, &len)) {
        return misused("give one key on standard input", "");
    }
    if (work->ring != NULL) {
        verdict = keyring_find(work->ring, span_make(text, len), loop_wall(work->loop), &entry);
    } else if (key_text_shape(span_make(text, len)) == KEY_SHAPE_MISTYPED) {
        verdict = KEY_MISTYPED;
    }
    secret_wipe(text, sizeof text);
    if (entry != NULL) {
        name = entry->caller.name;
    }
    if (work->line->wants_json) {
        (void)printf("{\"name\":\"%.*s\",\"state\":\"%s\"}\n", SPAN_ARGS(name),
                     key_verdict_word(verdict));
    } else {
        (void)printf("%.*s%s%s\n", SPAN_ARGS(name), name.len > 0 ? ": " : "",
                     key_verdict_word(verdict));
    }
    return verdict == KEY_GOOD ? EXIT_CODE_GOOD : EXIT_CODE_FOUND;
}

/* ---- the command ---- */

static const struct subcommand {
    const char *name;
    int (*run)(struct work *work);
    bool has_name;
    bool is_known; /* the name must be there */
    bool changes;
} subcommands[] = {
    {"create", create, true, false, true},   {"list", list, false, false, false},
    {"rotate", rotate, true, true, true},    {"revoke", revoke, true, true, true},
    {"check", check, false, false, false},
};

static int run_with_file(const struct subcommand *subcommand, struct work *work)
{
    struct why why = {.text = ""};
    enum err err = key_file_open(&work->file, work->snapshot->keys.file, subcommand->changes, &why);
    int code = err == ERR_NONE ? EXIT_CODE_GOOD : fail(code_of(err), why.text);

    if (code == EXIT_CODE_GOOD && work->file.text.len > 0) {
        code = read_ring(work, buf_span(&work->file.text), false, &work->ring);
    }
    if (code == EXIT_CODE_GOOD && subcommand->is_known &&
        entry_named(work->ring, work->line->name) == NULL) {
        (void)fprintf(stderr, "headgate: key: no key is named %s; see headgate key list\n",
                      work->line->name);
        code = EXIT_CODE_FOUND;
    }
    if (code == EXIT_CODE_GOOD) {
        code = subcommand->run(work);
    }
    key_file_close(&work->file);
    return code;
}

static int run_with_settings(const struct subcommand *subcommand, struct work *work)
{
    struct keyring *ring = work->snapshot->keys.ring;

    if (ring == NULL) {
        return fail(EXIT_CODE_CONFIG,
                    "the configuration has no keys; write key_secret: \"${HEADGATE_KEY_SECRET}\" and "
                    "keys: { file: ./keys.yaml }");
    }
    if (work->snapshot->keys.file.len > 0) {
        return run_with_file(subcommand, work);
    }
    if (subcommand->changes) {
        return fail(EXIT_CODE_CONFIG, "the keys stand in the configuration itself, which is not edited "
                                      "here; move them to a file and write keys: { file: ./keys.yaml }");
    }
    work->ring = keyring_take(ring);
    return subcommand->run(work);
}

static int run_subcommand(const struct subcommand *subcommand, const struct key_line *line)
{
    struct work work = {.line = line, .loop = loop_new(NULL)};
    struct buf path;
    int code = settings_load_without_keys(line->line, &work.snapshot, &path);

    if (code == EXIT_CODE_GOOD && work.loop == NULL) {
        code = fail(EXIT_CODE_RUNTIME, err_text(ERR_MEMORY));
    }
    if (code == EXIT_CODE_GOOD) {
        code = run_with_settings(subcommand, &work);
    }
    keyring_give(work.ring);
    snapshot_give(work.snapshot);
    loop_free(work.loop);
    secret_wipe(work.key, sizeof work.key);
    buf_fini(&path);
    return code;
}

/* One option; false: it is wrong, or not of this subcommand. */
static bool take_option(struct key_line *line, char *const *words, int count, int *at)
{
    const char *value = NULL;
    bool is_create = strcmp(line->what, "create") == 0;

    if (strcmp(words[*at], "--json") == 0) {
        line->wants_json = true;
        return true;
    }
    value = settings_option(words, count, at, "--name");
    if (value != NULL) {
        bool is_first = line->name == NULL;

        line->name = value;
        return is_first && value[0] != '\0';
    }
    value = settings_option(words, count, at, "--grace");
    if (value != NULL) {
        return strcmp(line->what, "rotate") == 0 &&
               text_read_duration(span_of(value), &line->grace_ms) == ERR_NONE &&
               line->grace_ms <= (uint64_t)366 * 24 * 60 * 60 * 1000;
    }
    for (int m = 0; m < MEMBERS; m++) {
        value = settings_option(words, count, at, members[m].option);
        if (value != NULL) {
            bool has_room = line->counts[m] < (m < SINGLES ? 1 : (size_t)LIST_MAX);

            if (has_room) {
                line->values[m][line->counts[m]++] = value;
            }
            return is_create && has_room && value[0] != '\0';
        }
    }
    return false;
}

static int run(const struct command_line *command_line)
{
    struct key_line line = {.line = command_line, .wants_json = command_line->wants_json};
    const struct subcommand *subcommand = NULL;
    char *const *words = command_line->operands;
    int count = command_line->operands_count;

    for (size_t i = 0; count > 0 && i < ARRAY_LENGTH(subcommands); i++) {
        if (strcmp(words[0], subcommands[i].name) == 0) {
            subcommand = &subcommands[i];
        }
    }
    if (subcommand == NULL) {
        return misused(count == 0 ? "say create, list, rotate, revoke or check" : "no such word: ",
                       count == 0 ? "" : words[0]);
    }
    line.what = subcommand->name;
    for (int i = 1; i < count; i++) {
        int before = i;

        if (words[i][0] == '-') {
            if (!take_option(&line, words, count, &i)) {
                return misused("wrong option or value: ", words[before]);
            }
        } else if (line.name == NULL) {
            line.name = words[i];
        } else {
            return misused("one word too many: ", words[i]);
        }
    }
    if (subcommand->has_name != (line.name != NULL)) {
        return subcommand->has_name ? misused("which one? give the name to ", line.what)
                                    : misused("takes no name: ", line.what);
    }
    return run_subcommand(subcommand, &line);
}

const struct command command_key = {
    .name = "key",
    .help = "callers' keys: create, list, rotate, revoke, check",
    .operands = "create|list|rotate|revoke|check ...",
    .parses_itself = true,
    .has_json = true,
    .details =
        "  create NAME [OPTIONS]       makes a key and shows it this once, alone on stdout\n"
        "  list                        names, whose they are, how long they hold; no digests\n"
        "  rotate NAME [--grace 24h]   a new key under this name; the old one holds so much longer\n"
        "  revoke NAME                 it holds no more\n"
        "  check                       reads a key from stdin: good, mistyped, unknown, revoked,\n"
        "                              expired or not_yet_valid\n\n"
        "options of create:\n"
        "  --team TEAM  --user USER    whose it is; --user from_request: whom each request names\n"
        "  --tag TAG                   of its calls; this one and those below several times\n"
        "  --route ROUTE  --model M    what it may call; '*' in M for any run of characters\n"
        "  --operation O  --address R  what it may do (chat, embeddings, ...), and from where\n"
        "  --tier T                    service tiers it may ask for; 'default': none but the usual\n"
        "  --expires T  --not-before T a day like 2027-01-31, or a moment like\n"
        "                              2027-01-31T18:00:00Z\n\n"
        "They edit the file that the configuration names: keys: { file: ./keys.yaml }. A headgate\n"
        "that runs follows within 2 seconds. key_secret comes from the configuration or from\n"
        "HEADGATE_KEY_SECRET.\n"
        "Exit code 2: no key has this name, or the key that was checked does not hold; 77: no\n"
        "permission; 78: faults in the configuration or in the file of keys.\n",
    .run = run,
};
