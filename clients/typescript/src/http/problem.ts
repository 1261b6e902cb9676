/** Why a held lease is no longer held; `unknown` when the server cannot say. */
export type LeaseLostReason = 'expired' | 'taken' | 'handedOff' | 'released' | 'unknown';

interface ProblemBase {
  /** Stable code of the server, such as `lease_held`; equal to `kind` for problems that the client found itself. */
  readonly code: string;
  readonly title: string;
  readonly status?: number | undefined;
  readonly hint?: string | undefined;
  /** Address of the section about the code in the error reference, from `type` of the problem document. */
  readonly link?: string | undefined;
  /** The whole problem document, for fields that only the application knows. */
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Everything that can go wrong with a request or a stream. Closed: a `switch` over `kind` is complete. Plain data,
 * so that it can be sent to other tabs.
 */
export type Problem =
  | (ProblemBase & { readonly kind: 'network' })
  | (ProblemBase & { readonly kind: 'aborted' })
  | (ProblemBase & { readonly kind: 'busy'; readonly retryAfterMs?: number | undefined })
  /** The server lost its store during the commit (`outcome_unknown`): the request may have been carried out. */
  | (ProblemBase & { readonly kind: 'outcomeUnknown'; readonly retryAfterMs?: number | undefined })
  | (ProblemBase & { readonly kind: 'signedOut' })
  | (ProblemBase & { readonly kind: 'forbidden'; readonly topic?: string | undefined })
  | (ProblemBase & { readonly kind: 'notFound' })
  | (ProblemBase & { readonly kind: 'invalid'; readonly field?: string | undefined })
  | (ProblemBase & { readonly kind: 'held'; readonly holder?: unknown })
  | (ProblemBase & { readonly kind: 'lost'; readonly reason: LeaseLostReason; readonly holder?: unknown })
  | (ProblemBase & { readonly kind: 'conflict' })
  | (ProblemBase & { readonly kind: 'unexpected' });

export type ProblemKind = Problem['kind'];

/** The error that every call of this package rejects with. Its message, for the console, has the code and the link. */
export class DunlinError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(messageOf(problem), options);
    this.name = 'DunlinError';
    this.problem = problem;
  }

  get kind(): ProblemKind {
    return this.problem.kind;
  }
}

function messageOf({ code, title, detail, link }: Problem): string {
  const text = detail?.['detail'];
  return `${code}: ${typeof text === 'string' ? text : title}${see(link)}`;
}

export const see = (link: string | undefined) => (link ? ` See ${link}` : '');

/**
 * Whether the same request may succeed later: the outcome is unknown or the server asked to come back. Repeat it with its
 * idempotency key or id: it may have been carried out.
 */
export function isTemporary(problem: Problem): boolean {
  return problem.kind === 'network' || problem.kind === 'busy' || problem.kind === 'outcomeUnknown';
}

const NETWORK_WORDS = /fetch|network|load failed|terminated|connection|internet/i;

/** The problem behind anything that was thrown while a request was made. */
export function problemOf(error: unknown): Problem {
  if (error instanceof DunlinError) return error.problem;
  const title = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === 'AbortError')
    return { kind: 'aborted', code: 'aborted', title };
  // fetch rejects with a TypeError for everything that is the network's fault; so do mistakes in code, which must
  // not be retried for ever.
  if (error instanceof TypeError && NETWORK_WORDS.test(title))
    return { kind: 'network', code: 'network', title };
  return { kind: 'unexpected', code: 'unexpected', title };
}
