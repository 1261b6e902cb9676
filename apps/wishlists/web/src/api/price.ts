import { limits } from './limits';

// No-break and thin spaces group digits in some languages.
const SPACES = /[\s\u00A0\u2009\u202F'’]/gu;

/** Returns the amount in a typed price such as `39.5`, `1 299,00` or `1.299,50`. Undefined if it is none or not within the limits. */
export function priceOf(text: string): number | undefined {
  const digits = text.replace(SPACES, '');
  const match = /^(\d{1,3}(?:[.,]\d{3})+|\d+)(?:[.,](\d{1,2}))?$/.exec(digits);
  if (!match) return undefined;
  const [, whole, decimals = ''] = match;
  // Two kinds of separators in the whole part would be no number.
  if (whole!.includes('.') && whole!.includes(',')) return undefined;
  const amount = Number(`${whole!.replace(/[.,]/g, '')}.${decimals || '0'}`);
  return amount <= limits.price ? amount : undefined;
}

/** Returns all currencies of the browser with their names, the preferred ones first. */
export function currencies(language: string, preferred: readonly string[]): readonly [string, string][] {
  const names = new Intl.DisplayNames(language, { type: 'currency' });
  const all = new Set([...preferred, ...Intl.supportedValuesOf('currency')]);
  return [...all].map((code) => [code, `${code} · ${names.of(code) ?? code}`]);
}
