// SPDX-License-Identifier: Apache-2.0
// The official SDKs, each as an app that talks: { name, dialect, say, loop, structured, picture, statusOf }. `at` is
// { origin, model }; isStream chooses how. say(at, isStream) gives { text, finish, usage: { input, cached, output } }, loop
// runs tools over several turns until the model wants none, and gives { text, calls: [[{ name, input }]] } by turns.
import Anthropic from '@anthropic-ai/sdk';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { GoogleGenAI } from '@google/genai';
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { Output, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { CANARY } from './headgate.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

export const SYSTEM = 'Answer shortly.';
export const ASKED = 'What is the weather in Paris and in Rome?';
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const SCHEMA = { type: 'object', properties: { city: { type: 'string' }, degrees: { type: 'number' } }, required: ['city', 'degrees'], additionalProperties: false };
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const TOOL = { name: 'get_weather', description: 'The weather in a city' };
// What the tool says; the answer must go back to the call that asked.
export const resultOf = ({ city }) => `${city}: ${city.length} degrees`;
const ROUNDS = 5;

const official = (error) => error.status;

// ---- OpenAI: chat completions ----

const openai = (at) => new OpenAI({ apiKey: CANARY.app, baseURL: `${at.origin}/v1`, maxRetries: 0 });
const chatUsage = (usage) => usage && ({ input: usage.prompt_tokens, cached: usage.prompt_tokens_details?.cached_tokens ?? 0, output: usage.completion_tokens });

async function chatTurn(at, isStream, messages, more = {}) {
    const completions = openai(at).chat.completions;
    const request = { model: at.model, messages, ...more };
    const whole = isStream ? await completions.stream({ ...request, stream_options: { include_usage: true } }).finalChatCompletion()
        : await completions.create(request);
    return { ...whole.choices[0], usage: chatUsage(whole.usage) };
}

const openaiChat = {
    name: 'openai, chat', dialect: 'chat', statusOf: official,
    async say(at, isStream, more) {
        const turn = await chatTurn(at, isStream, [{ role: 'system', content: SYSTEM }, { role: 'user', content: 'Say hello.' }], more);
        return { text: turn.message.content, finish: turn.finish_reason, usage: turn.usage, refusal: turn.message.refusal };
    },
    async loop(at, isStream) {
        const messages = [{ role: 'system', content: SYSTEM }, { role: 'user', content: ASKED }];
        const calls = [];
        for (let round = 0; round < ROUNDS; round += 1) {
            const turn = await chatTurn(at, isStream, messages, { tools: [{ type: 'function', function: { ...TOOL, parameters: PARAMETERS } }] });
            if (turn.finish_reason !== 'tool_calls') {
                return { text: turn.message.content, calls };
            }
            messages.push({ role: 'assistant', content: turn.message.content, tool_calls: turn.message.tool_calls.map(({ id, type, function: { name, arguments: text } }) => ({ id, type, function: { name, arguments: text } })) });
            calls.push(turn.message.tool_calls.map((call) => ({ name: call.function.name, input: JSON.parse(call.function.arguments) })));
            turn.message.tool_calls.forEach((call) => messages.push({ role: 'tool', tool_call_id: call.id, content: resultOf(JSON.parse(call.function.arguments)) }));
        }
        throw new Error('no end of rounds');
    },
    async structured(at, isStream) {
        const turn = await chatTurn(at, isStream, [{ role: 'user', content: ASKED }], { response_format: { type: 'json_schema', json_schema: { name: 'weather', schema: SCHEMA, strict: true } } });
        return JSON.parse(turn.message.content);
    },
    async picture(at, isStream) {
        return (await chatTurn(at, isStream, [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}`, detail: 'low' } }] }])).message.content;
    },
};

// ---- OpenAI: Responses ----

const responsesUsage = (usage) => usage && ({ input: usage.input_tokens, cached: usage.input_tokens_details?.cached_tokens ?? 0, output: usage.output_tokens });

async function responseTurn(at, isStream, input, more = {}) {
    const request = { model: at.model, input, store: false, ...more };
    const responses = openai(at).responses;
    const response = await (isStream ? responses.stream(request).finalResponse() : responses.create(request));
    if (response.status === 'failed') { // the SDK gives it back like an answer
        throw Object.assign(new Error(response.error.message), { code: response.error.code });
    }
    return response;
}
const callsIn = (response) => response.output.filter(({ type }) => type === 'function_call');

const openaiResponses = {
    name: 'openai, Responses', dialect: 'responses', statusOf: official,
    async say(at, isStream, more) {
        const response = await responseTurn(at, isStream, 'Say hello.', { instructions: SYSTEM, ...more });
        const finish = response.status === 'completed' ? 'stop' : { max_output_tokens: 'length', content_filter: 'content_filter' }[response.incomplete_details?.reason];
        return { text: response.output_text, finish, usage: responsesUsage(response.usage) };
    },
    async loop(at, isStream) {
        const input = [{ role: 'user', content: ASKED }];
        const calls = [];
        for (let round = 0; round < ROUNDS; round += 1) {
            const response = await responseTurn(at, isStream, input, { instructions: SYSTEM, tools: [{ type: 'function', ...TOOL, parameters: PARAMETERS, strict: false }] });
            const wanted = callsIn(response);
            if (wanted.length === 0) {
                return { text: response.output_text, calls };
            }
            calls.push(wanted.map((call) => ({ name: call.name, input: JSON.parse(call.arguments) })));
            input.push(...response.output.map((item) => { const { parsed_arguments: _, ...rest } = item; return rest; }));
            wanted.forEach((call) => input.push({ type: 'function_call_output', call_id: call.call_id, output: resultOf(JSON.parse(call.arguments)) }));
        }
        throw new Error('no end of rounds');
    },
    async structured(at, isStream) {
        return JSON.parse((await responseTurn(at, isStream, ASKED, { text: { format: { type: 'json_schema', name: 'weather', schema: SCHEMA, strict: true } } })).output_text);
    },
    async picture(at, isStream) {
        return (await responseTurn(at, isStream, [{ role: 'user', content: [{ type: 'input_text', text: 'What is it?' }, { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}`, detail: 'auto' }] }])).output_text;
    },
};

