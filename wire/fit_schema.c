/* SPDX-License-Identifier: Apache-2.0 */
/* What Claude makes a grammar of takes less than JSON Schema: objects are closed, and nothing is counted or measured.
 * Anything else is refused by the provider (translation.md 5; transformJSONSchema of Anthropic's own SDK does the same,
 * and tells the model in the description what was left out). */
#include "wire/fit_parts.h"

#include "base/must.h"
#include "wire/schema.h"

static bool is_format(struct span value)
{
    static const char *const formats[] = {"date-time", "time", "date", "duration", "email",
                                          "hostname",  "uri",  "ipv4", "ipv6",     "uuid"};

    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
        if (json_is_text(value, formats[i])) {
            return true;
        }
    }
    return false;
}

static void member(struct json_out *out, const struct schema_level *level, struct span name, struct span value)
{
    bool is_taken = span_equal(name, SPAN_OF("format"))     ? is_format(value)
                    : span_equal(name, SPAN_OF("minItems")) ? fit_is_zero(value) || fit_is_one(value)
                                                            : true;

    if (!is_taken) {
        *level->is_changed = true;
        return;
    }
    json_key_plain(out, name);
    json_raw(out, value);
}

static struct span key(struct span name)
{
    return span_equal(name, SPAN_OF("oneOf")) ? SPAN_OF("anyOf") : name;
}

struct span fit_schema(struct fit *fit, enum feature feature, struct span schema)
{
    static const struct span left_out[] = {
        SPAN("additionalProperties"), SPAN("minimum"),       SPAN("maximum"),       SPAN("exclusiveMinimum"),
        SPAN("exclusiveMaximum"),     SPAN("multipleOf"),    SPAN("minLength"),     SPAN("maxLength"),
        SPAN("pattern"),              SPAN("maxItems"),      SPAN("uniqueItems"),   SPAN("contains"),
        SPAN("minProperties"),        SPAN("maxProperties"), SPAN("propertyNames"), SPAN("patternProperties"),
        SPAN("prefixItems"),
    };
    static const struct schema_rules rules = {.member = member,
                                              .key = key,
                                              .left_out = left_out,
                                              .left_out_count = ARRAY_LENGTH(left_out),
                                              .closes_objects = true};
    bool is_changed = false;

    if (!fit_is_anthropic(fit->to) || !json_is_object(schema)) {
        return schema;
    }
    schema = schema_respelled(fit->chat->arena, schema, &rules, &is_changed);
    if (is_changed) {
        fit_change(fit, feature);
    }
    return schema;
}
