/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over a value, front to back: what a reference brings in is not looked at again. */
#include "conf/expand.h"

#include "base/secret.h"
#include "conf/complaint.h"

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';

        if (!is_letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return name.len > 0;
}

/* Tells a value that is too long from a machine without memory. */
static enum err put(struct buf *out, struct span bytes, struct why *why)
{
    if (bytes.len > out->max - out->len) {
        why_set(why, "is longer than %u bytes", (unsigned)out->max);
        return ERR_CONFIG;
    }
    buf_put(out, bytes);
    return out->failed ? ERR_MEMORY : ERR_NONE;
}

enum err expand_file(struct span path, const struct conf_world *world, struct buf *out,
                     struct why *why)
{
    char quoted[QUOTE_SIZE];
    struct why reason = {""};
    struct buf content;
    struct span text;
    enum err err = ERR_NONE;

    if (path.len == 0) {
        why_set(why, "names no file");
        return ERR_CONFIG;
    }
    buf_init(&content, EXPAND_MAX);
    err = world->file(world->to, path, &content, &reason);
    if (err == ERR_NONE && content.failed) {
        err = ERR_CEILING;
    }
    if (err == ERR_NONE) {
        text = buf_span(&content);
        text.len -= span_ends(text, SPAN_OF("\r\n")) ? 2 : span_ends(text, SPAN_OF("\n")) ? 1 : 0;
        err = put(out, text, why);
    } else if (err != ERR_MEMORY) {
        why_set(why, "cannot read \"%s\": %s", complaint_quote(path, quoted),
                reason.text[0] != '\0' ? reason.text : err_text(err));
        err = ERR_CONFIG;
    }
    secret_buf_fini(&content);
    return err;
}

/* `inside`: what stands between "${" and "}". */
static enum err put_reference(struct span inside, const struct conf_world *world, struct buf *out,
                              struct why *why, struct why *help)
{
    const char *dash = span_find(inside, SPAN_OF(":-"));
    struct span name = dash == NULL ? inside : span_make(inside.at, (size_t)(dash - inside.at));
    struct span value = {NULL, 0};
    char quoted[QUOTE_SIZE];

    if (span_starts(inside, SPAN_OF("file:"))) {
        return expand_file(span_from(inside, 5), world, out, why);
    }
    if (!is_name(name)) {
        why_set(why, "\"${%s}\" is no reference", complaint_quote(inside, quoted));
        why_set(help, "write ${NAME}, ${NAME:-default} or ${file:path}; $${ for the characters");
        return ERR_CONFIG;
    }
    value = world->variable(world->to, name);
    if (value.at == NULL && dash == NULL) {
        why_set(why, "names the variable %s, which is not set", complaint_quote(name, quoted));
        why_set(help, "set %s, or give a default: ${%s:-default}", quoted, quoted);
        return ERR_CONFIG;
    }
    /* As in a shell: the default also stands for an empty variable. */
    if (dash != NULL && value.len == 0) {
        value = span_from(inside, name.len + 2);
    }
    return put(out, value, why);
}

/* What stands before the next "${" or "$${", at least one character. */
static struct span plain_part(struct span rest)
{
    size_t len = 1;

    while (len < rest.len && rest.at[len] != '$') {
        len++;
    }
    return span_make(rest.at, len);
}

/* Takes one reference, one escape or a run of plain characters off the front. */
static enum err put_next(struct span *rest, const struct conf_world *world, struct buf *out,
                         struct why *why, struct why *help)
{
    struct span inside;
    const char *end = NULL;

    if (span_starts(*rest, SPAN_OF("$${"))) {
        *rest = span_from(*rest, 3);
        return put(out, SPAN_OF("${"), why);
    }
    if (!span_starts(*rest, SPAN_OF("${"))) {
        inside = plain_part(*rest);
        *rest = span_from(*rest, inside.len);
        return put(out, inside, why);
    }
    *rest = span_from(*rest, 2);
    end = span_find(*rest, SPAN_OF("}"));
    if (end == NULL) {
        why_set(why, "has a \"${\" without \"}\"");
        why_set(help, "write $${ for the characters themselves");
        return ERR_CONFIG;
    }
    inside = span_make(rest->at, (size_t)(end - rest->at));
    *rest = span_from(*rest, inside.len + 1);
    return put_reference(inside, world, out, why, help);
}

enum err expand_value(struct span raw, const struct conf_world *world, struct buf *out,
                      struct why *why, struct why *help)
{
    enum err err = ERR_NONE;

    for (struct span rest = raw; rest.len > 0 && err == ERR_NONE;) {
        err = put_next(&rest, world, out, why, help);
    }
    return err;
}

bool expand_is_reference(struct span raw)
{
    struct span inside;

    if (!span_starts(raw, SPAN_OF("${")) || !span_ends(raw, SPAN_OF("}"))) {
        return false;
    }
    inside = span_make(raw.at + 2, raw.len - 3);
    if (span_find(inside, SPAN_OF("}")) != NULL) {
        return false;
    }
    if (span_starts(inside, SPAN_OF("file:"))) {
        return true;
    }
    if (span_ends(inside, SPAN_OF(":-"))) {
        inside.len -= 2;
    }
    return is_name(inside);
}

bool expand_lacks_braces(struct span raw)
{
    return span_starts(raw, SPAN_OF("$")) && is_name(span_from(raw, 1));
}
