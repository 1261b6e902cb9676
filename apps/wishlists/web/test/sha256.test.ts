import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../src/state/sha256';

describe('SHA-256 without crypto.subtle', () => {
  // FIPS 180-4 examples, lengths around a block boundary, and non-ASCII text.
  const texts = [
    '',
    'abc',
    'Zürich ёж 🎁',
    ...[55, 56, 63, 64, 65, 119, 120, 1000].map((n) => 'a'.repeat(n)),
  ];
  test.each(texts)('%j', async (text) => {
    expect(await sha256(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
  });
});
