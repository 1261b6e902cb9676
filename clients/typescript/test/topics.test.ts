import { expect, test } from 'vitest';
import { meansTopic } from '../src/topics';

// The same table as in the server's TopicPatternTests.
test.each([
  ['a/b', 'a/b', true],
  ['a/b', 'a/bc', false],
  ['a/b', 'A/b', false],
  ['a/*', 'a/b', true],
  ['a/*', 'a/b/c', false],
  ['a/*', 'a', false],
  ['*/b', 'a/b', true],
  ['*', 'a', true],
  ['*', 'a/b', false],
  ['**', 'a', true],
  ['**', 'a/b/c', true],
  ['a/**', 'a/b', true],
  ['a/**', 'a/b/c', true],
  ['a/**', 'a', false],
  ['a/**', 'ab/c', false],
  ['a/*/**', 'a/b', false],
  ['a/*/**', 'a/b/c', true],
  ['a/%2F', 'a/%2F', true],
  ['a/%2F', 'a/%2f', false],
  ['users/1/*', 'users/10/x', false],
])('%s means %s: %s', (wanted, topic, means) => {
  expect(meansTopic(wanted, topic)).toBe(means);
});
