import { findProgram, ServerProcess } from '../../support/serverProcess';

/** The smallest application with RxDB collections, in its own process. A token is the name of its user. */
export class Shelves extends ServerProcess {
  constructor() {
    const program = findProgram(
      'The test host',
      'test/rxdb/server/bin/Release/net10.0/Dunlin.RxDb.TestHost.dll',
      'test/rxdb/server/bin/Debug/net10.0/Dunlin.RxDb.TestHost.dll',
    );
    super(program, (port, data) => [String(port), data]);
  }

  share(shelf: string, user: string): Promise<unknown> {
    return this.#call('POST', '/beside/share', { shelf, user });
  }

  unshare(shelf: string, user: string): Promise<unknown> {
    return this.#call('POST', '/beside/share', { shelf, user, take: true });
  }

  /** Creates many things in one transaction. With `audience`, only one reader sees every second one. */
  fill(shelf: string, prefix: string, count: number, audience?: string): Promise<unknown> {
    return this.#call('POST', '/beside/fill', { shelf, prefix, count, audience });
  }

  lease(thing: string, leaseId: string, user: string): Promise<unknown> {
    return this.#call('POST', '/beside/lease', { thing, leaseId, user });
  }

  release(thing: string, leaseId: string, user: string): Promise<unknown> {
    return this.#call('DELETE', `/beside/lease?thing=${thing}&leaseId=${leaseId}&user=${user}`);
  }

  /** Forgets all deletions, as retention does after a month. */
  forget(): Promise<unknown> {
    return this.#call('POST', '/beside/forget');
  }

  /** Returns the server's documents that a user may read, by id. */
  async truth(user: string, collection: 'shelves' | 'things'): Promise<Map<string, any>> {
    const all = (await this.#call('GET', `/beside/truth/${collection}`, undefined, user)) as { id: string }[];
    return new Map(all.map((document) => [document.id, document]));
  }

  /** Pushes as RxDB does, for requests besides the clients. */
  push(user: string, collection: string, rows: object[]): Promise<any> {
    return this.#call('POST', `/api/v1/sync/push/${collection}`, rows, user);
  }

  async #call(method: string, path: string, body?: object, user = 'server'): Promise<unknown> {
    const answer = await fetch(this.address + path, {
      method,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${user}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
