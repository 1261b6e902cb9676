import { DunlinError, problemOf, readProblem, type Requests } from '@dunlin/client';
import type {
  FileList,
  LockList,
  Maintenance,
  SaveAnswer,
  SessionList,
  TextHits,
  VersionInfo,
} from './types';

const FILES = '/api/v1/files';
const ADMIN = '/api/v1/admin';
/** Time limit of the list, in milliseconds. After it the page offers to try again. */
const LIST_MS = 15_000;

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
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), LIST_MS);
    try {
      return (await this.#requests.send<FileList>('GET', `${FILES}/list`, { signal: limit.signal })).body;
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      const title = 'The server did not answer.';
      throw new DunlinError({ kind: 'network', code: 'network', title }, { cause: error });
    } finally {
      clearTimeout(timer);
    }
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

  /** Finds a phrase in the texts that the user may see. */
  async search(phrase: string, signal: AbortSignal): Promise<TextHits> {
    const path = `${FILES}/search?q=${encodeURIComponent(phrase)}`;
    return (await this.#requests.send<TextHits>('GET', path, { signal })).body;
  }

  /** Returns all versions of a document and variant, deleted ones too, the newest first. */
  async history(fileId: string): Promise<readonly VersionInfo[]> {
    return (await this.#requests.send<VersionInfo[]>('GET', `${this.address(fileId)}/history`)).body;
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

  /** Saves the text of a shared draft. */
  saveShared(fileId: string, text: string, draftId: string, etag: string): Promise<SaveAnswer> {
    return this.#save({ file_id: fileId, xml_string: text, shared_draft: draftId }, { 'If-Match': etag });
  }

  /** Starts a shared draft in place of the lock, or joins it. */
  async startShared(fileId: string, lease: number | string | undefined): Promise<void> {
    await this.#requests.send('PUT', `${this.address(fileId)}/shared-draft`, { body: { lease } });
  }

  /** Ends a shared draft. Text that is not saved is discarded. */
  async endShared(fileId: string, draftId: string): Promise<void> {
    await this.#requests.send('DELETE', `${this.address(fileId)}/shared-draft/${draftId}`);
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

  /** Makes a gold standard a normal version again. */
  async demote(fileId: string): Promise<void> {
    await this.#requests.send('DELETE', `${this.address(fileId)}/gold-standard`);
  }

  /** Takes back a deletion, all or none. */
  async restore(fileIds: readonly string[]): Promise<void> {
    await this.#requests.send('POST', `${FILES}/restore`, { body: { files: fileIds } });
  }

  async delete(leases: ReadonlyMap<string, number | string>): Promise<void> {
    const body = { files: [...leases.keys()], leases: Object.fromEntries(leases) };
    await this.#requests.send('POST', `${FILES}/delete`, { body });
  }

  async locks(): Promise<LockList> {
    return (await this.#requests.send<LockList>('GET', `${FILES}/locks`)).body;
  }

  /** Ends a lock of any user. For administrators. */
  async forceRelease(fileId: string): Promise<void> {
    await this.#requests.send('POST', `${this.address(fileId)}/force-release`);
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
