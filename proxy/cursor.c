/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/cursor.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sip.h"
#include "base/text.h"
#include "proxy/files.h"

enum { PATH_LENGTH_MAX = 4096, TEXT_MAX = 8192 };

static const char digits[] = "0123456789abcdef";

/* ---- the text ---- */

void cursor_put(const struct cursor *cursor, struct buf *out)
{
    buf_put_text(out, "headgate cursor 1\nsink ");
    buf_put(out, cursor->name);
    buf_put_text(out, "\nid ");
    buf_put_text(out, cursor->id);
    buf_put_text(out, "\nplace ");
    buf_put_u64(out, cursor->place.segment);
    buf_put_char(out, ' ');
    buf_put_u64(out, cursor->place.offset);
    buf_put_char(out, '\n');
}

/* The line's rest behind its first word; at == NULL when it begins otherwise. */
static struct span line_of(struct span *text, const char *word)
{
    struct span line = span_cut(text, '\n');
    struct span begin = span_of(word);

    return span_starts(line, begin) && line.len > begin.len && line.at[begin.len] == ' '
               ? span_from(line, begin.len + 1)
               : span_make(NULL, 0);
}

static bool is_id(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text_hex_digit(text.at[i]) < 0) {
            return false;
        }
    }
    return text.len == CURSOR_ID_LENGTH;
}

enum err cursor_take(struct cursor *cursor, struct span text)
{
    struct journal_place place = {0, 0};
    struct span version = line_of(&text, "headgate");
    struct span name = line_of(&text, "sink");
    struct span id = line_of(&text, "id");
    struct span offset = line_of(&text, "place");
    struct span segment = span_cut(&offset, ' ');

    if (!span_equal(version, SPAN_OF("cursor 1")) || name.at == NULL || !is_id(id) ||
        offset.at == NULL || text.len > 0 || text_read_u64(segment, &place.segment) != ERR_NONE ||
        text_read_u64(offset, &place.offset) != ERR_NONE) {
        return ERR_FORMAT;
    }
    memcpy(cursor->id, id.at, CURSOR_ID_LENGTH);
    cursor->id[CURSOR_ID_LENGTH] = '\0';
    cursor->place = place;
    return ERR_NONE;
}

/* ---- the file ---- */

static enum err fail(struct why *why, const char *path)
{
    int code = errno;

    why_set(why, "%s: %s", path, strerror(code));
    return code == EACCES || code == EPERM || code == EROFS ? ERR_PERMISSION : ERR_SYSTEM;
}

/* Names of sinks hold what no file's name may, so the file is called by a hash of it. */
static enum err set_paths(struct cursor *cursor, struct span folder)
{
    static const uint64_t seed[2] = {0, 0};
    uint64_t hash = sip_hash(seed, cursor->name);

    buf_init(&cursor->path, PATH_LENGTH_MAX);
    buf_init(&cursor->other, PATH_LENGTH_MAX);
    buf_put(&cursor->path, folder);
    buf_put_char(&cursor->path, '/');
    for (unsigned i = 0; i < 16; i++) {
        buf_put_char(&cursor->path, digits[hash >> 60]);
        hash <<= 4;
    }
    buf_put_text(&cursor->path, ".cursor");
    buf_put(&cursor->other, buf_span(&cursor->path));
    buf_put(&cursor->other, span_make(".new", 5));
    buf_put_char(&cursor->path, '\0');
    return cursor->path.failed || cursor->other.failed ? ERR_MEMORY : ERR_NONE;
}

static bool is_folder(const char *path)
{
    struct stat status;
    bool is_good = stat(path, &status) == 0 && S_ISDIR(status.st_mode);

    errno = ENOTDIR;
    return is_good;
}

static enum err make_folder(struct span folder, struct why *why)
{
    enum err err = ERR_NONE;
    struct buf path;

    buf_init(&path, PATH_LENGTH_MAX);
    buf_put(&path, folder);
    buf_put_char(&path, '\0');
    if (path.failed) {
        err = ERR_MEMORY;
    } else if (mkdir(path.at, 0700) != 0 && (errno != EEXIST || !is_folder(path.at))) {
        err = fail(why, path.at);
    }
    buf_fini(&path);
    return err;
}

void cursor_restart(struct cursor *cursor, struct journal_place place, struct loop *loop)
{
    unsigned char chance[CURSOR_ID_LENGTH];

    loop_entropy(loop, chance, sizeof chance);
    for (size_t i = 0; i < CURSOR_ID_LENGTH; i++) {
        cursor->id[i] = digits[chance[i] % 16];
    }
    cursor->id[CURSOR_ID_LENGTH] = '\0';
    cursor->place = place;
    cursor->written = (struct journal_place){UINT64_MAX, UINT64_MAX};
}

enum err cursor_open(struct cursor *cursor, struct span folder, struct span name, struct loop *loop,
                     struct why *why)
{
    struct buf text;
    enum err err = ERR_NONE;

    *cursor = (struct cursor){.name = name};
    err = make_folder(folder, why);
    if (err == ERR_NONE) {
        err = set_paths(cursor, folder);
    }
    if (err != ERR_NONE) {
        return err;
    }
    cursor_restart(cursor, (struct journal_place){0, 0}, loop);
    buf_init(&text, TEXT_MAX);
    err = files_read(span_of(cursor->path.at), &text, why);
    if (err == ERR_NONE && cursor_take(cursor, buf_span(&text)) == ERR_NONE) {
        cursor->written = cursor->place;
        why_set(why, "%s", "");
    } else if (err == ERR_NONE || err == ERR_CEILING || err == ERR_FORMAT) {
        why_set(why, "%s is damaged", cursor->path.at);
        err = ERR_NONE;
    } else if (err == ERR_MISSING) {
        why_set(why, "%s", "");
        err = ERR_NONE;
    }
    buf_fini(&text);
    return err;
}

void cursor_close(struct cursor *cursor)
{
    buf_fini(&cursor->path);
    buf_fini(&cursor->other);
}

bool cursor_write(struct cursor *cursor, struct why *why)
{
    bool is_good = false;
    struct buf text;

    if (journal_place_compare(cursor->place, cursor->written) == 0) {
        return true;
    }
    buf_init(&text, TEXT_MAX);
    cursor_put(cursor, &text);
    errno = ENOMEM;
    is_good =
        !text.failed && files_replace(cursor->path.at, cursor->other.at, buf_span(&text));
    if (is_good) {
        cursor->written = cursor->place;
    } else {
        (void)fail(why, cursor->path.at);
    }
    buf_fini(&text);
    return is_good;
}
