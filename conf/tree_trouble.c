/* SPDX-License-Identifier: Apache-2.0 */
/* What libyaml says of a text that it cannot read, told in our words. Those that are not listed
 * pass as they are. */
#include "conf/tree_trouble.h"

#include <string.h>

/* Its words are terse; ours name the usual reason. */
static const struct trouble {
    const char *theirs;
    const char *text;
    const char *help;
    bool is_at_context; /* the fault lies where the thing began, not where it was noticed */
} troubles[] = {
    {"found character that cannot start any token", "a value cannot begin with this character",
     "put the value in quotes", false},
    {"mapping values are not allowed in this context", "a \":\" that belongs to no key",
     "check the indentation, or put the value in quotes", false},
    {"could not find expected ':'", "a key without \":\"",
     "write it like name: value, with a blank behind the colon", true},
    {"did not find expected ',' or ']'", "this list is not closed",
     "a \"]\" or a \",\" is missing behind it", true},
    {"did not find expected ',' or '}'", "this mapping is not closed",
     "a \"}\" or a \",\" is missing behind it", true},
    {"did not find expected '-' indicator", "this does not fit the list it stands in",
     "each item begins with \"- \" in the same column", false},
    {"did not find expected key", "this does not fit the mapping it stands in",
     "keys of one mapping begin in the same column; text with odd characters needs quotes", false},
    {"found unexpected end of stream", "this quote is not closed", NULL, true},
    {"found unexpected document indicator", "this quote is not closed", NULL, true},
    {"found unknown escape character", "no such escape in double quotes",
     "in single quotes a backslash is a backslash", false},
    {"block sequence entries are not allowed in this context", "a list item cannot stand here",
     "a list begins on its own line", false},
    {"did not find expected <document start>", "more than one value at the top", NULL, false},
    {"found undefined tag handle", "tags are not accepted", NULL, false},
    {"found incompatible YAML document", "an unknown version of YAML", NULL, false},
};

static const struct trouble *find_trouble(const char *problem)
{
    for (size_t i = 0; i < ARRAY_LENGTH(troubles); i++) {
        if (strcmp(troubles[i].theirs, problem) == 0) {
            return &troubles[i];
        }
    }
    return NULL;
}

void tree_trouble(struct complaints *complaints, const char *problem, struct place noticed,
                  struct place began)
{
    const struct trouble *trouble = find_trouble(problem);
    struct complaint *complaint = NULL;
    struct place place = trouble != NULL && trouble->is_at_context ? began : noticed;

    if (trouble == NULL) {
        complaint_add(complaints, place.line, place.column, 1, "not well-formed YAML: %s", problem);
        return;
    }
    complaint = complaint_add(complaints, place.line, place.column, 1, "%s", trouble->text);
    if (trouble->help != NULL && trouble->is_at_context) {
        complaint_help(complaint, "%s (noticed in line %u)", trouble->help, (unsigned)noticed.line);
    } else if (trouble->help != NULL) {
        complaint_help(complaint, "%s", trouble->help);
    }
}
