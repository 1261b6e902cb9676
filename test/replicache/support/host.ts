import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

function findProgram(): string {
  const places = [
    process.env['DUNLIN_HOST'] ?? '',
    fromRoot('apps/host/server/bin/Release/net10.0/Dunlin.Host.dll'),
    fromRoot('artifacts/host/Dunlin.Host.dll'),
    fromRoot('apps/host/server/bin/Debug/net10.0/Dunlin.Host.dll'),
  ];
  const found = places.find((place) => place !== '' && existsSync(place));
  if (!found) throw new Error('The host is not built. Run: dotnet build apps/host/server -c Release');
  return found;
}

/** The host as a process of its own, that can be killed and started again on the same data and port. */
export class Host {
  #data = mkdtempSync(join(tmpdir(), 'dunlin-replicache-'));
  #process: ChildProcess | undefined;
  #port = 0;

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    const { ASPNETCORE_ENVIRONMENT: _, ...environment } = process.env;
    const started = spawn('dotnet', [findProgram(), '--port', String(this.#port), '--data', this.#data], {
      env: { ...environment, Dunlin__DemoAccounts: 'erin' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = started;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const take = (chunk: Buffer) => {
        output += chunk.toString();
        const address = /Dunlin is at http:\/\/[^:]+:(\d+)/.exec(output);
        if (!address) return;
        this.#port = Number(address[1]);
        resolve();
      };
      started.stdout!.on('data', take);
      started.stderr!.on('data', take);
      started.once('exit', (code) => reject(new Error(`The host ended with ${code}: ${output}`)));
    });
    return this;
  }

  /** SIGKILL: the process gets no chance to do anything. */
  async kill(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** All data is lost: another history begins. */
  async reset(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true });
    this.#data = mkdtempSync(join(tmpdir(), 'dunlin-replicache-'));
    await this.start();
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
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

  /** A request as the client makes it, for looking at the server beside it. */
  async post<T>(path: 'push' | 'pull', token: string, body: object): Promise<{ status: number; body: T }> {
    const answer = await fetch(`${this.address}/api/v1/replicache/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ profileID: 'p', schemaVersion: '1', [`${path}Version`]: 1, ...body }),
    });
    return { status: answer.status, body: (await answer.json()) as T };
  }

  /** Everything a user may read, as the server has it. */
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
