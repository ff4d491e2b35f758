// SPDX-License-Identifier: Apache-2.0
// A provider that ends its kept connections at just about the moment when the next request is sent,
// in a process of its own, plain or TLS. It counts each request by its marker as soon as its head has
// come. The first request of a connection gets its answer; `variant` says how the connection ends:
//   fin_before   the answer and FIN together
//   fin_race     FIN a moment after the answer, about when the next request comes
//   close_race   the same, but the socket is closed: a request in flight is thrown away unseen
//   rst_race     the same with RST
//   fin_crossed  FIN instead of an answer, as if it had been sent when the request was
//   rst_whole    RST after the whole of the second request
//   rst_half     RST after half of it
// Wherever FIN is sent, the other direction is read on, so that no request escapes the count.
import net from 'node:net';
import tls from 'node:tls';
import { LeanReader, STREAM, WHOLE, serveParent, startApart } from './lean.mjs';
import { fileURLToPath } from 'node:url';

export const startStaleUpstream = () => startApart(fileURLToPath(import.meta.url));

const STEP_MS = 0.02;
const SPREAD_MS = 0.3;

const ENDS = {
    fin_race: (line) => line.socket.end(),
    close_race: (line) => line.socket.destroy(),
    rst_race: (line) => line.raw.resetAndDestroy(),
};

class StaleUpstream {
    variant = 'fin_before';
    seen = new Map(); // marker -> requests whose head came
    connections = 0;
    requestFirst = 0; // races in which the next request was read before the connection was ended
    delay = 0.3;      // ms between an answer and the end, brought towards the next request's coming
    raws = new Map();
    due = [];         // [time, act]
    isTicking = false;

    async listen(secure) {
        const take = (socket) => this.#take(socket);
        this.server = secure ? tls.createServer({ ...secure, allowHalfOpen: true }, take)
            : net.createServer({ allowHalfOpen: true }, take);
        this.server.on('connection', (raw) => {
            this.connections += 1;
            this.raws.set(raw.remotePort, raw);
            const port = raw.remotePort;
            raw.on('close', () => this.raws.get(port) === raw && this.raws.delete(port)); // ports come again
            raw.on('error', () => {});
        });
        this.server.on('tlsClientError', () => {});
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        return this.server.address().port;
    }

    begin(variant) {
        Object.assign(this, { variant, seen: new Map(), connections: 0, requestFirst: 0 });
        for (const raw of this.raws.values()) {
            raw.destroy();
        }
    }

    report() {
        return { seen: Object.fromEntries(this.seen), connections: this.connections, requestFirst: this.requestFirst };
    }

    #take(socket) {
        socket.setNoDelay(true);
        const line = { socket, raw: this.raws.get(socket.remotePort) ?? socket, count: 0, isOver: false };
        line.reader = new LeanReader({
            head: (request) => {
                line.count += 1;
                this.seen.set(request.id, (this.seen.get(request.id) ?? 0) + 1);
            },
            part: (request, got) => this.#part(line, request, got),
            whole: (request) => this.#whole(line, request),
        });
        socket.on('error', () => {});
        socket.on('end', () => socket.destroy()); // headgate has let go of it
        socket.on('data', (piece) => line.reader.push(piece));
    }

    #part(line, request, got) {
        if (this.variant === 'rst_half' && line.count > 1 && !line.isOver && got >= request.length / 2) {
            line.isOver = true;
            line.raw.resetAndDestroy();
        }
    }

    #whole(line, request) {
        if (line.isOver) {
            return;
        }
        if (line.count > 1) {
            switch (this.variant) {
            case 'fin_crossed': this.#over(line, () => line.socket.end()); return;
            case 'rst_whole': this.#over(line, () => line.raw.resetAndDestroy()); return;
            default: this.requestFirst += 1;
            }
            this.delay = Math.max(0, this.delay - STEP_MS);
        }
        const answer = request.isStream ? STREAM : WHOLE;
        if (this.variant === 'fin_before') {
            this.#over(line, () => line.socket.end(answer));
            return;
        }
        line.socket.write(answer);
        const end = ENDS[this.variant];
        if (end) {
            const { count } = line;
            this.#at(performance.now() + Math.max(0, this.delay + (Math.random() - 0.5) * SPREAD_MS), () => {
                if (!line.isOver && line.count === count) {
                    this.delay += STEP_MS;
                    this.#over(line, () => end(line));
                }
            });
        }
    }

    #over(line, act) {
        line.isOver = true;
        act();
    }

    // Finer than a timer: turns of the loop, which goes on reading meanwhile.
    #at(time, act) {
        this.due.push([time, act]);
        if (!this.isTicking) {
            this.isTicking = true;
            setImmediate(() => this.#tick());
        }
    }

    #tick() {
        const now = performance.now();
        const ready = this.due.filter(([time]) => time <= now);
        this.due = this.due.filter(([time]) => time > now);
        ready.forEach(([, act]) => act());
        this.isTicking = this.due.length > 0;
        if (this.isTicking) {
            setImmediate(() => this.#tick());
        }
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) {
    const upstream = new StaleUpstream();
    serveParent({
        listen: (secure) => upstream.listen(secure),
        begin: (variant) => upstream.begin(variant),
        report: () => upstream.report(),
    });
}
