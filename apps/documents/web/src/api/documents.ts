import { DunlinError, problemOf, readProblem, type Requests } from '@dunlin/client';
import type { FileList, Maintenance, SaveAnswer, SessionList } from './types';

const FILES = '/api/v1/files';
const ADMIN = '/api/v1/admin';

export interface FileText {
  readonly text: string;
  readonly etag: string;
}

/** The requests for files. Each rejects with a `DunlinError`. */
export class DocumentsApi {
  readonly #requests: Requests;
  readonly #user: string;
  readonly #onSignedOut: () => void;

  constructor(requests: Requests, userId: string, onSignedOut: () => void) {
    this.#requests = requests;
    this.#user = encodeURIComponent(userId);
    this.#onSignedOut = onSignedOut;
  }

  async list(): Promise<FileList> {
    return (await this.#requests.send<FileList>('GET', `${FILES}/list`)).body;
  }

  /** Reads the stored text unchanged, including a byte order mark and all line endings. */
  async read(fileId: string): Promise<FileText> {
    let response: Response;
    let bytes: ArrayBuffer;
    try {
      const headers = { 'Dunlin-User': this.#user };
      response = await fetch(this.address(fileId), {
        credentials: 'same-origin',
        cache: 'no-cache',
        headers,
      });
      bytes = await response.clone().arrayBuffer();
    } catch (error) {
      throw new DunlinError(problemOf(error), { cause: error });
    }
    if (!response.ok) {
      const problem = await readProblem(response);
      if (problem.kind === 'signedOut') this.#onSignedOut();
      throw new DunlinError(problem);
    }
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    return { text, etag: response.headers.get('ETag') ?? '' };
  }

  address(fileId: string): string {
    return `${FILES}/${encodeURIComponent(fileId)}`;
  }

  /** The address for a frame. It names the user in the query, because a frame sends no headers. */
  frameAddress(fileId: string): string {
    return `${this.address(fileId)}?dunlin-user=${this.#user}`;
  }

  save(fileId: string, text: string, lease: number | string, etag: string): Promise<SaveAnswer> {
    return this.#save({ file_id: fileId, xml_string: text, lease }, { 'If-Match': etag });
  }

  saveNew(fileId: string, text: string, label: string): Promise<SaveAnswer> {
    return this.#save({ file_id: fileId, xml_string: text, new_version: true, label });
  }

  async import(collection: string, title: string, text: string): Promise<SaveAnswer> {
    const body = { collection, title, variant: 'tei', xml_string: text };
    return (await this.#requests.send<SaveAnswer>('POST', `${FILES}/import`, { body })).body;
  }

  async promote(fileId: string): Promise<void> {
    await this.#requests.send('POST', `${this.address(fileId)}/gold-standard`);
  }

  async delete(leases: ReadonlyMap<string, number | string>): Promise<void> {
    const body = { files: [...leases.keys()], leases: Object.fromEntries(leases) };
    await this.#requests.send('POST', `${FILES}/delete`, { body });
  }

  async sessions(): Promise<SessionList> {
    return (await this.#requests.send<SessionList>('GET', `${ADMIN}/sessions`)).body;
  }

  async endSession(sessionId: string): Promise<void> {
    await this.#requests.send('DELETE', `${ADMIN}/sessions/${encodeURIComponent(sessionId)}`);
  }

  async notifyAll(message: string, variant: string): Promise<void> {
    await this.#requests.send('POST', `${ADMIN}/notifications`, { body: { message, variant } });
  }

  async setMaintenance(state: Maintenance): Promise<void> {
    await this.#requests.send('PUT', `${ADMIN}/maintenance`, { body: state });
  }

  async #save(body: object, headers?: Readonly<Record<string, string>>): Promise<SaveAnswer> {
    return (await this.#requests.send<SaveAnswer>('POST', `${FILES}/save`, { body, headers })).body;
  }
}