// ---- Anthropic ----

async function messageTurn(at, isStream, messages, more = {}) {
    const client = new Anthropic({ apiKey: CANARY.app, baseURL: at.origin, maxRetries: 0 });
    const request = { model: at.model, max_tokens: 1000, messages, ...more };
    return isStream ? client.messages.stream(request).finalMessage() : client.messages.create(request);
}
const textIn = (message) => message.content.filter(({ type }) => type === 'text').map(({ text }) => text).join('');

const anthropic = {
    name: '@anthropic-ai/sdk', dialect: 'messages', statusOf: official,
    async say(at, isStream, more) {
        const message = await messageTurn(at, isStream, [{ role: 'user', content: 'Say hello.' }], { system: SYSTEM, ...more });
        const { usage } = message;
        return { text: textIn(message), finish: { end_turn: 'stop', max_tokens: 'length', refusal: 'content_filter', tool_use: 'tool_calls' }[message.stop_reason],
            usage: { input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0), cached: usage.cache_read_input_tokens ?? 0, output: usage.output_tokens } };
    },
    async loop(at, isStream) {
        const messages = [{ role: 'user', content: ASKED }];
        const calls = [];
        for (let round = 0; round < ROUNDS; round += 1) {
            const message = await messageTurn(at, isStream, messages, { system: SYSTEM, tools: [{ ...TOOL, input_schema: PARAMETERS }] });
            if (message.stop_reason !== 'tool_use') {
                return { text: textIn(message), calls };
            }
            const wanted = message.content.filter(({ type }) => type === 'tool_use');
            calls.push(wanted.map(({ name, input }) => ({ name, input })));
            messages.push({ role: 'assistant', content: message.content },
                { role: 'user', content: wanted.map(({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: resultOf(input) })) });
        }
        throw new Error('no end of rounds');
    },
    async structured(at, isStream) {
        return JSON.parse(textIn(await messageTurn(at, isStream, [{ role: 'user', content: ASKED }], { output_config: { format: { type: 'json_schema', schema: SCHEMA } } })));
    },
    async picture(at, isStream) {
        return textIn(await messageTurn(at, isStream, [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } }, { type: 'text', text: 'What is it?' }] }]));
    },
};

