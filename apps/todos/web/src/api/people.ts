import type { Requests } from '@dunlin/client';

const PATH = '/api/v1/todos/people';
/** Time limit of a look-up, in milliseconds. After it the user is invited without a check. */
const PATIENCE_MS = 5000;

/** A user who can be invited. */
export interface Person {
  readonly userId: string;
  readonly username: string;
  readonly name: string;
}

/** Finds users to invite. */
export class PeopleApi {
  readonly #requests: Pick<Requests, 'send'>;

  constructor(requests: Pick<Requests, 'send'>) {
    this.#requests = requests;
  }

  /** Loads the other members of the caller's lists. */
  known(): Promise<readonly Person[]> {
    return this.#get(PATH);
  }

  /** Resolves with undefined when there is no user with exactly this name. Rejects when the server cannot tell. */
  async find(username: string): Promise<Person | undefined> {
    return (await this.#get(`${PATH}?username=${encodeURIComponent(username)}`))[0];
  }

  async #get(path: string): Promise<readonly Person[]> {
    const { body } = await this.#requests.send<{ people: readonly Person[] }>('GET', path, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return body.people;
  }
}
