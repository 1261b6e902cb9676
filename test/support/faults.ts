import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ServerProcess } from './serverProcess';

export type Decision = number | 'cut' | 'cutAfter' | undefined | void;

/** A proxy in front of the server that fails on demand. */
export class Faults {
  readonly #host: ServerProcess;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Number of requests by the last part of their path, without the query. */
  readonly counts = new Map<string, number>();
  /**
   * Decides about each request, by the last part of its path and by its whole address: a status to answer with, 'cut' before the server
   * handles it, or 'cutAfter'. A promise holds the request until it settles.
   */
  decide: (path: string, url: string) => Decision | Promise<Decision> = () => undefined;

  constructor(host: ServerProcess) {
    this.#host = host;
    this.#server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Cuts open connections: all, or those for which `chance` returns true. */
  cut(chance: () => boolean = () => true): void {
    for (const socket of [...this.#sockets]) if (chance()) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url!.split('?')[0]!.split('/').at(-1)!;
    this.counts.set(path, (this.counts.get(path) ?? 0) + 1);
    const decision = await this.decide(path, incoming.url!);
    if (decision === 'cut') return void incoming.socket.destroy();
    if (typeof decision === 'number') {
      incoming.resume();
      return void outgoing.writeHead(decision).end();
    }
    const { method, url, headers } = incoming;
    const forward = request({
      host: '127.0.0.1',
      port: this.#host.port,
      method,
      path: url,
      headers,
      agent: false,
    });
    forward.on('response', (answer) => {
      if (decision === 'cutAfter') {
        answer.resume();
        answer.on('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      outgoing.flushHeaders();
      answer.on('error', () => outgoing.destroy());
      answer.on('aborted', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    forward.on('error', () => incoming.socket.destroy());
    outgoing.on('close', () => forward.destroy());
    incoming.pipe(forward);
  }
}