// ---- Google ----

async function contentTurn(at, isStream, contents, config = {}) {
    const { models } = new GoogleGenAI({ apiKey: CANARY.app, httpOptions: { baseUrl: at.origin } });
    const request = { model: at.model, contents, config };
    if (!isStream) {
        return models.generateContent(request);
    }
    const parts = [];
    let last;
    for await (const chunk of await models.generateContentStream(request)) {
        parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
        last = chunk;
    }
    last.candidates[0].content = { role: 'model', parts };
    return last;
}
const partsIn = (answer) => answer.candidates?.[0]?.content?.parts ?? [];
const saidIn = (answer) => partsIn(answer).map(({ text }) => text ?? '').join('');

const google = {
    name: '@google/genai', dialect: 'generate', statusOf: official,
    async say(at, isStream, more) {
        const answer = await contentTurn(at, isStream, 'Say hello.', { systemInstruction: SYSTEM, ...more });
        const usage = answer.usageMetadata;
        return { text: saidIn(answer), finish: { STOP: 'stop', MAX_TOKENS: 'length', SAFETY: 'content_filter' }[answer.candidates[0].finishReason],
            usage: { input: usage.promptTokenCount, cached: usage.cachedContentTokenCount ?? 0, output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0) } };
    },
    async loop(at, isStream) {
        const contents = [{ role: 'user', parts: [{ text: ASKED }] }];
        const calls = [];
        for (let round = 0; round < ROUNDS; round += 1) {
            const answer = await contentTurn(at, isStream, contents, { systemInstruction: SYSTEM, tools: [{ functionDeclarations: [{ ...TOOL, parametersJsonSchema: PARAMETERS }] }] });
            const wanted = partsIn(answer).filter((part) => part.functionCall).map((part) => part.functionCall);
            if (wanted.length === 0) {
                return { text: saidIn(answer), calls };
            }
            calls.push(wanted.map(({ name, args }) => ({ name, input: args })));
            contents.push({ role: 'model', parts: partsIn(answer) }, { role: 'user', parts: wanted.map(({ id, name, args }) => ({ functionResponse: { ...(id ? { id } : {}), name, response: { output: resultOf(args) } } })) });
        }
        throw new Error('no end of rounds');
    },
    async structured(at, isStream) {
        return JSON.parse(saidIn(await contentTurn(at, isStream, ASKED, { responseMimeType: 'application/json', responseJsonSchema: SCHEMA })));
    },
    async picture(at, isStream) {
        return saidIn(await contentTurn(at, isStream, [{ role: 'user', parts: [{ text: 'What is it?' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] }]));
    },
};

// ---- the AI SDK ----

const vercel = (name, dialect, modelOf) => {
    const run = async (at, isStream, more) => {
        // Without it the AI SDK refers to what OpenAI keeps of earlier turns (item_reference).
        const request = { model: modelOf(at), maxRetries: 0, providerOptions: { openai: { store: false } }, ...more };
        if (!isStream) {
            return generateText(request);
        }
        const errors = [];
        const result = streamText({ ...request, onError: ({ error }) => { errors.push(error); } });
        await result.consumeStream();
        if (errors.length > 0) {
            throw errors[0];
        }
        const [text, finishReason, usage, steps, output] = await Promise.all([result.text, result.finishReason, result.totalUsage, result.steps, more.output ? result.output : null]);
        return { text, finishReason, usage, steps, output };
    };
    return {
        name: `ai, ${name}`, dialect, statusOf: (error) => error.statusCode ?? error.lastError?.statusCode,
        async say(at, isStream) {
            const { text, finishReason, usage } = await run(at, isStream, { system: SYSTEM, prompt: 'Say hello.' });
            return { text, finish: { stop: 'stop', length: 'length', 'content-filter': 'content_filter' }[finishReason],
                usage: { input: usage.inputTokens, cached: usage.inputTokenDetails?.cacheReadTokens ?? usage.cachedInputTokens ?? 0, output: usage.outputTokens } };
        },
        async loop(at, isStream) {
            const get_weather = tool({ description: TOOL.description, inputSchema: jsonSchema(PARAMETERS), execute: async (input) => resultOf(input) });
            const { text, steps } = await run(at, isStream, { system: SYSTEM, prompt: ASKED, tools: { get_weather }, stopWhen: stepCountIs(ROUNDS) });
            return { text, calls: steps.map(({ toolCalls }) => toolCalls.map(({ toolName, input }) => ({ name: toolName, input }))).filter((calls) => calls.length > 0) };
        },
        async structured(at, isStream) {
            return (await run(at, isStream, { prompt: ASKED, output: Output.object({ schema: jsonSchema(SCHEMA) }) })).output;
        },
        async picture(at, isStream) {
            return (await run(at, isStream, { messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'file', data: PIXEL, mediaType: 'image/png' }] }] })).text;
        },
    };
};

