# SPDX-License-Identifier: Apache-2.0
# The tables of docs/translation.md out of those of translation: features, models, habits and the members of each
# grammar's requests, in the order in which the files come. A row of a table may go over several lines.

function trim(text)
{
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    return text
}

# Cuts the arguments of a row apart: args[1], ... (texts without their quotes, if they are one text alone).
function arguments(row, args,    count, i, c, inside, text)
{
    count = 0
    text = ""
    inside = 0
    for (i = 1; i <= length(row); i++) {
        c = substr(row, i, 1)
        if (c == "\"") {
            inside = !inside
            continue
        }
        if (c == "," && !inside) {
            args[++count] = trim(text)
            text = ""
            continue
        }
        text = text c
    }
    args[++count] = trim(text)
    return count
}

function words(text)
{
    text = tolower(text)
    gsub(/_/, " ", text)
    return text
}

function marked(mark)
{
    return mark == "CARRIED" ? "carried" : mark == "QUIET" ? "silent" : mark == "NAMED" ? "named" : "refused"
}

# A sum of words, the common ones taken apart.
function sum(text)
{
    if (text == "0") return ""
    gsub(/NEW_CLAUDE/, "no begun answers | no audio", text)
    gsub(/OLD_CLAUDE/, "NO_LATER_SYSTEM | no audio", text)
    gsub(/STRANGER/, "NO_LATER_SYSTEM | NO_SCHEMA | NO_DOCUMENTS | no audio", text)
    gsub(/OLD_GEMINI/, "NEW_GEMINI | no schema with tools | no pictures in results | NO_PENALTIES", text)
    gsub(/NEW_GEMINI/, "NO_LATER_SYSTEM", text)
    gsub(/REASONS/, "NO_STOP | NO_PENALTIES | no audio", text)
    gsub(/PLAIN/, "NO_DOCUMENTS | no audio", text)
    gsub(/NO_CACHE_MARKS \| |\| NO_CACHE_MARKS|NO_CACHE_MARKS/, "", text)
    gsub(/ADAPTIVE_ALWAYS/, "adaptive | always", text)
    gsub(/ADAPTIVE_BY_DEFAULT/, "adaptive | BY_DEFAULT", text)
    gsub(/LEVELS/, "levels | always", text)
    gsub(/NO_CHAT/, "RESPONSES_ALONE", text)
    gsub(/LOW_TO_MAX/, "low to max", text)
    gsub(/MINIMAL_TO_HIGH/, "minimal to high", text)
    gsub(/LOW_TO_HIGH/, "low to high", text)
    gsub(/ *\| */, ", ", text)
    return words(trim(text))
}

function feature(args)
{
    printf "| %s | `%s` | %s | %s | %s | %s | %s | %s |\n", words(args[1]), args[2], marked(args[6]), marked(args[7]),
        marked(args[8]), marked(args[9]), marked(args[10]), args[11]
}

function model(args)
{
    printf "| %s | `%s` | %s | %s | %s | %s | %s |\n", args[1], args[2], args[3],
        args[4] == "SAMPLES" ? "yes" : args[4] == "NEVER_SAMPLES" ? "no" : "with effort `none`", sum(args[5]), sum(args[6]),
        sum(args[8])
}

# CAREFUL and its like as habits.c has them.
function habits(text)
{
    gsub(/CAREFUL/, "LOCAL | NO_PARALLEL | NO_LOGPROBS", text)
    gsub(/LOCAL/, "COMMON | NO_USER | NO_BIAS | ONE_ANSWER | NO_STRICT", text)
    gsub(/COMMON/, "SYSTEM_ROLE | NO_TIER | NO_VERBOSITY | NO_METADATA | NO_RESPONSES", text)
    gsub(/ *\| */, ", ", text)
    return words(trim(text))
}

# FIELD(OBJECT, NAME, "name", ...), OBJECT_FIELD(NAME, "name", ...), GENERATE_OBJECT(NAME, "camel", "snake", ...)
function member(macro, args, count,    object, name)
{
    object = macro
    name = args[2]
    if (macro == "FIELD") {
        object = args[1]
        name = args[3]
    }
    sub(/_FIELD$/, "", object)
    sub(/^GENERATE_/, "", object)
    object = object == "ROOT" ? "request" : words(object)
    if (args[count - 1] != "CARRIED") {
        printf "| `%s` | %s | %s | %s |\n", name, object, marked(args[count - 1]), args[count]
    }
}

function done(    macro, args, count)
{
    macro = row
    sub(/\(.*/, "", macro)
    sub(/^[A-Z_]*\(/, "", row)
    sub(/\)[ \t]*$/, "", row)
    count = arguments(row, args)
    if (macro == "FEATURE") {
        feature(args)
    } else if (macro == "MODEL" || macro == "MODEL_REST") {
        model(args)
    } else if (macro == "HABIT") {
        printf "| `%s` | `%s` | %s |\n", args[2], args[3], habits(args[4])
    } else if (FILENAME ~ /_fields\.def$/ && macro != "FIELDS" && macro != "FIELDS_END") {
        member(macro, args, count)
    }
    row = ""
}

# The heading of a table, and what stands above its columns.
FNR == 1 {
    row = ""
    file = FILENAME
    sub(/.*\//, "", file)
    if (file == "features.def") {
        print "\n### Features\n"
        print "| feature | as chat completions call it | to chat completions | to Responses | to Messages | to generateContent | where provider or model lack it | why |"
        print "|---|---|---|---|---|---|---|---|"
    } else if (file == "models.def") {
        print "\n### Models\n"
        print "| dialect | model | most output | may be drawn from | thinks by | efforts | lacks |"
        print "|---|---|---|---|---|---|---|"
    } else if (file == "habits.def") {
        print "\n### Compatible providers\n"
        print "| address | model | differs in |"
        print "|---|---|---|"
    } else {
        sub(/_fields\.def$/, "", file)
        print "\n### Members: " words(file) "\n"
        print "| member | of | becomes | why |"
        print "|---|---|---|---|"
    }
}
row == "" && !/^[A-Z_]+\(/ { next }
{ row = row (row == "" ? "" : " ") trim($0) }
/\)[ \t]*$/ { done() }
