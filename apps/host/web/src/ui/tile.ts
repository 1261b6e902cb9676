import { element, icon } from '@dunlin/kit';
import type { Fact } from '../api/facts';
import type { System } from '../state/systems';

declare const __SYSTEMS__: readonly string[];

/** The card of a system on the landing page. */
export interface Tile {
  readonly element: HTMLElement;
  /** Shows a fact, or none. */
  show(fact: Fact | undefined): void;
}

/** Creates the card of a system. It is a link where the system was built and the user has something in it. */
export function createTile(system: System): Tile {
  const said = element('p', { className: 'card-fact', hidden: true });
  const place = element('div', { className: 'card-place', data: { system: system.name } });
  let address: string | null | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  const build = (to: string | null) => {
    if (to === address) return;
    address = to;
    const isThere = __SYSTEMS__.includes(system.name);
    const content = [
      element('span', { className: 'card-icon' }, icon(system.icon)),
      element('h2', { textContent: system.title }),
      element('p', { className: 'muted', textContent: system.text }),
      said,
    ];
    if (!isThere)
      place.replaceChildren(
        element(
          'div',
          { className: 'card card-coming' },
          ...content,
          element('span', { className: 'badge', textContent: 'Coming' }),
        ),
      );
    else if (to === null) place.replaceChildren(element('div', { className: 'card' }, ...content));
    else place.replaceChildren(element('a', { className: 'card', href: to }, ...content, icon('right')));
  };
  build(system.address);

  return {
    element: place,
    show(fact) {
      clearInterval(timer);
      build(fact?.address === undefined ? system.address : fact.address);
      said.hidden = fact === undefined;
      if (fact?.leftMs === undefined) {
        said.textContent = fact?.text ?? '';
        return;
      }
      const end = performance.now() + fact.leftMs;
      const tick = () => (said.textContent = `${fact.text}: ${clock(end - performance.now())} left`);
      tick();
      timer = setInterval(tick, 1000);
    },
  };
}

/** Formats milliseconds as `1:02:03` or `2:03`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const last = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${last}` : `${minutes}:${last}`;
}
