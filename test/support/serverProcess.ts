import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Returns the first existing path of a program, relative to the root of the repository. */
export function findProgram(what: string, ...places: readonly string[]): string {
  const found = places
    .filter((place) => place !== '')
    .map(fromRoot)
    .find(existsSync);
  if (!found) throw new Error(`${what} is not built. Run: dotnet build Dunlin.slnx -c Release`);
  return found;
}

/** A server in its own process, which can be killed and restarted on the same data and port. */
export class ServerProcess {
  readonly #program: string;
  readonly #argumentsOf: (port: number, data: string) => readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #data = newFolder();
  #process: ChildProcess | undefined;
  #port = 0;

  constructor(
    program: string,
    argumentsOf: (port: number, data: string) => readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#program = program;
    this.#argumentsOf = argumentsOf;
    this.#environment = environment;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    const { ASPNETCORE_ENVIRONMENT: _, ...environment } = process.env;
    const started = spawn('dotnet', [this.#program, ...this.#argumentsOf(this.#port, this.#data)], {
      env: { ...environment, ...this.#environment },
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
      started.stdout.on('data', take);
      started.stderr.on('data', take);
      started.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)));
    });
    return this;
  }

  /** Sends SIGKILL, so that the process cannot react. */
  async kill(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Deletes all data: the server starts a new epoch. */
  async reset(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true });
    this.#data = newFolder();
    await this.start();
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#data, { recursive: true, force: true });
  }
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'dunlin-clients-'));
}
