/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of generateContent read into the hub, and written for Google again: pairs of JSON and of what it
 * became (gemini.md 3, translation.md 3 to 8). */
#include "gemini_hub.h"

static void reads(const char *request, const char *expected)
{
    struct hub hub;

    hub_init(&hub);
    hub_read(&hub, span_of(request));
    hub_tell(&hub);
    assert_text(buf_span(&hub.text), expected);
    hub_fini(&hub);
}

/* Read and written again, as if another dialect had lain between. */
static void becomes(const char *request, const char *expected)
{
    struct hub hub;

    hub_init(&hub);
    hub_read(&hub, span_of(request));
    assert_null(hub.chat.refused.param);
    hub_write(&hub);
    assert_text(buf_span(&hub.text), expected);
    hub_fini(&hub);
}

#define HELLO "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]"

static void read__takes_turns_and_instructions(void **state)
{
    (void)state;
    reads("{\"contents\":[{\"parts\":[{\"text\":\"Say hello.\"}],\"role\":\"user\"}],"
          "\"systemInstruction\":{\"parts\":[{\"text\":\"be brief\"}],\"role\":\"user\"},"
          "\"generationConfig\":{\"temperature\":0.2,\"maxOutputTokens\":64}}",
          "system: text text=\"be brief\"\n"
          "user: text text=\"Say hello.\"\n");
    reads("{\"contents\":[{\"parts\":[{\"text\":\"a\"},{\"text\":\"\"},{\"text\":\"b\\n\"}]},"
          "{\"role\":\"model\",\"parts\":[{\"text\":\"thinking\",\"thought\":true},"
          "{\"text\":\"c\",\"thoughtSignature\":\"AAAA\"}]},"
          "{\"role\":\"user\",\"parts\":[{\"text\":\"d\"}]},{\"role\":\"user\",\"parts\":[{\"text\":\"e\"}]}]}",
          "user: text text=\"a\"\nuser: text text=\"b\\n\"\nmodel: text text=\"c\"\n"
          "user: text text=\"d\"\nuser: text text=\"e\"\n");
}

static void read__takes_one_object_for_a_list(void **state)
{
    (void)state;
    reads("{\"system_instruction\":{\"parts\":{\"text\":\"You are a cat.\"}},"
          "\"contents\":{\"parts\":{\"text\":\"Hi\"}}}",
          "system: text text=\"You are a cat.\"\nuser: text text=\"Hi\"\n");
}

static void read__matches_results_by_id_or_name(void **state)
{
    (void)state;
    reads("{\"contents\":[{\"parts\":[{\"text\":\"Weather?\"}]},"
          "{\"role\":\"model\",\"parts\":["
          "{\"functionCall\":{\"name\":\"get\",\"args\":{\"city\":\"Rome\"}},\"thoughtSignature\":\"x\"},"
          "{\"functionCall\":{\"name\":\"get\",\"args\":{\"city\":\"Oslo\"}}},"
          "{\"functionCall\":{\"id\":\"own\",\"name\":\"now\"}}]},"
          "{\"role\":\"user\",\"parts\":["
          "{\"functionResponse\":{\"id\":\"own\",\"name\":\"now\",\"response\":{\"error\":\"no clock\"}}},"
          "{\"functionResponse\":{\"name\":\"get\",\"response\":{\"output\":\"sun\"}}},"
          "{\"functionResponse\":{\"name\":\"get\",\"response\":{\"sky\":\"rain\",\"t\":1.50}}}]}]}",
          "user: text text=\"Weather?\"\n"
          "model: call id=\"call_g1\" name=\"get\" input={\"city\":\"Rome\"}\n"
          "model: call id=\"call_g2\" name=\"get\" input={\"city\":\"Oslo\"}\n"
          "model: call id=\"own\" name=\"now\" input={}\n"
          "user: result id=\"own\" name=\"now\" error [text text=\"no clock\"]\n"
          "user: result id=\"call_g1\" name=\"get\" [text text=\"sun\"]\n"
          "user: result id=\"call_g2\" name=\"get\" json [text text=\"{\\\"sky\\\":\\\"rain\\\",\\\"t\\\":1.50}\"]\n");
}

