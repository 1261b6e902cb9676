import { problemOf } from '@dunlin/client';
import { element } from '@dunlin/kit';
import type { TextHit, TextHits, TextMatch } from '../api/types';
import { problemWords } from '../state/words';

/** Milliseconds between the last keystroke and the request. */
const TYPING_MS = 300;
/** The shortest phrase that the server searches. */
const LEAST = 2;

export interface TextSearchOptions {
  readonly search: (phrase: string, signal: AbortSignal) => Promise<TextHits>;
  readonly onOpen: (fileId: string, match: TextMatch) => void;
}

/** The matches of the search in the texts, below the list of documents. */
export class TextSearch {
  readonly element = element('section', {
    className: 'hits',
    hidden: true,
    attributes: { 'aria-label': 'In the texts' },
  });
  readonly #options: TextSearchOptions;
  readonly #state = element('p', { className: 'muted hits-state', attributes: { role: 'status' } });
  readonly #list = element('div');
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;

  constructor(options: TextSearchOptions) {
    this.#options = options;
    this.element.append(
      element('h2', { className: 'group-title', textContent: 'In the texts' }),
      this.#state,
      this.#list,
    );
  }

  /** Searches after the user stopped typing. A shorter phrase than two characters shows nothing. */
  show(text: string): void {
    this.stop();
    const phrase = text.trim();
    this.element.hidden = phrase.length < LEAST;
    this.#list.replaceChildren();
    if (this.element.hidden) return;
    this.#state.textContent = 'Searching…';
    this.#timer = setTimeout(() => void this.#run(phrase), TYPING_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
  }

  async #run(phrase: string): Promise<void> {
    const running = (this.#running = new AbortController());
    try {
      const { hits, is_cut: isCut } = await this.#options.search(phrase, running.signal);
      if (running.signal.aborted) return;
      this.#state.textContent = wordsOf(hits, isCut);
      this.#list.replaceChildren(...hits.map((hit) => this.#hit(hit)));
    } catch (error) {
      if (running.signal.aborted) return;
      this.#state.textContent = problemWords(problemOf(error), 'The texts were not searched') ?? '';
    }
  }

  #hit(hit: TextHit): HTMLElement {
    const more = hit.lines - hit.matches.length;
    const gold = hit.is_gold ? ', gold standard' : '';
    return element(
      'div',
      { className: 'hit', data: { hit: hit.file_id } },
      element('h3', { textContent: `${hit.title}, version ${hit.version}${gold}` }),
      ...hit.matches.map((match) => this.#match(hit, match)),
      more > 0 &&
        element('p', { className: 'muted', textContent: more === 1 ? '1 more line' : `${more} more lines` }),
    );
  }

  #match({ file_id: fileId }: TextHit, match: TextMatch): HTMLElement {
    return element(
      'button',
      { type: 'button', className: 'match', onclick: () => this.#options.onOpen(fileId, match) },
      element('span', { className: 'match-line', textContent: `Line ${match.line}` }),
      element(
        'span',
        { className: 'match-text' },
        match.before,
        element('mark', { textContent: match.match }),
        match.after,
      ),
    );
  }
}

function wordsOf({ length }: readonly TextHit[], isCut: boolean): string {
  if (length === 0) return 'No text matches.';
  const count = length === 1 ? '1 version matches.' : `${length} versions match.`;
  return isCut ? `More than ${count} Type more to narrow the search.` : count;
}
