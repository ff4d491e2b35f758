-- SPDX-License-Identifier: Apache-2.0
-- bench/chat.lua: wrk's part. One chat call, as the OpenAI SDK for Node sends it: messages first,
-- then model, max_tokens and stream. `wrk -s chat.lua URL -- BYTES` sets the size of the body.
-- wrk adds content-length; the request is fixed, so it is composed once. Prints one line of key=value pairs.

local function body(size)
  local head = '{"messages":[{"role":"system","content":"You are a helpful assistant."},' ..
    '{"role":"user","content":"'
  local tail = '"}],"model":"bench-model","max_tokens":256,"stream":false}'
  local words = 'The quick gate keeper said \\"hold the water\\" and the canal obeyed him. '
  local room = size - #head - #tail
  local count = math.floor(room / #words)
  return head .. string.rep(words, count) .. string.rep('x', room - count * #words) .. tail
end

function init(args)
  wrk.method = 'POST'
  wrk.path = '/v1/chat/completions'
  wrk.body = body(tonumber(args[1]) or 1024)
  wrk.headers = {
    ['host'] = wrk.host .. ':' .. wrk.port,
    ['connection'] = 'keep-alive',
    ['accept'] = 'application/json',
    ['user-agent'] = 'OpenAI/JS 7.55.0',
    ['x-stainless-retry-count'] = '0',
    ['x-stainless-lang'] = 'js',
    ['x-stainless-package-version'] = '7.55.0',
    ['x-stainless-os'] = 'Linux',
    ['x-stainless-arch'] = 'x64',
    ['x-stainless-runtime'] = 'node',
    ['x-stainless-runtime-version'] = 'v20.20.2',
    ['authorization'] = 'Bearer sk-test-bench',
    ['content-type'] = 'application/json',
    ['accept-language'] = '*',
    ['sec-fetch-mode'] = 'cors',
    ['accept-encoding'] = 'gzip, deflate',
  }
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format('calls=%d seconds=%.3f rate=%.0f p50=%d p99=%d errors=%d\n',
    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