static void read__finds_no_call_of_an_earlier_step(void **state)
{
    (void)state;
    reads("{\"contents\":[{\"parts\":[{\"text\":\"a\"}]},"
          "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"get\"}},"
          "{\"functionCall\":{\"name\":\"get\"}}]},"
          "{\"role\":\"function\",\"parts\":[{\"functionResponse\":{\"name\":\"get\",\"response\":{}}}]},"
          "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"put\"}}]},"
          "{\"parts\":[{\"functionResponse\":{\"name\":\"get\",\"response\":{\"output\":[1]}}}]}]}",
          "user: text text=\"a\"\nmodel: call id=\"call_g1\" name=\"get\" input={}\n"
          "model: call id=\"call_g2\" name=\"get\" input={}\n"
          "user: result id=\"call_g1\" name=\"get\" json [text text=\"{}\"]\n"
          "model: call id=\"call_g3\" name=\"put\" input={}\n"
          "user: result id=\"call_g4\" [text text=\"[1]\"]\n");
}

static void read__takes_media(void **state)
{
    (void)state;
    reads("{\"contents\":[{\"parts\":["
          "{\"inlineData\":{\"mimeType\":\"image\\/png\",\"data\":\"AA-_\"}},"
          "{\"inline_data\":{\"mime_type\":\"application/pdf\",\"data\":\"AAAA\",\"display_name\":\"a.pdf\"}},"
          "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"AA\\/=\"}},"
          "{\"fileData\":{\"mimeType\":\"image/jpeg\",\"fileUri\":\"https://example.com/a.jpg\"}}]}]}",
          "user: image media=image/png data=AA+/\n"
          "user: document name=\"a.pdf\" media=application/pdf data=AAAA\n"
          "user: audio media=audio/wav data=AA/=\n"
          "user: image media=image/jpeg url=\"https://example.com/a.jpg\"\n");
    reads("{\"contents\":[{\"parts\":[{\"functionResponse\":{\"id\":\"i\",\"name\":\"shot\","
          "\"response\":{\"output\":\"see\"},\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\","
          "\"data\":\"AAAA\"}}]}}]}]}",
          "user: result id=\"i\" [text text=\"see\", image media=image/png data=AAAA]\n");
}

