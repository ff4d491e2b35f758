/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks that stand in a turn of the user as well as in what a tool said: text, images, documents, results of a
 * search (anthropic.md 4; translation.md 4). */
#include "wire/dialects/anthropic_messages.h"

#include "base/must.h"
#include "wire/json_walk.h"

enum {
    TYPE_SHOWN_MAX = 40, /* bytes of an unknown kind of block that are told */
    SEARCH_PIECES_MAX = 64 /* texts of one result of a search */
};

enum chat_cache messages_cache(struct chat *chat, struct span control)
{
    struct span got[CACHE_FIELDS];

    messages_take(chat, MESSAGES_CACHE, control, got);
    if (!json_is_object(control)) {
        return CHAT_CACHE_NONE;
    }
    return json_is_text(got[CACHE_TTL], "1h") ? CHAT_CACHE_LONG : CHAT_CACHE_SHORT;
}

/* Ends in NUL. */
static const char *shown(const struct messages_place *place, struct span type)
{
    static const struct span where = SPAN("messages[].content[].");
    struct span word = chat_inside(type);
    size_t len = word.len < TYPE_SHOWN_MAX ? word.len : TYPE_SHOWN_MAX;
    char *at = arena_take(place->chat->arena, where.len + len + 1);

    if (at == NULL || len == 0) {
        return "messages[].content[].type";
    }
    memcpy(at, where.at, where.len);
    for (size_t i = 0; i < len; i++) {
        char c = word.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';

        at[where.len + i] = is_plain ? c : '?';
    }
    return at;
}

/* In the history the conversation can do without it; in the last message the answer would be to something else. */
static void lose_part(const struct messages_place *place, struct span type)
{
    if (place->is_last) {
        chat_refuse(place->chat, shown(place, type), "The answer depends on a block that the other dialect does not have");
    } else {
        chat_drop(place->chat, shown(place, type));
    }
}

static struct chat_part *add(const struct messages_place *place, enum chat_part_kind kind)
{
    return place->result != NULL ? chat_add_inner(place->chat, place->result, kind)
                                 : chat_add_part(place->chat, place->turn, kind);
}

static struct chat_part *add_text(const struct messages_place *place, struct span text)
{
    struct chat_part *part = chat_inside(text).len > 0 ? add(place, CHAT_TEXT) : NULL;

    if (part != NULL) {
        part->text = text;
    }
    return part;
}

static void mark(const struct messages_place *place, struct chat_part *part, struct span control)
{
    enum chat_cache cache = messages_cache(place->chat, control);

    if (part != NULL && cache != CHAT_CACHE_NONE) {
        part->cache = cache;
    }
}

static void read_text(const struct messages_place *place, struct json_walk *walk)
{
    struct span got[TEXT_FIELDS];

    messages_take_next(place->chat, MESSAGES_TEXT, walk, got);
    mark(place, add_text(place, got[TEXT_TEXT]), got[TEXT_CACHE]);
}

/* ---- media ---- */

/* The type goes into other documents without its quotes. */
static bool is_media_type(struct span media)
{
    for (size_t i = 0; i < media.len; i++) {
        char c = media.at[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '/' &&
            c != '-' && c != '+' && c != '.') {
            return false;
        }
    }
    return media.len > 0;
}

/* Each type has members of its own. */
static void take_source(struct chat *chat, struct span object, struct span *source)
{
    static const struct {
        const char *type;
        uint32_t members;
    } types[] = {{"base64", 1 << SOURCE_MEDIA | 1 << SOURCE_DATA},
                 {"text", 1 << SOURCE_MEDIA | 1 << SOURCE_DATA},
                 {"content", 1 << SOURCE_CONTENT},
                 {"url", 1 << SOURCE_URL}};

    messages_take(chat, MESSAGES_SOURCE, object, source);
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (json_is_text(source[SOURCE_TYPE], types[i].type)) {
            messages_spare(chat, MESSAGES_SOURCE, source, 1U << SOURCE_TYPE | types[i].members);
        }
    }
}

static struct chat_part *refuse_source(const struct messages_place *place)
{
    chat_refuse(place->chat, "messages[].content[].source", "Its bytes are neither here nor at an address that all can reach");
    return NULL;
}

static struct chat_part *add_media(const struct messages_place *place, enum chat_part_kind kind, struct span media,
                                   struct span data)
{
    struct chat_part *part = NULL;

    if (!is_media_type(media) || data.len == 0) {
        return refuse_source(place);
    }
    part = add(place, kind);
    if (part != NULL) {
        part->media = media;
        part->data = data;
    }
    return part;
}

static struct chat_part *add_url(const struct messages_place *place, enum chat_part_kind kind, struct span url)
{
    struct span plain = chat_plain(place->chat, url);
    struct chat_part *part = NULL;
    struct span media;
    struct span data;

    if (chat_data_url(place->chat, url, &media, &data)) {
        return add_media(place, kind, media, data);
    }
    if (!span_starts_nocase(plain, SPAN_OF("https://")) && !span_starts_nocase(plain, SPAN_OF("http://"))) {
        return refuse_source(place);
    }
    part = add(place, kind);
    if (part != NULL) {
        part->url = url;
        /* Documents at an address are PDF in this grammar. */
        part->media = kind == CHAT_DOCUMENT ? SPAN_OF("application/pdf") : span_make("", 0);
    }
    return part;
}

/* An image, or a document of bytes. */
static struct chat_part *read_media(const struct messages_place *place, enum chat_part_kind kind, const struct span *got)
{
    if (json_is_text(got[SOURCE_TYPE], "base64")) {
        return add_media(place, kind, chat_plain(place->chat, got[SOURCE_MEDIA]), chat_inside(got[SOURCE_DATA]));
    }
    return json_is_text(got[SOURCE_TYPE], "url") ? add_url(place, kind, got[SOURCE_URL]) : refuse_source(place);
}

