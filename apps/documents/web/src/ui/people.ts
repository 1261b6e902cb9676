import { avatar, element } from '@dunlin/kit';
import { personOf } from '../state/person';

/** The users who edit the shared draft. Arrivals and departures are announced to screen readers. */
export class People {
  readonly element = element('div', { className: 'people', hidden: true });
  readonly #list = element('ul', { attributes: { 'aria-label': 'Editing together' } });
  readonly #news = element('span', { className: 'visually-hidden', attributes: { role: 'status' } });
  readonly #userName: string;
  #shown: readonly string[] = [];

  constructor(userName: string) {
    this.#userName = userName;
    this.element.append(this.#list, this.#news);
  }

  /** Shows the names. `undefined`: the file has no shared draft. */
  show(people: readonly string[] | undefined): void {
    this.element.hidden = people === undefined || people.length === 0;
    const now = people ?? [];
    if (now.join('\n') === this.#shown.join('\n')) return;
    const others = (names: readonly string[], without: readonly string[]) =>
      names.filter((name) => name !== this.#userName && !without.includes(name));
    const came = others(now, this.#shown).map((name) => `${name} edits this document`);
    const left = others(this.#shown, now).map((name) => `${name} left`);
    if (people !== undefined) this.#news.textContent = [...came, ...left].join('. ');
    this.#shown = now;
    this.#list.replaceChildren(
      ...now.map((name) => {
        const label = name === this.#userName ? `${name} (you)` : name;
        const face = avatar(name);
        // The colour of the cursor in the text.
        face.style.background = personOf(name).color;
        face.style.color = 'var(--person-text)';
        return element(
          'li',
          { title: label },
          face,
          element('span', { className: 'person-name', textContent: label }),
        );
      }),
    );
  }
}