static void read__refuses_what_belongs_to_google(void **state)
{
    static const struct {
        const char *member;
        const char *param;
    } rows[] = {
        {"\"cachedContent\":\"cachedContents/a\"", "cachedContent"},
        {"\"cached_content\":\"cachedContents/a\"", "cached_content"},
        {"\"continuationToken\":\"t\"", "continuationToken"},
        {"\"tools\":[{\"googleSearch\":{}}]", "tools[].googleSearch"},
        {"\"tools\":{\"url_context\":{}}", "tools[].url_context"},
        {"\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\"}]},{\"codeExecution\":{}}]",
         "tools[].codeExecution"},
        {"\"tools\":[{\"functionDeclarations\":[{}]}]", "tools[].functionDeclarations[].name"},
        {"\"generationConfig\":{\"responseModalities\":[\"TEXT\",\"IMAGE\"]}",
         "generationConfig.responseModalities"},
        {"\"generationConfig\":{\"responseMimeType\":\"text/x.enum\"}",
         "generationConfig.responseMimeType"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char request[512];
        char expected[128];

        (void)snprintf(request, sizeof request, "{" HELLO ",%s}", rows[i].member);
        (void)snprintf(expected, sizeof expected, "refused: %s", rows[i].param);
        reads(request, expected);
    }
}

static void read__refuses_parts_without_their_meaning(void **state)
{
    static const struct {
        const char *part;
        const char *param;
    } rows[] = {
        {"{\"fileData\":{\"fileUri\":\"https://generativelanguage.googleapis.com/v1beta/files/a\","
         "\"mimeType\":\"image/png\"}}",
         "contents[].parts[].fileData"},
        {"{\"fileData\":{\"fileUri\":\"gs://b/a.png\",\"mimeType\":\"image/png\"}}",
         "contents[].parts[].fileData"},
        {"{\"fileData\":{\"fileUri\":\"https://example.com/a\"}}", "contents[].parts[].fileData"},
        {"{\"inlineData\":{\"mimeType\":\"video/mp4\",\"data\":\"AAAA\"}}",
         "contents[].parts[].inlineData"},
        {"{\"inlineData\":{\"mimeType\":\"image/\\\"png\",\"data\":\"AAAA\"}}",
         "contents[].parts[].inlineData"},
        {"{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"A\\\"A\"}}",
         "contents[].parts[].inlineData"},
        {"{\"text\":1}", "contents[].parts[].text"},
        {"{\"functionCall\":{\"args\":{}}}", "contents[].parts[].functionCall.name"},
        {"{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"1\"}}", "contents[].parts[]"},
        {"7", "contents[].parts[]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char request[512];
        char expected[128];

        (void)snprintf(request, sizeof request, "{\"contents\":[{\"parts\":[{\"text\":\"a\"},%s]}]}",
                       rows[i].part);
        (void)snprintf(expected, sizeof expected, "refused: %s", rows[i].param);
        reads(request, expected);
    }
    reads("{\"contents\":[{\"role\":\"owner\",\"parts\":[{\"text\":\"a\"}]}]}",
          "refused: contents[].role");
    reads("{\"contents\":[{\"parts\":[{\"text\":\"a\",\"thought\":true}]}]}", "refused: contents");
    reads("{" HELLO ",\"systemInstruction\":{\"parts\":[{\"inlineData\":{}}]}}",
          "refused: systemInstruction.parts[]");
}

static void read__names_what_is_lost(void **state)
{
    (void)state;
    reads("{\"contents\":[{\"parts\":[{\"text\":\"a\",\"partMetadata\":{},\"videoMetadata\":{}}]},"
          "{\"role\":\"model\",\"parts\":[{\"executableCode\":{\"code\":\"1\"}},"
          "{\"codeExecutionResult\":{\"output\":\"1\"}},{\"inlineData\":{\"mimeType\":\"image/png\"}}]},"
          "{\"parts\":[{\"text\":\"b\"}]}],"
          "\"labels\":{\"a\":\"b\"},\"store\":true,\"invented\":1,\"nothing\":null,"
          "\"generationConfig\":{\"mediaResolution\":\"LOW\",\"topK\":\"many\",\"candidateCount\":1.5,"
          "\"thinkingConfig\":{\"thinkingLevel\":\"deep\"}},"
          "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"VALIDATED\"}}}",
          "user: text text=\"a\"\nuser: text text=\"b\"\n"
          "lost: invented, contents[].parts[].videoMetadata, contents[].parts[].executableCode, "
          "contents[].parts[].codeExecutionResult, contents[].parts[].inlineData, "
          "toolConfig.functionCallingConfig.mode=changed, generationConfig.mediaResolution, "
          "generationConfig.topK, generationConfig.candidateCount, "
          "generationConfig.thinkingConfig.thinkingLevel\n");
}

static void read__turns_budgets_into_efforts(void **state)
{
    static const struct {
        const char *config;
        enum chat_effort effort;
        int64_t budget;
        bool is_adaptive;
    } rows[] = {
        {"{}", CHAT_EFFORT_UNSAID, -1, false},
        {"{\"thinkingBudget\":0}", CHAT_EFFORT_NONE, 0, false},
        {"{\"thinkingBudget\":2047}", CHAT_EFFORT_LOW, 2047, false},
        {"{\"thinkingBudget\":2048}", CHAT_EFFORT_MEDIUM, 2048, false},
        {"{\"thinking_budget\":8192}", CHAT_EFFORT_HIGH, 8192, false},
        {"{\"thinkingBudget\":24576}", CHAT_EFFORT_XHIGH, 24576, false},
        {"{\"thinkingBudget\":-1}", CHAT_EFFORT_UNSAID, -1, true},
        {"{\"thinkingBudget\":-2}", CHAT_EFFORT_UNSAID, -1, false},
        {"{\"thinkingLevel\":\"HIGH\"}", CHAT_EFFORT_HIGH, -1, false},
        {"{\"thinking_level\":\"minimal\"}", CHAT_EFFORT_MINIMAL, -1, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct hub hub;
        char request[256];

        (void)snprintf(request, sizeof request,
                       "{" HELLO ",\"generationConfig\":{\"thinkingConfig\":%s}}", rows[i].config);
        hub_init(&hub);
        hub_read(&hub, span_of(request));
        assert_int_equal(hub.chat.params.effort, rows[i].effort);
        assert_int_equal(hub.chat.params.thinking_budget, rows[i].budget);
        assert_int_equal(hub.chat.params.is_thinking_adaptive, rows[i].is_adaptive);
        hub_fini(&hub);
    }
}

static void read__rewrites_schemas_of_openapi(void **state)
{
    (void)state;
    becomes("{" HELLO ",\"tools\":[{\"function_declarations\":[{\"name\":\"a\",\"description\":\"\","
            "\"parameters\":{\"type\":\"OBJECT\",\"propertyOrdering\":[\"type\"],\"required\":[\"type\"],"
            "\"properties\":{\"type\":{\"type\":\"STRING\",\"format\":\"enum\",\"enum\":[\"x\"],"
            "\"nullable\":true},\"nullable\":{\"type\":\"ARRAY\",\"minItems\":\"1\",\"max_items\":2,"
            "\"items\":{\"type\":\"INTEGER\",\"nullable\":true,\"example\":1}},"
            "\"either\":{\"nullable\":true,\"any_of\":[{\"type\":\"NUMBER\"},{\"type\":\"BOOLEAN\","
            "\"default\":true}]}}}}]}]}",
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}],"
            "\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\","
            "\"parametersJsonSchema\":{\"type\":\"object\",\"required\":[\"type\"],"
            "\"properties\":{\"type\":{\"type\":[\"string\",\"null\"],\"enum\":[\"x\",null]},"
            "\"nullable\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,"
            "\"items\":{\"type\":[\"integer\",\"null\"]}},"
            "\"either\":{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"boolean\",\"default\":true},"
            "{\"type\":\"null\"}]}}}}]}]}");
}

static void write__makes_constants_lists_of_one(void **state)
{
    (void)state;
    becomes("{" HELLO ",\"generationConfig\":{\"responseMimeType\":\"application/json\","
            "\"responseJsonSchema\":{\"type\":\"object\",\"properties\":{\"const\":{\"const\":\"a\"},"
            "\"b\":{\"anyOf\":[{\"const\":{\"const\":1}},{\"enum\":[1,2],\"const\":1}]},"
            "\"c\":{\"type\":\"array\",\"items\":[{\"const\":null}]}},\"default\":{\"const\":2}}}}",
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}],"
            "\"generationConfig\":{\"responseMimeType\":\"application/json\","
            "\"responseJsonSchema\":{\"type\":\"object\",\"properties\":{\"const\":{\"enum\":[\"a\"]},"
            "\"b\":{\"anyOf\":[{\"enum\":[{\"const\":1}]},{\"enum\":[1]}]},"
            "\"c\":{\"type\":\"array\",\"items\":[{\"enum\":[null]}]}},\"default\":{\"const\":2}}}}");
}