static void read_image(const struct messages_place *place, struct json_walk *walk)
{
    struct span got[IMAGE_FIELDS];
    struct span source[SOURCE_FIELDS];

    messages_take_next(place->chat, MESSAGES_IMAGE, walk, got);
    take_source(place->chat, got[IMAGE_SOURCE], source);
    mark(place, read_media(place, CHAT_IMAGE, source), got[IMAGE_CACHE]);
}

/* ---- documents ---- */

/* The blocks that a document is made of: text and images. The last part, or NULL. */
static struct chat_part *read_content(const struct messages_place *place, struct span content)
{
    struct json_walk walk = json_walk_of(json_is_array(content) ? content : span_make("", 0));
    char first = 0;

    if (json_is_string(content)) {
        return add_text(place, content);
    }
    while (!chat_is_refused(place->chat) && json_walk_stop(&walk, NULL, &first)) {
        struct span type = json_walk_ahead(&walk, "type");

        if (json_is_text(type, "text")) {
            read_text(place, &walk);
        } else if (json_is_text(type, "image")) {
            read_image(place, &walk);
        } else {
            lose_part(place, type);
            (void)json_walk_skip(&walk);
        }
    }
    return place->result != NULL ? place->result->inner_last : place->turn->last;
}

static struct chat_part *read_document_source(const struct messages_place *place, const struct span *source,
                                              struct span title)
{
    struct chat_part *part = NULL;
    bool is_text = json_is_text(source[SOURCE_TYPE], "text");

    if (is_text || json_is_text(source[SOURCE_TYPE], "content")) {
        if (title.len > 0) {
            chat_drop(place->chat, "messages[].content[].title");
        }
        return is_text ? add_text(place, source[SOURCE_DATA]) : read_content(place, source[SOURCE_CONTENT]);
    }
    part = read_media(place, CHAT_DOCUMENT, source);
    if (part != NULL) {
        part->name = json_is_string(title) ? title : span_make("", 0);
    }
    return part;
}

static void read_document(const struct messages_place *place, struct json_walk *walk)
{
    static const struct chat_expected expected[] = {{DOCUMENT_TITLE, CHAT_IS_STRING}, {DOCUMENT_CITATIONS, CHAT_IS_OBJECT}};
    struct span got[DOCUMENT_FIELDS];
    struct span source[SOURCE_FIELDS];

    messages_take_next(place->chat, MESSAGES_DOCUMENT, walk, got);
    messages_expect(place->chat, MESSAGES_DOCUMENT, got, expected, ARRAY_LENGTH(expected));
    take_source(place->chat, got[DOCUMENT_SOURCE], source);
    if (span_equal(json_walk_find(got[DOCUMENT_CITATIONS], "enabled"), SPAN_OF("true"))) {
        chat_drop(place->chat, "messages[].content[].citations");
    }
    mark(place, read_document_source(place, source, got[DOCUMENT_TITLE]), got[DOCUMENT_CACHE]);
}

/* ---- results of a search ---- */

/* As one text: title, address, then what was found there. */
static void read_search(const struct messages_place *place, struct json_walk *blocks)
{
    static const struct span line = SPAN("\"\\n\"");
    struct span got[SEARCH_FIELDS];
    struct span pieces[SEARCH_PIECES_MAX];
    struct json_walk walk;
    struct span item;
    size_t count = 0;

    messages_take_next(place->chat, MESSAGES_SEARCH, blocks, got);
    chat_change(place->chat, "messages[].content[].search_result");
    pieces[count++] = got[SEARCH_TITLE];
    pieces[count++] = line;
    pieces[count++] = got[SEARCH_SOURCE];
    walk = json_walk_of(json_is_array(got[SEARCH_CONTENT]) ? got[SEARCH_CONTENT] : span_make("", 0));
    while (json_walk_item(&walk, &item)) {
        struct span text[TEXT_FIELDS];
        struct span type = json_walk_find(item, "type");

        if (count + 2 > SEARCH_PIECES_MAX) {
            chat_refuse(place->chat, "messages[].content[].search_result", "It has too many pieces");
            return;
        }
        if (!json_is_text(type, "text")) {
            lose_part(place, type);
            continue;
        }
        messages_take(place->chat, MESSAGES_TEXT, item, text);
        pieces[count++] = line;
        pieces[count++] = text[TEXT_TEXT];
    }
    mark(place, add_text(place, chat_join(place->chat, pieces, count)), got[SEARCH_CACHE]);
}

/* ---- all of them ---- */

/* Signed by the vendor's model and worth nothing to another (translation.md 7). */
static void skip_thinking(const struct messages_place *place, struct json_walk *walk)
{
    (void)place;
    (void)json_walk_skip(walk);
}

static void refuse_upload(const struct messages_place *place, struct json_walk *walk)
{
    (void)json_walk_skip(walk);
    chat_refuse(place->chat, "messages[].content[].container_upload", "The file lies with the vendor");
}

void messages_read_part(const struct messages_place *place, struct span type, struct json_walk *walk)
{
    static const struct {
        const char *type;
        void (*read)(const struct messages_place *place, struct json_walk *walk);
    } kinds[] = {
        {"text", read_text},           {"image", read_image},      {"document", read_document},
        {"search_result", read_search}, {"thinking", skip_thinking}, {"redacted_thinking", skip_thinking},
        {"container_upload", refuse_upload},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (json_is_text(type, kinds[i].type)) {
            kinds[i].read(place, walk);
            return;
        }
    }
    lose_part(place, type);
    (void)json_walk_skip(walk);
}
