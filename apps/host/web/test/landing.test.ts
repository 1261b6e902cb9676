// @vitest-environment happy-dom
import type { PageSession, User } from '@dunlin/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { show } from '../src/ui/landing';

function open(): HTMLElement {
  const root = document.createElement('div');
  const session = { root, state: { name: 'unknown' }, subscribe: () => () => undefined };
  show(session as unknown as PageSession<User | undefined>);
  return root;
}

const links = (root: HTMLElement) =>
  [...root.querySelectorAll<HTMLAnchorElement>('.hero-text a')].map((link) => new URL(link.href).pathname);

describe('the link to the documentation', () => {
  afterEach(() => document.head.replaceChildren());

  test('is shown where the server names a built site', () => {
    document.head.innerHTML = '<link rel="help" href="http://localhost/docs/" />';
    expect(links(open())).toEqual(['/docs/']);
  });

  test('is left out where the server names none', () => {
    expect(links(open())).toEqual([]);
  });
});