static void write__says_all_parameters(void **state)
{
    (void)state;
    becomes("{" HELLO ",\"generation_config\":{\"temperature\":0.70,\"top_p\":1e-1,\"top_k\":40,\"seed\":7,"
            "\"presence_penalty\":0.1,\"frequency_penalty\":-0.2,\"candidate_count\":2,"
            "\"max_output_tokens\":64,\"stop_sequences\":[\"a\",\"\\n\"],\"response_logprobs\":true,"
            "\"logprobs\":3,\"response_mime_type\":\"application/json\","
            "\"thinking_config\":{\"include_thoughts\":true,\"thinking_level\":\"low\"}},"
            "\"safety_settings\":[{\"category\":\"HARM_CATEGORY_HARASSMENT\",\"threshold\":\"OFF\"}],"
            "\"service_tier\":\"flex\"}",
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}],"
            "\"generationConfig\":{\"temperature\":0.70,\"topP\":1e-1,\"topK\":40,"
            "\"presencePenalty\":0.1,\"frequencyPenalty\":-0.2,\"seed\":7,\"responseLogprobs\":true,"
            "\"logprobs\":3,\"candidateCount\":2,\"maxOutputTokens\":64,\"stopSequences\":[\"a\",\"\\n\"],"
            "\"responseMimeType\":\"application/json\","
            "\"thinkingConfig\":{\"includeThoughts\":true,\"thinkingLevel\":\"LOW\"}},"
            "\"safetySettings\":[{\"category\":\"HARM_CATEGORY_HARASSMENT\",\"threshold\":\"OFF\"}],"
            "\"serviceTier\":\"flex\"}");
}

