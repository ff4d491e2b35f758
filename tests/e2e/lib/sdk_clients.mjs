// SPDX-License-Identifier: Apache-2.0
// The official SDKs, with their own retries on, each as { name, dialect, tries, whole(how), stream(how),
// fault(error) }. how = { origin, model, id }; both calls give the text of the answer. Pieces of a stream
// are handed to `how.said` as they come. A stream that tells of an error without throwing it throws it
// here, once all of it is read; two are one too many. tries: calls on an error that may be tried again,
// with a wait told, and without one or told not to. fault: { status, isRight } of an error, isRight(status)
// being whether it is of the class that belongs to this status.
import Anthropic from '@anthropic-ai/sdk';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { APICallError, RetryError, generateText, streamText } from 'ai';
import Anthropic0 from 'anthropic0';
import OpenAI from 'openai';
import OpenAI4 from 'openai4';
import OpenAI6 from 'openai6';
import { CANARY } from './headgate.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

const SAID = 'Say hello.';
const MESSAGES = [{ role: 'user', content: SAID }];
const headersOf = ({ id }) => ({ 'x-request-id': id });

// The OpenAI and Anthropic SDKs heed x-should-retry; the AI SDK and LangChain do not know it.
const OFFICIAL = { wait: 3, no: 1 };
const VERCEL = { wait: 3, no: 3 };
const LANGCHAIN = { wait: 2, no: 2 };

const officialFault = (Client) => (error) => ({ status: error.status, code: error.code,
    isRight: error instanceof (error.status === 429 ? Client.RateLimitError : Client.InternalServerError) });

async function gather(how, pieces) {
    let all = '';
    for await (const piece of pieces) {
        all += piece;
        how.said?.(piece);
    }
    return all;
}

async function* mapped(stream, textOf) {
    for await (const event of stream) {
        yield textOf(event) ?? '';
    }
}

const openai = (version, Client) => {
    const chat = (how) => new Client({ apiKey: CANARY.app, baseURL: `${how.origin}/v1`, defaultHeaders: headersOf(how) }).chat.completions;
    return {
        name: `openai ${version}`, dialect: 'openai', tries: OFFICIAL, fault: officialFault(Client),
        whole: async (how) => (await chat(how).create({ model: how.model, messages: MESSAGES })).choices[0].message.content,
        stream: async (how) => gather(how, mapped(await chat(how).create({ model: how.model, messages: MESSAGES, stream: true }),
            (one) => one.choices[0]?.delta.content)),
    };
};

const openaiResponses = (version, Client) => {
    const client = (how) => new Client({ apiKey: CANARY.app, baseURL: `${how.origin}/v1`, defaultHeaders: headersOf(how) }).responses;
    return {
        name: `openai ${version}, Responses`, dialect: 'openai', tries: OFFICIAL, fault: officialFault(Client),
        whole: async (how) => (await client(how).create({ model: how.model, input: SAID })).output_text,
        stream: async (how) => {
            let failure = null;
            const all = await gather(how, mapped(await client(how).create({ model: how.model, input: SAID, stream: true }), (event) => {
                if (event.type === 'response.failed') {
                    failure = Object.assign(new Error(event.response.error.message), { code: event.response.error.code, isTold: true });
                }
                return event.type === 'response.output_text.delta' ? event.delta : '';
            }));
            if (failure !== null) {
                throw failure;
            }
            return all;
        },
    };
};

const anthropic = (version, Client) => {
    const messages = (how) => new Client({ apiKey: CANARY.app, baseURL: how.origin, defaultHeaders: headersOf(how) }).messages;
    const asked = ({ model }) => ({ model, max_tokens: 200, messages: MESSAGES });
    return {
        name: `@anthropic-ai/sdk ${version}`, dialect: 'anthropic', tries: OFFICIAL, fault: officialFault(Client),
        whole: async (how) => (await messages(how).create(asked(how))).content[0].text,
        stream: async (how) => gather(how, mapped(await messages(how).create({ ...asked(how), stream: true }),
            (event) => (event.type === 'content_block_delta' ? event.delta.text : ''))),
    };
};

const vercel = (name, dialect, modelOf) => ({
    name: `ai 7, ${name}`, dialect, tries: VERCEL,
    fault: (error) => ({ status: error.lastError?.statusCode, isRight: RetryError.isInstance(error)
        && error.errors.length === VERCEL.no && error.errors.every((one) => APICallError.isInstance(one)) }),
    whole: async (how) => (await generateText({ model: modelOf(how), prompt: SAID })).text,
    stream: async (how) => {
        const errors = [];
        const { fullStream } = streamText({ model: modelOf(how), prompt: SAID, onError: () => {} });
        const all = await gather(how, mapped(fullStream, (part) => {
            if (part.type === 'error') {
                errors.push(part.error);
            }
            return part.type === 'text-delta' ? part.text : '';
        }));
        if (errors.length > 1) {
            throw new Error(`told ${errors.length} times: ${errors.map(String)}`);
        }
        if (errors.length === 1) {
            throw errors[0];
        }
        return all;
    },
});
const viaOpenAI = (how) => createOpenAI({ apiKey: CANARY.app, baseURL: `${how.origin}/v1`, headers: headersOf(how) });
const viaAnthropic = (how) => createAnthropic({ apiKey: CANARY.app, baseURL: `${how.origin}/v1`, headers: headersOf(how) });

// LangChain tries six times more, from 1 s on, doubled each time: a minute. Once more shows the same.
const langchain = () => {
    const chat = (how) => new ChatOpenAI({ model: how.model, apiKey: CANARY.app, maxRetries: 1,
        configuration: { baseURL: `${how.origin}/v1`, defaultHeaders: headersOf(how) } });
    return {
        name: '@langchain/openai 1.6', dialect: 'openai', tries: LANGCHAIN,
        fault: (error) => ({ status: error.status, code: error.code, isRight: error instanceof Error }),
        whole: async (how) => String((await chat(how).invoke(SAID)).content),
        stream: async (how) => gather(how, mapped(await chat(how).stream(SAID), (one) => String(one.content))),
    };
};

export const CLIENTS = [
    openai('7.55', OpenAI), openai('6.49', OpenAI6), openai('4.104', OpenAI4), openaiResponses('7.55', OpenAI),
    anthropic('1.11', Anthropic), anthropic('0.137', Anthropic0),
    vercel('chat', 'openai', (how) => viaOpenAI(how).chat(how.model)),
    vercel('Responses', 'openai', (how) => viaOpenAI(how)(how.model)),
    vercel('Anthropic', 'anthropic', (how) => viaAnthropic(how)(how.model)),
    langchain(),
];
