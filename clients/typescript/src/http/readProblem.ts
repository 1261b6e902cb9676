import type { LeaseLostReason, Problem } from './problem.js';

const LOST_REASONS: readonly string[] = ['expired', 'taken', 'handedOff', 'released', 'unknown'];

/** Reads a refusal, whether or not its body is a problem document (RFC 9457). */
export async function readProblem(response: Response): Promise<Problem> {
  const detail = await readDocument(response);
  const { status } = response;
  const text = (name: string) => (typeof detail?.[name] === 'string' ? detail[name] : undefined);
  const base = {
    code: text('code') ?? `http.${status}`,
    title: text('title') ?? text('detail') ?? `The server answered ${status}.`,
    hint: text('hint'),
    link: linkOf(text('type'), response.url),
    status,
    detail,
  };
  if (base.code === 'outcome_unknown') {
    return { kind: 'outcomeUnknown', ...base, retryAfterMs: retryAfterMs(response) };
  }
  // A quota that only a deletion relieves is 429 too. Retrying does not help then.
  const isFinal = text('class') === 'stop';
  if (!isFinal && (status === 408 || status === 425 || status === 429 || status >= 500)) {
    return { kind: 'busy', ...base, retryAfterMs: retryAfterMs(response) };
  }
  switch (status) {
    case 400:
    case 413:
    case 422:
    case 429:
      return { kind: 'invalid', ...base, field: text('field') };
    case 401:
      return { kind: 'signedOut', ...base };
    case 403:
      return { kind: 'forbidden', ...base, topic: text('topic') };
    case 404:
    case 410:
      return { kind: 'notFound', ...base };
    case 409: {
      // Another user signed in: the session of this page's user is over.
      if (base.code === 'user_changed') return { kind: 'signedOut', ...base };
      const reason = text('reason');
      if (reason === undefined || !LOST_REASONS.includes(reason)) return { kind: 'conflict', ...base };
      return { kind: 'lost', ...base, reason: reason as LeaseLostReason, holder: detail?.['holder'] };
    }
    case 412:
      return { kind: 'conflict', ...base };
    case 423:
      return { kind: 'held', ...base, holder: detail?.['holder'] ?? detail?.['owner'] };
    default:
      return { kind: 'unexpected', ...base };
  }
}

/** `type` as an address of the web; a path is relative to the address of the request (RFC 9457, section 3.1.1). */
function linkOf(type = '', base: string): string | undefined {
  try {
    return /^http.+#.+/.exec(new URL(type, base || undefined).href)?.[0];
  } catch {
    return undefined;
  }
}

/** Returns `Retry-After` in milliseconds, from seconds or from a date. */
export function retryAfterMs(response: Response): number | undefined {
  const value = response.headers.get('Retry-After')?.trim();
  if (!value) return undefined;
  if (/^[0-9]+$/.test(value)) return Number(value) * 1000;
  // The date is compared with the server's `Date` header, so the local clock may be wrong.
  const until = Date.parse(value);
  const sent = Date.parse(response.headers.get('Date') ?? '');
  return Number.isNaN(until) || Number.isNaN(sent) ? undefined : Math.max(0, until - sent);
}

async function readDocument(response: Response): Promise<Record<string, unknown> | undefined> {
  try {
    const body: unknown = JSON.parse(await response.text());
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