static void write__says_the_choice_of_tools(void **state)
{
    static const struct {
        const char *config;
        const char *written;
    } rows[] = {
        {"{}", ""},
        {"{\"mode\":\"AUTO\",\"allowedFunctionNames\":[]}", "{\"mode\":\"AUTO\"}"},
        {"{\"mode\":\"NONE\",\"allowedFunctionNames\":[\"a\"]}", "{\"mode\":\"NONE\"}"},
        {"{\"mode\":\"ANY\"}", "{\"mode\":\"ANY\"}"},
        {"{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"a\"]}",
         "{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"a\"]}"},
        {"{\"mode\":\"ANY\",\"allowed_function_names\":[\"a\",\"b\"]}",
         "{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"a\",\"b\"]}"},
        {"{\"mode\":\"VALIDATED\",\"allowedFunctionNames\":[\"a\"]}",
         "{\"mode\":\"VALIDATED\",\"allowedFunctionNames\":[\"a\"]}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char request[512];
        char expected[512];
        bool is_said = rows[i].written[0] != '\0';

        (void)snprintf(request, sizeof request,
                       "{" HELLO ",\"toolConfig\":{\"functionCallingConfig\":%s}}", rows[i].config);
        (void)snprintf(expected, sizeof expected,
                       "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]%s%s%s}",
                       is_said ? ",\"toolConfig\":{\"functionCallingConfig\":" : "", rows[i].written,
                       is_said ? "}" : "");
        becomes(request, expected);
    }
}

static void write__leaves_out_empty_parameters(void **state)
{
    (void)state;
    becomes("{" HELLO ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\",\"parameters\":{}},"
            "{\"name\":\"b\",\"parametersJsonSchema\":{\"type\":\"object\",\"properties\":{},"
            "\"additionalProperties\":false}},"
            "{\"name\":\"c\",\"parametersJsonSchema\":{\"type\":\"object\",\"additionalProperties\":{}}}]}]}",
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}],"
            "\"tools\":[{\"functionDeclarations\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\","
            "\"parametersJsonSchema\":{\"type\":\"object\",\"additionalProperties\":{}}}]}]}");
}

