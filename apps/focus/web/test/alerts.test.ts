// @vitest-environment happy-dom
import type { Locks } from '@dunlin/client';
import { beforeEach, describe, expect, test } from 'vitest';
import { settle } from '../../../../clients/typescript/test/support/clock';
import { FakeEnvironment } from '../../../../clients/typescript/test/support/fakeEnvironment';
import type { AlertOutputs } from '../src/api/alerts';
import { Alerts } from '../src/state/alerts.svelte';

const end = (key: string) => ({ key, title: 'Time for a break', text: 'Focus 1 is over.' });

/** Grants each lock to one holder after the other. */
function fakeLocks(): Locks {
  let last = Promise.resolve();
  return { request: (_, __, whileHeld) => (last = last.then(whileHeld)) };
}

let output: string[];
let isAllowed: boolean;
let locks: Locks;

function tab(name: string, user = 'alice'): Alerts {
  const environment = new FakeEnvironment();
  environment.locks = locks;
  const outputs: AlertOutputs = {
    canNotify: true,
    allowNotifications: async () => (output.push(`${name} asks`), isAllowed),
    areNotificationsAllowed: () => isAllowed,
    notify: async (title) => void output.push(`${name} notifies ${title}`),
    allowSound: () => {},
    onGesture: () => {},
    onStored: () => {},
    playSound: () => void output.push(`${name} rings`),
    close: () => {},
  };
  const alerts = new Alerts({ environment, storage: localStorage, user, outputs });
  alerts.start();
  return alerts;
}

beforeEach(() => {
  localStorage.clear();
  [output, isAllowed, locks] = [[], true, fakeLocks()];
});

describe('Alerts at the end of a phase', () => {
  test('are off, and ask for permission only when the user turns them on', async () => {
    const alerts = tab('one');
    await settle();
    alerts.report(end('a'));
    expect(output).toEqual([]);
    await alerts.setNotification(true);
    expect(output).toEqual(['one asks']);
    alerts.report(end('b'));
    expect(output).toEqual(['one asks', 'one notifies Time for a break']);
  });

  test('stay off where the browser refuses, and say so', async () => {
    isAllowed = false;
    const alerts = tab('one');
    await alerts.setNotification(true);
    expect([alerts.settings.notification, alerts.isBlocked]).toEqual([false, true]);
    await alerts.setNotification(false);
    expect([alerts.isBlocked, output]).toEqual([false, ['one asks']]);
  });

  test('come from one tab, once for each end, and from the next when it closes', async () => {
    const one = tab('one');
    one.setSound(true);
    output = [];
    const two = tab('two');
    await settle();
    for (const each of [one, two, one]) each.report(end('a'));
    expect(output).toEqual(['one rings']);
    one.dispose();
    await settle();
    for (const each of [one, two]) each.report(end('b'));
    expect(output).toEqual(['one rings', 'two rings']);
  });

  test('belong to their user', () => {
    tab('one').setSound(true);
    expect(tab('two').settings.sound).toBe(true);
    expect(tab('three', 'bob').settings.sound).toBe(false);
  });
});
