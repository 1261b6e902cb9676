// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settle } from '../../../../clients/typescript/test/support/clock';
import { FakeEnvironment } from '../../../../clients/typescript/test/support/fakeEnvironment';
import { FakeStreams, json } from '../../../../clients/typescript/test/support/fakeServer';
import type { Timer } from '../src/api/focus';
import { Focus } from '../src/state/focus.svelte';
import { ANSWER_MS, RETRY_MS } from '../src/state/loader';

const NOW = '2026-03-01T10:00:00Z';
const timer: Timer = {
  id: 't',
  version: 3,
  status: 'running',
  mode: 'normal',
  taskId: null,
  taskTitle: 'Write',
  deviceId: 'other',
  deviceName: 'Phone',
  startedAt: NOW,
  plannedEndTime: null,
  pomodoroState: null,
  remainingMs: 0,
  focusedMs: 0,
  pauses: 0,
  asOf: NOW,
};
const answerOf = (found: Timer | null, version: number) =>
  json(200, { timer: found, version, serverNow: NOW, session: null });
const problem = (status: number, code: string, detail: string) =>
  json(status, { type: code, code, title: code, status, detail });

let environment: FakeEnvironment;
let streams: FakeStreams;
let answers: Record<string, () => Response | Promise<Response>>;
let users: (string | null)[];
let notices: string[];
let signedOut: number;
let focus: Focus;

beforeEach(() => {
  environment = new FakeEnvironment();
  streams = new FakeStreams();
  [notices, signedOut, users] = [[], 0, []];
  answers = {
    '/api/timer': () => answerOf(timer, 3),
    '/api/tasks': () => json(200, { items: [] }),
    '/api/calendar/events': () => json(200, { items: [] }),
    '/api/timer/settings': () =>
      json(200, {
        focusMinutes: 25,
        breakMinutes: 5,
        longBreakMinutes: 15,
        longBreakEvery: 0,
        version: 0,
      }),
    '/api/timer/sessions': () => json(200, []),
    '/api/devices': () =>
      json(200, [{ deviceId: 'other', name: 'Phone', isConnected: true, isCurrent: false }]),
  };
  environment.fetchWith = async (address, init) => {
    const { pathname } = new URL(address, 'http://server.test');
    users.push(new Headers(init.headers).get('Dunlin-User'));
    if (pathname === '/api/sse') return streams.fetch(address, init);
    return answers[pathname]?.() ?? json(404, {});
  };
  focus = new Focus({
    user: 'bob',
    environment,
    refresh: () => Promise.resolve(false),
    notify: (text) => void notices.push(text),
    onSignedOut: () => signedOut++,
  });
});

afterEach(() => focus.dispose());

async function start(): Promise<void> {
  focus.start();
  await settle();
  await settle();
}

test('the page is loaded when timer, tasks, events and devices have arrived', async () => {
  focus.start();
  expect([focus.isLoaded, focus.timer]).toEqual([false, null]);
  await settle();
  await settle();
  expect([focus.isLoaded, focus.timer?.id, focus.devices.length]).toEqual([true, 't', 1]);
  expect(new Set(users)).toEqual(new Set(['bob']));
});

test('a failing server is reported until a retry succeeds', async () => {
  answers['/api/tasks'] = () => problem(500, 'unexpected', 'Something failed.');
  await start();
  expect([focus.isLoaded, focus.problem !== undefined]).toEqual([false, true]);
  answers['/api/tasks'] = () => json(200, { items: [] });
  focus.retry();
  await settle();
  await settle();
  expect([focus.isLoaded, focus.problem]).toEqual([true, undefined]);
});

test('a failing server is asked again by itself', async () => {
  answers['/api/timer'] = () => problem(500, 'unexpected', 'Something failed.');
  await start();
  expect([focus.isLoaded, focus.loadingText]).toEqual([false, 'Not loaded']);
  answers['/api/timer'] = () => answerOf(timer, 3);
  await environment.clock.advance(RETRY_MS);
  await settle();
  await settle();
  expect([focus.isLoaded, focus.problem, focus.loadingText]).toEqual([true, undefined, undefined]);
});

test('a server that hangs is reported, and its late answer is dropped', async () => {
  let answer = (_: Response) => {};
  answers['/api/tasks'] = () => new Promise<Response>((resolve) => (answer = resolve));
  await start();
  expect([focus.problem, focus.loadingText]).toEqual([undefined, 'Loading …']);
  await environment.clock.advance(ANSWER_MS);
  await settle();
  expect([focus.problem?.code, focus.isLoaded]).toEqual(['timeout', false]);
  answer(json(200, { items: [] }));
  await settle();
  expect(focus.isLoaded).toBe(false);
  answers['/api/tasks'] = () => json(200, { items: [] });
  focus.retry();
  await settle();
  await settle();
  expect([focus.isLoaded, focus.problem]).toEqual([true, undefined]);
});

test('a network outage is reported, and loaded content stays', async () => {
  answers['/api/timer'] = () => Promise.reject(new TypeError('fetch failed'));
  await start();
  expect(focus.problem?.kind).toBe('network');
  answers['/api/timer'] = () => answerOf(timer, 3);
  focus.retry();
  await settle();
  await settle();
  answers['/api/timer'] = () => Promise.reject(new TypeError('fetch failed'));
  focus.signedIn();
  await settle();
  expect([focus.problem, focus.timer?.id]).toEqual([undefined, 't']);
});

test('phase lengths of another device replace older ones only', async () => {
  await start();
  const lengths = { focusMinutes: 50, breakMinutes: 10, longBreakMinutes: 30, longBreakEvery: 4 };
  focus.lengths.take({ ...lengths, version: 7 });
  focus.lengths.take({ ...lengths, focusMinutes: 20, version: 6 });
  expect(focus.lengths.current).toEqual({ ...lengths, version: 7 });
});

test('a session of another user closes the page without a notice', async () => {
  await start();
  answers['/api/timer/pause'] = () => problem(409, 'user_changed', 'Another user is signed in.');
  streams.last.control(undefined, 'goodbye', { reason: 'signedOut' });
  await settle();
  await focus.command('pause');
  expect(signedOut).toBeGreaterThan(0);
  expect(notices).toEqual([]);
});

test.each([
  ['the server cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
  ['Something failed.', () => Promise.resolve(problem(500, 'unexpected', 'Something failed.'))],
])('A command that fails because %s changes nothing and says so', async (words, answer) => {
  await start();
  answers['/api/timer/pause'] = answer;
  await focus.command('pause');
  expect([focus.timer?.status, focus.isBusy]).toEqual(['running', false]);
  expect(notices).toEqual([`The timer did not change: ${words}`]);
});

test('an answer older than the displayed state is dropped', async () => {
  await start();
  answers['/api/timer/pause'] = () => answerOf({ ...timer, status: 'paused', version: 2 }, 2);
  await focus.command('pause');
  expect(focus.timer).toMatchObject({ status: 'running', version: 3 });
});
