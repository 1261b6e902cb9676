import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real HTTP server with a journal, reduced to the parts of the engine's stream that a resume needs. */
export class NodeServer {
  readonly entries: string[] = [];
  readonly lastEventIds: (string | undefined)[] = [];
  readonly #open = new Set<ServerResponse>();
  #connections = 0;
  /** Called with every stream after its replay was written. */
  onStream: (response: ServerResponse) => void = () => {};
  /** Answers a request instead of opening a stream, when it returns true. */
  refuse: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  readonly #server = createServer((request, response) => this.#handle(request, response));

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  publish(data: string): void {
    this.entries.push(data);
    for (const response of this.#open) this.#write(response, this.entries.length);
  }

  /** Cuts all connections, as kill -9 does. */
  cut(): void {
    for (const response of this.#open) response.socket?.destroy();
    this.#open.clear();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.refuse?.(request, response)) return;
    const lastEventId = request.headers['last-event-id'] as string | undefined;
    this.lastEventIds.push(lastEventId);
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'Dunlin-Connection': `connection-${++this.#connections}`,
    });
    const hello = { connectionId: `connection-${this.#connections}`, position: `e-${this.entries.length}` };
    response.write(
      `event: dunlin.hello\ncontrol: hello\ndata: ${JSON.stringify({ ...hello, heartbeatSeconds: 15 })}\n\n`,
    );
    const from = lastEventId === undefined ? this.entries.length : Number(lastEventId.split('-')[1]);
    for (let offset = from + 1; offset <= this.entries.length; offset++) this.#write(response, offset);
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    this.onStream(response);
  }

  #write(response: ServerResponse, offset: number): void {
    response.write(`id: e-${offset}\nevent: changed\ndata: ${this.entries[offset - 1]}\n\n`);
  }
}