static void write__puts_results_in_the_order_of_the_calls(void **state)
{
    (void)state;
    becomes("{\"contents\":[{\"parts\":[{\"text\":\"a\"}]},{\"role\":\"model\",\"parts\":["
            "{\"text\":\"so\"},{\"functionCall\":{\"id\":\"1\",\"name\":\"x\",\"args\":{\"k\": [1.0]}}},"
            "{\"functionCall\":{\"id\":\"2\",\"name\":\"y\"}},{\"functionCall\":{\"id\":\"3\",\"name\":\"z\"}}]},"
            "{\"parts\":[{\"text\":\"and\"},"
            "{\"functionResponse\":{\"id\":\"3\",\"name\":\"z\",\"response\":{\"error\":\"no\"}}},"
            "{\"functionResponse\":{\"id\":\"1\",\"name\":\"x\",\"response\":{\"output\":\"{not\"}}},"
            "{\"functionResponse\":{\"id\":\"2\",\"name\":\"y\",\"response\":{\"n\":10000000000000000001},"
            "\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}]}}]}]}",
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]},"
            "{\"role\":\"model\",\"parts\":[{\"text\":\"so\"},"
            "{\"functionCall\":{\"name\":\"x\",\"args\":{\"k\": [1.0]}},"
            "\"thoughtSignature\":\"skip_thought_signature_validator\"},"
            "{\"functionCall\":{\"name\":\"y\",\"args\":{}}},{\"functionCall\":{\"name\":\"z\",\"args\":{}}}]},"
            "{\"role\":\"user\",\"parts\":["
            "{\"functionResponse\":{\"name\":\"x\",\"response\":{\"output\":\"{not\"}}},"
            "{\"functionResponse\":{\"name\":\"y\",\"response\":{\"n\":10000000000000000001},"
            "\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}]}},"
            "{\"functionResponse\":{\"name\":\"z\",\"response\":{\"error\":\"no\"}}},{\"text\":\"and\"}]}]}");
}

/* A result whose text another dialect's app wrote. */
static void write_result_text(const char *text, bool is_error, const char *response)
{
    struct hub hub;
    struct chat_part *part = NULL;
    char expected[512];

    hub_init(&hub);
    part = chat_add_part(&hub.chat, chat_turn(&hub.chat, CHAT_USER), CHAT_RESULT);
    part->id = SPAN_OF("\"1\"");
    part->name = SPAN_OF("\"x\"");
    part->is_error = is_error;
    part = chat_add_inner(&hub.chat, part, CHAT_TEXT);
    part->text = span_of(text);
    hub_write(&hub);
    (void)snprintf(expected, sizeof expected,
                   "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"x\","
                   "\"response\":%s}}]}]}",
                   response);
    assert_text(buf_span(&hub.text), expected);
    hub_fini(&hub);
}

static void write__wraps_results_that_are_no_objects(void **state)
{
    (void)state;
    write_result_text("\"{\\\"a\\\":1e400}\"", false, "{\"a\":1e400}");
    write_result_text("\"\\n {\\\"a\\\":\\\"\\u00e4\\\"} \"", false, "{\"a\":\"\xc3\xa4\"}");
    write_result_text("\"{\\\"a\\\":1}\"", true, "{\"error\":\"{\\\"a\\\":1}\"}");
    write_result_text("\"{\\\"a\\\":1},\"", false, "{\"output\":\"{\\\"a\\\":1},\"}");
    write_result_text("\"{\\\"a\\\":}\"", false, "{\"output\":\"{\\\"a\\\":}\"}");
    write_result_text("\"{\"", false, "{\"output\":\"{\"}");
    write_result_text("\"[1]\"", false, "{\"output\":\"[1]\"}");
    write_result_text("\"\"", false, "{\"output\":\"\"}");
}

static void write__signs_calls_only_for_models_that_ask(void **state)
{
    static const struct model_facts budgets = {.thinking = MODEL_THINKS_BUDGET};
    static const struct model_facts levels = {.thinking = MODEL_THINKS_EFFORT | MODEL_THINKS_ALWAYS};
    const struct model_facts *const models[] = {&budgets, &levels};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(models); i++) {
        const struct chat_target target = {.model = models[i]};
        struct hub hub;

        hub_init(&hub);
        hub_read(&hub, SPAN_OF("{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":"
                               "{\"name\":\"x\"}}]},{\"parts\":[{\"functionResponse\":{\"name\":\"x\","
                               "\"response\":{}}}]},{\"role\":\"model\",\"parts\":[{\"functionCall\":"
                               "{\"name\":\"x\"}},{\"functionCall\":{\"name\":\"x\"}}]}]}"));
        hub.chat.target = &target;
        hub_write(&hub);
        const char *first = span_find(buf_span(&hub.text), SPAN_OF("thoughtSignature"));
        assert_int_equal(first != NULL, i == 1);
        if (first != NULL) {
            struct span rest = span_from(buf_span(&hub.text), (size_t)(first + 1 - hub.text.at));
            const char *second = span_find(rest, SPAN_OF("thoughtSignature"));

            assert_non_null(second); /* one for each step */
            rest = span_from(rest, (size_t)(second + 1 - rest.at));
            assert_null(span_find(rest, SPAN_OF("thoughtSignature")));
        }
        hub_fini(&hub);
    }
}

