# SPDX-License-Identifier: Apache-2.0
# The tables of docs/translation.md out of those of translation: features, models and the members of each grammar's
# requests; and those of docs/providers.md: habits, begun answers, refusals. In the order in which the files come. A row
# of a table may go over several lines. With -v count=1 the last line is how many rows were read.

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
        if (c == "\\") {
            text = text substr(row, ++i, 1)
            continue
        }
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
    gsub(/CONVERSES/, "no begun answers | NO_TOP_K | no pictures in results | NO_FORCED_CHOICE | NO_LATER_SYSTEM | NO_SCHEMA | no audio", text)
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

# Rows that go together in one of the table: `key` in the order in which they come, each with a list.
function gather(key, item)
{
    if (!(key in lists)) {
        keys[++keys_count] = key
        lists[key] = ""
    }
    lists[key] = lists[key] (lists[key] == "" || item == "" ? "" : ", ") item
}

# Which members tell a provider that its answer is begun.
function prefill_way(args,    text)
{
    text = "a last turn of the assistant"
    if (args[2] != "") text = text ", with `" substr(args[2], 2) "` in it"
    if (args[3] != "") text = text ", and `" substr(args[3], 2) "` beside it"
    ways[args[1]] = text (args[5] == "true" ? "; it may not end in white space" : "")
}

# PREFILL(kind, at, model, way)
function prefill(args)
{
    gather("`" args[1] "` | `" args[2] "` | " ways[args[4]], "`" args[3] "`")
}

function statuses(word, usual)
{
    if (word == usual) return ""
    if (word == "ANY") return " (any status)"
    return word == "UNAUTHORIZED" ? " (401)" : word == "NOT_FOUND" ? " (404)" : word == "BUSY" ? " (429, 5xx)" : " (4xx)"
}

# BLAME_WORD(blame, statuses, word), BLAME_SENTENCE(blame, statuses, begins, holds)
function blame(macro, args,    text)
{
    text = macro == "BLAME_WORD" ? args[3] : args[3] (args[3] == "" ? "… " : " … ") args[4] (args[4] == "" ? "" : " …")
    gather(words(args[1]) " | " (macro == "BLAME_WORD" ? "the word" : "the sentence"),
        "`" trim(text) "`" statuses(args[2], macro == "BLAME_WORD" ? "ANY" : "FAULT"))
}

# What was gathered of the file before.
function put_gathered(    i, parts)
{
    for (i = 1; i <= keys_count; i++) {
        if (gathers == "prefill.def") {
            split(keys[i], parts, / \| /)
            printf "| %s | %s | %s | %s |\n", parts[1], parts[2], lists[keys[i]], parts[3]
        } else {
            printf "| %s | %s |\n", keys[i], lists[keys[i]]
        }
        delete lists[keys[i]]
    }
    keys_count = 0
}

function done(    macro, args, count)
{
    macro = row
    sub(/\(.*/, "", macro)
    sub(/^[A-Z_]*\(/, "", row)
    sub(/\)[ \t]*$/, "", row)
    count = arguments(row, args)
    read++
    if (macro == "FEATURE") {
        feature(args)
    } else if (macro == "MODEL" || macro == "MODEL_REST") {
        model(args)
    } else if (macro == "HABIT") {
        printf "| `%s` | `%s` | %s |\n", args[2], args[3], habits(args[4])
    } else if (macro == "PREFILL_WAY") {
        prefill_way(args)
    } else if (macro == "PREFILL") {
        prefill(args)
    } else if (macro == "BLAME_WORD" || macro == "BLAME_SENTENCE") {
        blame(macro, args)
    } else if (FILENAME ~ /_fields\.def$/ && macro != "FIELDS" && macro != "FIELDS_END") {
        member(macro, args, count)
    }
    row = ""
}

# The heading of a table, and what stands above its columns.
FNR == 1 {
    row = ""
    put_gathered()
    gathers = ""
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
        print "\n### In what compatible providers differ\n"
        print "| address | model | differs in |"
        print "|---|---|---|"
    } else if (file == "habits.h") {
        print "\n### What these words say\n"
        print "| word | |"
        print "|---|---|"
    } else if (file == "prefill.def") {
        gathers = file
        print "\n### Begun answers\n"
        print "| kind | address | models | told by |"
        print "|---|---|---|---|"
    } else if (file == "blames.def") {
        gathers = file
        print "\n### What refusals are about\n"
        print "| about | told by | |"
        print "|---|---|---|"
    } else {
        sub(/_fields\.def$/, "", file)
        print "\n### Members: " words(file) "\n"
        print "| member | of | becomes | why |"
        print "|---|---|---|---|"
    }
}
file == "habits.h" {
    if (match($0, /HABIT_[A-Z_]+ = [0-9]+,? +\/\* .* \*\/$/)) {
        args[1] = $1
        sub(/^HABIT_/, "", args[1])
        args[2] = $0
        sub(/^[^*]*\* /, "", args[2])
        sub(/ \*\/$/, "", args[2])
        printf "| %s | %s |\n", words(args[1]), args[2]
        read++
    }
    next
}
file == "blames.def" { sub(/[ \t]*\/\*.*$/, "") }
row == "" && !/^[A-Z_]+\(/ { next }
{ row = row (row == "" ? "" : " ") trim($0) }
/\)[ \t]*$/ { done() }
END {
    put_gathered()
    if (count) print read
}
