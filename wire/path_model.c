/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/path_model.h"

#include <string.h>

#include "base/limits.h"

#define MODELS SPAN_OF("/models/")
#define TUNED SPAN_OF("/tunedModels/")

bool path_model_is_method(struct span path)
{
    return path.len > 0 && path.at[0] == ':';
}

bool path_model_find(struct span path, struct span method, struct span *model)
{
    struct span name = path;

    if (!span_ends(path, method)) {
        return false;
    }
    name.len -= method.len;
    if (span_starts(name, MODELS)) {
        name = span_from(name, MODELS.len);
    } else if (span_starts(name, TUNED) && name.len > TUNED.len) {
        name = span_from(name, 1);
    } else {
        return false;
    }
    if (name.len == 0 || name.len > LIMIT_MODEL_NAME || memchr(name.at, '%', name.len) != NULL) {
        return false;
    }
    *model = name;
    return true;
}

/* What may stand in a path as it is (RFC 3986: pchar and '/'). */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

void path_model_put(struct buf *out, struct span method, struct span model)
{
    static const char digits[] = "0123456789ABCDEF";
    bool has_collection = span_starts(model, span_from(MODELS, 1)) ||
                          span_starts(model, span_from(TUNED, 1));

    buf_put_text(out, has_collection ? "/" : "/models/");
    for (size_t i = 0; i < model.len; i++) {
        unsigned char c = (unsigned char)model.at[i];

        if (is_plain(model.at[i])) {
            buf_put_char(out, model.at[i]);
        } else {
            buf_put_char(out, '%');
            buf_put_char(out, digits[c >> 4]);
            buf_put_char(out, digits[c & 15]);
        }
    }
    buf_put(out, method);
}

size_t path_model_room(struct span method, struct span model)
{
    return MODELS.len + 3 * model.len + method.len;
}
