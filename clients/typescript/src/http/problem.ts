/** Why a lease is no longer held. `unknown`: the server cannot tell. */
export type LeaseLostReason = 'expired' | 'taken' | 'handedOff' | 'released' | 'unknown';

interface ProblemBase {
  /** Stable error code of the server, such as `lease_held`. Equal to `kind` for problems that the client detected. */
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
 * All failures of a request or a stream. The union is closed, so a `switch` over `kind` is exhaustive. Plain data, so that tabs can send it
 * to each other.
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

/** The error with which every promise of this package rejects. */
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
 * Whether the same request may succeed later: the outcome is unknown, or the server asked to retry. The request may have been carried out,
 * so repeat it with its idempotency key or id.
 */
export function isTemporary(problem: Problem): boolean {
  return problem.kind === 'network' || problem.kind === 'busy' || problem.kind === 'outcomeUnknown';
}

const NETWORK_WORDS = /fetch|network|load failed|terminated|connection|internet/i;

/** Returns the problem behind an error that a request threw. */
export function problemOf(error: unknown): Problem {
  if (error instanceof DunlinError) return error.problem;
  const title = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === 'AbortError')
    return { kind: 'aborted', code: 'aborted', title };
  // fetch rejects with a TypeError for network errors. Programming errors are TypeErrors too and must not be retried for ever.
  if (error instanceof TypeError && NETWORK_WORDS.test(title))
    return { kind: 'network', code: 'network', title };
  return { kind: 'unexpected', code: 'unexpected', title };
}
