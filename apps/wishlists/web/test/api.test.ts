import { DunlinError, type Problem, type Requests } from '@dunlin/client';
import { beforeEach, expect, test } from 'vitest';
import { WishlistsApi } from '../src/api/wishlists';

let sent: [method: string, path: string, options: unknown][];
let answer: () => Promise<unknown>;
let api: WishlistsApi;

const failure = (kind: string, status?: number) =>
  new DunlinError({ kind, status, code: kind, title: kind } as Problem);

beforeEach(() => {
  sent = [];
  answer = () => Promise.resolve({ wishlist_id: 'w', id: 's' });
  api = new WishlistsApi({
    send: async (...call: (typeof sent)[number]) => {
      sent.push(call);
      return { body: await answer() };
    },
  } as unknown as Requests);
});

test('a share without days never expires, and one with days has an expiry', async () => {
  await api.share('w', { role: 'view', showsWishes: false });
  await api.share('w', { role: 'mark', days: 2, showsWishes: true });
  const bodies = sent.map(([, , options]) => (options as { body: { expires_at?: string } }).body);
  expect(bodies[0]).toEqual({ role: 'view', shows_wishes: false });
  expect(bodies[1]).toMatchObject({ role: 'mark', shows_wishes: true });
  const days = (Date.parse(bodies[1]!.expires_at!) - Date.now()) / (24 * 3600_000);
  expect(days).toBeCloseTo(2, 2);
});

test('a preview needs no sign-in, and a token cannot leave its path segment', async () => {
  await api.preview('a/../b');
  expect(sent).toEqual([['GET', '/api/v1/share/a%2F..%2Fb', { anonymous: true }]]);
});

test('joining resolves with the list of the link', async () => {
  expect(await api.join('token')).toBe('w');
});

test.each([
  ['without a network', failure('network')],
  ['of a failing server', failure('unexpected', 500)],
  ['of a link that was revoked', failure('notFound', 404)],
])('The error %s reaches the caller', async (_, error) => {
  answer = () => Promise.reject(error);
  const caught: unknown = await api.join('token').catch((reason: unknown) => reason);
  expect(caught).toBe(error);
});