static void write__switches_thinking_off_by_a_budget(void **state)
{
    struct hub hub;

    (void)state;
    hub_init(&hub);
    hub_read(&hub, SPAN_OF("{" HELLO "}"));
    hub.chat.params.effort = CHAT_EFFORT_NONE;
    hub_write(&hub);
    assert_non_null(span_find(buf_span(&hub.text), SPAN_OF("{\"thinkingConfig\":{\"thinkingBudget\":0}}")));
    hub.chat.params.thinking_budget = 128;
    hub.chat.params.effort = CHAT_EFFORT_LOW;
    hub_write(&hub);
    assert_non_null(span_find(buf_span(&hub.text), SPAN_OF("{\"thinkingConfig\":{\"thinkingBudget\":128}}")));
    hub_fini(&hub);
}

static void write__gathers_instructions_from_everywhere(void **state)
{
    struct hub hub;

    (void)state;
    hub_init(&hub);
    chat_add_text(&hub.chat, chat_turn(&hub.chat, CHAT_SYSTEM), SPAN_OF("\"s1\""));
    chat_add_text(&hub.chat, chat_turn(&hub.chat, CHAT_USER), SPAN_OF("\"u1\""));
    chat_add_text(&hub.chat, chat_turn(&hub.chat, CHAT_SYSTEM), SPAN_OF("\"s2\""));
    chat_add_text(&hub.chat, chat_turn(&hub.chat, CHAT_USER), SPAN_OF("\"u2\""));
    hub_write(&hub);
    assert_text(buf_span(&hub.text),
                "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"u1\"},{\"text\":\"u2\"}]}],"
                "\"systemInstruction\":{\"parts\":[{\"text\":\"s1\"},{\"text\":\"s2\"}]}}");
    hub_fini(&hub);
}

/* ---- hostile ---- */

static const struct span everything = SPAN(
    "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"},{\"inlineData\":{\"mimeType\":\"image/png\","
    "\"data\":\"AAAA\",\"displayName\":\"n\"}},{\"fileData\":{\"mimeType\":\"image/png\","
    "\"fileUri\":\"https://example.com/a\"}}]},"
    "{\"role\":\"model\",\"parts\":[{\"text\":\"t\",\"thought\":true},{\"functionCall\":{\"id\":\"i\","
    "\"name\":\"f\",\"args\":{\"a\":1}},\"thoughtSignature\":\"s\"},{\"toolCall\":{}}]},"
    "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"i\",\"name\":\"f\",\"response\":{\"output\":"
    "{\"a\":1}},\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}]}}]}],"
    "\"systemInstruction\":{\"parts\":[{\"text\":\"s\"}]},"
    "\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":"
    "\"OBJECT\",\"nullable\":true,\"properties\":{\"a\":{\"anyOf\":[{\"type\":\"STRING\"}],\"enum\":[\"x\"],"
    "\"items\":{\"const\":1},\"minItems\":\"1\"}}}}]}],"
    "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}},"
    "\"generationConfig\":{\"temperature\":1,\"topP\":1,\"topK\":1,\"candidateCount\":1,\"maxOutputTokens\":9,"
    "\"stopSequences\":[\"s\"],\"presencePenalty\":0,\"frequencyPenalty\":0,\"seed\":1,"
    "\"responseLogprobs\":true,\"logprobs\":1,\"responseMimeType\":\"application/json\","
    "\"responseJsonSchema\":{\"const\":1,\"properties\":{\"a\":{\"const\":2}}},\"responseModalities\":[\"TEXT\"],"
    "\"thinkingConfig\":{\"includeThoughts\":true,\"thinkingBudget\":1,\"thinkingLevel\":\"LOW\"}},"
    "\"safetySettings\":[{}],\"serviceTier\":\"flex\"}");

