import { DunlinError, type Problem } from '@dunlin/client';
import type { SessionView } from '@dunlin/kit/parts';

export const network: Problem = { kind: 'network', code: 'network', title: 'The network failed.' };

export const wrongPassword: Problem = {
  kind: 'signedOut',
  code: 'invalid_credentials',
  title: 'Wrong user name or password.',
  status: 401,
};

export const tooMany: Problem = {
  kind: 'busy',
  code: 'too_many_requests',
  title: 'Too many requests.',
  status: 429,
  retryAfterMs: 90_000,
};

/** A session of a sample user whose every request fails. It reaches neither the server nor the other tabs. */
export function sampleSession(problem: Problem): SessionView {
  const fail = () => Promise.reject(new DunlinError(problem));
  return {
    user: { userId: 'sample', name: 'Alice Archer', roles: ['admin', 'reviewer'] },
    subscribe: () => () => {},
    load: fail,
    signIn: fail,
    signOut: fail,
    demo: () =>
      Promise.resolve({
        password: '',
        accounts: [
          { username: 'alice', fullName: 'Alice Archer', roles: ['admin'] },
          { username: 'bob', fullName: 'Bob Baker', roles: ['user'] },
        ],
      }),
  };
}