// ---- LangChain ----

const langchain = {
    name: '@langchain/openai', dialect: 'chat', statusOf: (error) => error.status ?? error.cause?.status,
    model: (at, more = {}) => new ChatOpenAI({ model: at.model, apiKey: CANARY.app, maxRetries: 0, streamUsage: true, ...more, configuration: { baseURL: `${at.origin}/v1` } }),
    async turn(model, isStream, messages) {
        if (!isStream) {
            return model.invoke(messages);
        }
        let all;
        for await (const chunk of await model.stream(messages)) {
            all = all === undefined ? chunk : all.concat(chunk);
        }
        return all;
    },
    async say(at, isStream) {
        const answer = await this.turn(this.model(at), isStream, [new SystemMessage(SYSTEM), new HumanMessage('Say hello.')]);
        const usage = answer.usage_metadata;
        return { text: answer.text, finish: answer.response_metadata.finish_reason, usage: { input: usage?.input_tokens, cached: usage?.input_token_details?.cache_read ?? 0, output: usage?.output_tokens } };
    },
    async loop(at, isStream) {
        const model = this.model(at).bindTools([{ type: 'function', function: { ...TOOL, parameters: PARAMETERS } }]);
        const messages = [new SystemMessage(SYSTEM), new HumanMessage(ASKED)];
        const calls = [];
        for (let round = 0; round < ROUNDS; round += 1) {
            const answer = await this.turn(model, isStream, messages);
            if (answer.tool_calls.length === 0) {
                return { text: answer.text, calls };
            }
            calls.push(answer.tool_calls.map(({ name, args }) => ({ name, input: args })));
            messages.push(answer, ...answer.tool_calls.map(({ id, args }) => new ToolMessage({ tool_call_id: id, content: resultOf(args) })));
        }
        throw new Error('no end of rounds');
    },
    async structured(at) {
        return this.model(at).withStructuredOutput({ title: 'weather', ...SCHEMA }, { method: 'jsonSchema', strict: true }).invoke(ASKED);
    },
    async picture(at, isStream) {
        return (await this.turn(this.model(at), isStream, [new HumanMessage({ content: [{ type: 'text', text: 'What is it?' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }] })])).text;
    },
};

export const TALKERS = [
    openaiChat, openaiResponses, anthropic, google, langchain,
    vercel('openai (Responses)', 'responses', (at) => createOpenAI({ apiKey: CANARY.app, baseURL: `${at.origin}/v1` })(at.model)),
    vercel('openai (chat)', 'chat', (at) => createOpenAI({ apiKey: CANARY.app, baseURL: `${at.origin}/v1` }).chat(at.model)),
    vercel('anthropic', 'messages', (at) => createAnthropic({ apiKey: CANARY.app, baseURL: `${at.origin}/v1` })(at.model)),
    vercel('google', 'generate', (at) => createGoogleGenerativeAI({ apiKey: CANARY.app, baseURL: `${at.origin}/v1beta` })(at.model)),
];