static void reads_and_writes(struct span document, void *context)
{
    size_t *written = context;
    struct hub hub;

    hub_init(&hub);
    hub_read(&hub, document);
    hub_tell(&hub);
    if (!chat_is_refused(&hub.chat)) {
        hub_write(&hub);
        (*written)++;
    }
    hub_fini(&hub);
}

static void translate__bears_every_type_everywhere(void **state)
{
    size_t written = 0;

    (void)state;
    hub_each_change(everything, everything, reads_and_writes, &written);
    assert_true(written > 500);
}

static void translate__bears_many_of_everything(void **state)
{
    struct buf request;
    size_t written = 0;

    (void)state;
    buf_init(&request, (size_t)1 << 24);
    buf_put_text(&request, "{\"contents\":[{\"parts\":[{\"text\":\"a\"}]},{\"role\":\"model\",\"parts\":[");
    for (size_t i = 0; i < CHAT_CALLS_MAX; i++) {
        buf_put_text(&request, i == 0 ? "" : ",");
        buf_put_format(&request, "{\"functionCall\":{\"id\":\"%zu\",\"name\":\"f\"}}", i);
    }
    buf_put_text(&request, "]},{\"parts\":[{\"text\":\"b\"}");
    for (size_t i = 20000; i-- > 0;) {
        buf_put_format(&request, ",{\"functionResponse\":{\"id\":\"%zu\",\"name\":\"f\",\"response\":{}}}", i);
    }
    buf_put_text(&request, "]}]}");
    reads_and_writes(buf_span(&request), &written);
    assert_int_equal(written, 1);
    buf_fini(&request);
}

static void translate__bears_deep_schemas(void **state)
{
    struct buf request;
    size_t written = 0;

    (void)state;
    buf_init(&request, (size_t)1 << 20);
    buf_put_text(&request, "{" HELLO ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":");
    for (size_t i = 0; i < LIMIT_JSON_DEPTH - 7; i++) {
        buf_put_text(&request, "{\"items\":");
    }
    buf_put_text(&request, "{\"const\":1}");
    for (size_t i = 0; i < LIMIT_JSON_DEPTH - 7; i++) {
        buf_put_char(&request, '}');
    }
    buf_put_text(&request, "}]}]}");
    reads_and_writes(buf_span(&request), &written);
    assert_int_equal(written, 1);
    buf_fini(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__takes_turns_and_instructions),
        cmocka_unit_test(read__takes_one_object_for_a_list),
        cmocka_unit_test(read__matches_results_by_id_or_name),
        cmocka_unit_test(read__finds_no_call_of_an_earlier_step),
        cmocka_unit_test(read__takes_media),
        cmocka_unit_test(read__refuses_what_belongs_to_google),
        cmocka_unit_test(read__refuses_parts_without_their_meaning),
        cmocka_unit_test(read__names_what_is_lost),
        cmocka_unit_test(read__turns_budgets_into_efforts),
        cmocka_unit_test(read__rewrites_schemas_of_openapi),
        cmocka_unit_test(write__makes_constants_lists_of_one),
        cmocka_unit_test(write__says_all_parameters),
        cmocka_unit_test(write__says_the_choice_of_tools),
        cmocka_unit_test(write__leaves_out_empty_parameters),
        cmocka_unit_test(write__puts_results_in_the_order_of_the_calls),
        cmocka_unit_test(write__wraps_results_that_are_no_objects),
        cmocka_unit_test(write__signs_calls_only_for_models_that_ask),
        cmocka_unit_test(write__switches_thinking_off_by_a_budget),
        cmocka_unit_test(write__gathers_instructions_from_everywhere),
        cmocka_unit_test(translate__bears_every_type_everywhere),
        cmocka_unit_test(translate__bears_many_of_everything),
        cmocka_unit_test(translate__bears_deep_schemas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
