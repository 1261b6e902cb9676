import { findProgram, ServerProcess } from '../../support/serverProcess';

/** The host in its own process. */
export class Host extends ServerProcess {
  constructor() {
    const program =
      process.env['DUNLIN_HOST'] ||
      findProgram(
        'The host',
        'apps/host/server/bin/Release/net10.0/Dunlin.Host.dll',
        'artifacts/host/Dunlin.Host.dll',
        'apps/host/server/bin/Debug/net10.0/Dunlin.Host.dll',
      );
    super(program, (port, data) => ['--port', String(port), '--data', data], {
      Dunlin__DemoAccounts: 'erin',
    });
  }

  async signIn(username: string): Promise<string> {
    const answer = await fetch(`${this.address}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username, password: 'dunlin-demo' }),
    });
    const body = (await answer.json()) as { accessToken?: string };
    if (!body.accessToken) throw new Error(`Signing in ${username} failed: ${JSON.stringify(body)}`);
    return body.accessToken;
  }

  /** Sends a request as the client does, for reading the server's state. */
  async post<T>(path: 'push' | 'pull', token: string, body: object): Promise<{ status: number; body: T }> {
    const answer = await fetch(`${this.address}/api/v1/replicache/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ profileID: 'p', schemaVersion: '1', [`${path}Version`]: 1, ...body }),
    });
    return { status: answer.status, body: (await answer.json()) as T };
  }

  /** Returns all server data that a user may read. */
  async read(token: string): Promise<Map<string, any>> {
    const { body } = await this.post<{ patch: { op: string; key: string; value: unknown }[] }>(
      'pull',
      token,
      {
        clientGroupID: 'looker-on',
        cookie: null,
      },
    );
    return new Map(body.patch.map(({ key, value }) => [key, value]));
  }
}
