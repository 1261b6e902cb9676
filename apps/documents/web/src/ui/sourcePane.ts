import { element, icon } from '@dunlin/kit';
import type { DocumentsApi } from '../api/documents';

/** Narrower pages show either the text or the source. */
const NARROW = matchMedia('(max-width: 860px)');
/** Share of the text in the width of the pane, in percent. */
const SHARE = { initial: 57, least: 25, most: 80, step: 5 } as const;

export interface SourcePaneOptions {
  readonly api: DocumentsApi;
  readonly body: HTMLElement;
  readonly userId: string;
  readonly storage: Pick<Storage, 'getItem' | 'setItem'> | undefined;
  readonly onChange: () => void;
}

/** The source (PDF) of a document: beside its text with a movable separator, or in place of it on narrow pages. */
export class SourcePane {
  readonly element = element('div', { className: 'source-pane', hidden: true });
  readonly separator = element('div', {
    className: 'separator',
    tabIndex: 0,
    hidden: true,
    title: 'Drag, or use the arrow keys',
    attributes: {
      role: 'separator',
      'aria-orientation': 'vertical',
      'aria-label': 'Width of the text',
      'aria-valuemin': String(SHARE.least),
      'aria-valuemax': String(SHARE.most),
    },
  });
  /** The control in the toolbar. */
  readonly tool = element('div', {
    className: 'source-tool',
    hidden: true,
    attributes: { role: 'group', 'aria-label': 'Shown' },
  });
  readonly #options: SourcePaneOptions;
  readonly #frame = element('iframe', { className: 'source', title: 'Source of the document' });
  readonly #link = element(
    'a',
    { className: 'source-link', target: '_blank', rel: 'noopener' },
    icon('document'),
    'Open the PDF in a tab of its own',
  );
  readonly #text = switchButton('Text', 'Show the text');
  readonly #pdf = switchButton('PDF', 'Show the source');
  #isWanted = !NARROW.matches;
  #share: number = SHARE.initial;

  constructor(options: SourcePaneOptions, signal: AbortSignal) {
    this.#options = options;
    this.element.append(this.#link, this.#frame);
    this.tool.append(this.#text, this.#pdf);
    this.#text.onclick = () => this.#want(false);
    this.#pdf.onclick = () => this.#want(NARROW.matches || !this.#isWanted);
    this.#setShare(this.#stored() ?? SHARE.initial);
    this.separator.onkeydown = (event) => this.#pressed(event);
    this.separator.onpointerdown = (event) => this.#drag(event);
    this.separator.ondblclick = () => this.#keep(SHARE.initial);
    NARROW.addEventListener(
      'change',
      () => {
        this.#isWanted = !NARROW.matches;
        options.onChange();
      },
      { signal },
    );
  }

  /** Shows the source of a document, if it has one and the user wants it. */
  show(fileId: string | undefined, isComparing: boolean): void {
    const isShown = fileId !== undefined && this.#isWanted && !isComparing;
    this.tool.hidden = fileId === undefined || isComparing;
    this.#text.hidden = !NARROW.matches;
    this.element.hidden = !isShown;
    this.separator.hidden = !isShown || NARROW.matches;
    this.#options.body.dataset['shown'] = !isShown ? 'text' : NARROW.matches ? 'source' : 'both';
    this.#text.setAttribute('aria-pressed', String(!isShown));
    this.#pdf.setAttribute('aria-pressed', String(isShown));
    const address = isShown ? this.#options.api.frameAddress(fileId) : undefined;
    if (this.#frame.getAttribute('src') === (address ?? null)) return;
    if (address) [this.#frame.src, this.#link.href] = [address, address];
    else this.#frame.removeAttribute('src');
  }

  #want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    this.#options.onChange();
  }

  #pressed(event: KeyboardEvent): void {
    const { least, most, step } = SHARE;
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: this.#share - step,
      ArrowRight: this.#share + step,
      Home: least,
      End: most,
    };
    const share = moves[event.key];
    if (share === undefined) return;
    event.preventDefault();
    this.#keep(share);
  }

  #drag(event: PointerEvent): void {
    const { body } = this.#options;
    const { separator } = this;
    separator.setPointerCapture(event.pointerId);
    // A frame below the pointer would receive its events.
    body.dataset['resizing'] = '';
    separator.onpointermove = ({ clientX }) => {
      const { left, width } = body.getBoundingClientRect();
      this.#setShare(((clientX - left) / width) * 100);
    };
    separator.onlostpointercapture = () => {
      separator.onpointermove = separator.onlostpointercapture = null;
      delete body.dataset['resizing'];
      this.#keep(this.#share);
    };
  }

  #setShare(share: number): void {
    this.#share = Math.round(Math.min(SHARE.most, Math.max(SHARE.least, share)));
    this.#options.body.style.setProperty('--text-share', `${this.#share}%`);
    this.separator.setAttribute('aria-valuenow', String(this.#share));
  }

  #keep(share: number): void {
    this.#setShare(share);
    try {
      this.#options.storage?.setItem(this.#key, String(this.#share));
    } catch {
      // Storage is full: the width lives as long as the page.
    }
  }

  #stored(): number | undefined {
    const share = Number(this.#options.storage?.getItem(this.#key) ?? NaN);
    return Number.isNaN(share) ? undefined : share;
  }

  get #key(): string {
    return `dunlin.documents.split ${this.#options.userId}`;
  }
}

function switchButton(text: string, title: string): HTMLButtonElement {
  return element('button', { type: 'button', className: 'button', textContent: text, title });
}
