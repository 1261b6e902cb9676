// @vitest-environment happy-dom
import { DunlinError, type Problem } from '@dunlin/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createUnreachableGate } from '../src/gate';
import type { SessionView } from '../src/session';
import { createSignInForm } from '../src/signIn';

const network: Problem = { kind: 'network', code: 'network', title: 'fetch failed' };
const tooMany: Problem = {
  kind: 'busy',
  code: 'too_many_requests',
  title: 'Too many requests.',
  status: 429,
  retryAfterMs: 3000,
};
const failing = (problem: Problem) => () => Promise.reject(new DunlinError(problem));

function session(changes: Partial<SessionView> = {}): SessionView {
  return {
    user: undefined,
    subscribe: () => () => {},
    load: failing(network),
    signIn: failing(network),
    signOut: () => Promise.resolve(),
    demo: () => Promise.resolve(undefined),
    ...changes,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  document.body.replaceChildren();
});

afterEach(() => vi.useRealTimers());

describe('The page of a server out of reach', () => {
  const open = (load: SessionView['load'], problem: Problem = network) => {
    const gate = createUnreachableGate({ session: session({ load }), title: 'Things', problem });
    document.body.append(gate);
    return { gate, button: gate.querySelector('button')!, why: gate.querySelector('[role=status]')! };
  };

  test('names the latest failure and sends one request at a time', async () => {
    const load = vi.fn(failing({ kind: 'busy', code: 'unavailable', title: 'The store is down.' }));
    const { button, why } = open(load);
    expect(why.textContent).toMatch(/does not answer/);
    button.focus();
    button.click();
    button.click();
    expect(load).toHaveBeenCalledOnce();
    await vi.runAllTimersAsync();
    expect(why.textContent).toMatch(/The store is down/);
    expect(document.activeElement).toBe(button);
    button.click();
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('says that the device has no network', () => {
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    expect(open(failing(network)).why.textContent).toMatch(/no network/);
    vi.restoreAllMocks();
  });
});

describe('The sign-in form', () => {
  const open = (signIn: SessionView['signIn']) => {
    const form = createSignInForm(session({ signIn }));
    document.body.append(form);
    const field = (name: string) => form.querySelector<HTMLInputElement>(`[name=${name}]`)!;
    field('username').value = 'alice';
    field('password').value = 'not-it';
    const button = form.querySelector<HTMLButtonElement>('[type=submit]')!;
    const submit = async () => {
      form.querySelector('form')!.dispatchEvent(new Event('submit', { cancelable: true }));
      await vi.advanceTimersByTimeAsync(0);
    };
    return { form, field, button, submit, alert: form.querySelector<HTMLElement>('[role=alert]')! };
  };

  test('counts down after too many attempts and keeps input and focus', async () => {
    const signIn = vi.fn(failing(tooMany));
    const { field, button, submit, alert } = open(signIn);
    button.focus();
    await submit();
    expect([button.textContent, alert.hidden]).toEqual(['Try again in 3 s', false]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(button.textContent).toBe('Try again in 2 s');
    await submit();
    expect(signIn).toHaveBeenCalledOnce();
    expect([field('username').value, field('password').value]).toEqual(['alice', 'not-it']);
    expect(document.activeElement).toBe(button);
    await vi.advanceTimersByTimeAsync(2000);
    expect([button.textContent, button.getAttribute('aria-disabled'), alert.hidden]).toEqual([
      'Sign in',
      'false',
      true,
    ]);
    await submit();
    expect(signIn).toHaveBeenCalledTimes(2);
  });

  test('stops the countdown when the form leaves the document', async () => {
    const { form, submit } = open(failing(tooMany));
    await submit();
    form.remove();
    await vi.advanceTimersByTimeAsync(1000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
