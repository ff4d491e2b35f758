// SPDX-License-Identifier: Apache-2.0
// faults.md A: reaching the upstream. Names are in names.mjs.
import assert from 'node:assert/strict';
import net from 'node:net';
import { blackhole } from '../lib/blackhole.mjs';
import { CONNECT, ENDPOINT, QUICK, refused, rescued, row, served } from '../lib/lab.mjs';
import { healthy } from '../lib/samples.mjs';

const tls = (certificates, name, more) => ({ ...certificates[name], ALPNProtocols: ['h2', 'http/1.1'], ...more });
const trusting = (certificates) => ({ ca_file: certificates.caFile });
const noByte = (got, site) => assert.equal(site.first.heads.length, 0, 'no byte of a request went out');

// A TLS port that does this with each connection.
function rawServer(accept) {
    return async () => {
        const open = new Set();
        const server = net.createServer((socket) => {
            open.add(socket);
            socket.on('error', () => {});
            socket.on('close', () => open.delete(socket));
            accept(socket);
        }).unref();
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        return { origin: `https://127.0.0.1:${server.address().port}`, heads: [],
            stop: () => { open.forEach((socket) => socket.destroy()); return new Promise((resolve) => server.close(resolve)); } };
    };
}

// The attempt is made again at the same target only when there is no other.
const again = (id, title, status, code, outcome, more) => row(id, title, { silent: true, heals: false, marks: CONNECT,
    alone: refused(status, code, outcome, outcome), pair: rescued(outcome), ...more });
const never = (id, title, code, outcome, more) => row(id, title, { silent: true, heals: false, marks: CONNECT,
    alone: refused(502, code, outcome), pair: rescued(outcome), provider: trusting, ...more });
const certificate = (id, title, name, more = {}) => never(id, title, 'upstream_tls_verify', 'tls_verify',
    { tls: (certificates) => tls(certificates, name), also: noByte, alarm: 'certificate_refused', ...more });

// All that listens here does so at 127.0.0.1.
const nobody = async () => ({ origin: 'http://127.0.0.9:9', stop: async () => {} });

export const rows = [
    again('A08', 'connect refused', 502, 'upstream_connect', 'connect', { site: nobody }),
    again('A09', 'connect black hole', 504, 'upstream_connect_timeout', 'connect_timeout', { timeouts: QUICK,
        site: async () => { const hole = await blackhole(); return { origin: `http://127.0.0.1:${hole.port}`, stop: async () => hole.stop() }; } }),
    again('A10', 'network unreachable', 502, 'upstream_connect', 'connect', { site: async () => ({ origin: 'https://224.0.0.1:9', stop: async () => {} }) }),
    // A reset that comes before headgate has looked at its new connection is an attempt that failed.
    again('A11', 'accept, then RST', 502, ['upstream_reset', 'upstream_closed', 'upstream_connect'], ['reset', 'closed', 'connect'], {
        heals: true, marks: ENDPOINT, pair: { kind: 'rescued', tries: [['reset', 'closed', 'connect'], 'ok'] },
        play: { accept: (socket) => socket.resetAndDestroy() } }),
    again('A12', 'a TLS hello that is not answered', 504, 'upstream_tls_timeout', 'tls_timeout', { provider: trusting, timeouts: QUICK, site: rawServer((socket) => socket.resume()) }),
    certificate('A13', 'an expired certificate', 'expired'),
    certificate('A14', 'a wrong host name', 'wrong_host'),
    certificate('A14', 'a common name alone', 'common_name_only'),
    certificate('A15', 'an unknown CA', 'foreign'),
    certificate('A15', 'a good certificate without its CA', 'good', { provider: () => ({}) }),
    certificate('A16', 'not yet valid', 'not_yet'),
    never('A17', 'TLS 1.1 alone', 'upstream_tls_verify', 'tls_version', { also: noByte, alarm: 'tls_refused',
        tls: (certificates) => tls(certificates, 'good', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }) }),
    again('A18', 'a reset half-way through the handshake', 502, 'upstream_tls', 'tls', { provider: trusting,
        site: rawServer((socket) => socket.once('data', () => socket.resetAndDestroy())) }),
    again('A18', 'a close half-way through the handshake', 502, 'upstream_tls', 'tls', { provider: trusting,
        site: rawServer((socket) => socket.once('data', () => socket.end())) }),
    never('A19', 'plain HTTP on the TLS port', 'upstream_tls', 'tls_unfit', { alarm: 'tls_refused',
        site: rawServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))) }),
    ...[['TLS 1.2', { maxVersion: 'TLSv1.2' }], ['TLS 1.3', { minVersion: 'TLSv1.3' }], ['no resumption', { sessionTimeout: 1, secureOptions: 0x4000 }]].map(([what, more]) =>
        row('A20', `a full handshake each time, ${what}`, { tls: (certificates) => tls(certificates, 'good', more), provider: trusting, alone: served(),
            play: healthy, also: (got, site) => assert.ok(site.first.requests.every((one) => one.alpn === 'http/1.1'), 'ALPN offers http/1.1 alone') })),
];

// Behind an egress proxy: it refuses the first provider and carries the second one.
export const behindProxy = [
    row('A22', 'an egress proxy that refuses', { heals: false, marks: ENDPOINT, alarm: 'reaching_refused', provider: trusting, silent: true,
        tls: (certificates) => tls(certificates, 'good'), alone: refused(502, 'egress_proxy', 'egress_proxy'), pair: rescued('egress_proxy'),
        also: (got, site) => assert.equal(site.first.connections, 0, 'nothing reaches the provider past the proxy') }),
];

export async function refusingProxy(lab) {
    const server = net.createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', (data) => {
            const [, port] = /^CONNECT 127\.0\.0\.1:(\d+) /.exec(data.toString('latin1'));
            assert.ok(!data.includes('canary'), 'no secret is told to a proxy');
            if (lab.sites.some((site) => site.first.port === Number(port))) {
                socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
                return;
            }
            const onward = net.connect({ host: '127.0.0.1', port: Number(port) }, () => {
                socket.write('HTTP/1.1 200 OK\r\n\r\n');
                socket.pipe(onward).pipe(socket);
            });
            onward.on('error', () => socket.destroy());
            socket.on('close', () => onward.destroy());
        });
    }).unref();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { egress: { proxy: `http://127.0.0.1:${server.address().port}` } };
}
