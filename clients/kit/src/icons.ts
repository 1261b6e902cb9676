/** Outlines on a 24 x 24 grid, drawn in the colour of the surrounding text. */
export const iconPaths = {
  document: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  check: 'M4 12.5l5 5L20 6.5',
  list: 'M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01',
  table: 'M3 5h18v14H3zM3 10h18M3 15h18M9 5v14',
  clock: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 7v5l3 2',
  gift: 'M4 11h16v9H4zM3 7h18v4H3zM12 7v13M12 7c-2-4-6-4-6-1.5S9 7 12 7c3 0 6 .5 6-1.5S14 3 12 7',
  cart: 'M3 4h2l2.5 11h10l2-8H6M9 19.5h.01M16 19.5h.01',
  lock: 'M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M15.5 15.5L21 21',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  history: 'M4 12a8 8 0 1 0 2.5-5.800L4 8.5M4 4v4.5h4.5M12 8v4l3 2',
  move: 'M4 8h14l-4-4M20 16H6l4 4',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  up: 'M12 19V5M6 11l6-6l6 6',
  down: 'M12 5v14M6 13l6 6l6-6',
  left: 'M15 5l-7 7l7 7',
  right: 'M9 5l7 7l-7 7',
  more: 'M6 9l6 6l6-6',
  user: 'M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8M4 20c1-4 4-5 8-5s7 1 8 5',
  signOut: 'M14 4h5v16h-5M10 8l-4 4l4 4M6 12h9',
  cloudSynced:
    'M7 18a4.500 4.500 0 0 1-.5-9a6 6 0 0 1 11.500 1.500A3.800 3.800 0 0 1 17.500 18zM9 13.500l2.200 2.200l4-4',
  cloudSyncing:
    'M7 18a4.500 4.500 0 0 1-.5-9a6 6 0 0 1 11.500 1.500A3.800 3.800 0 0 1 17.500 18zM12 15.500v-5M9.500 12.500L12 10l2.500 2.500',
  cloudOffline: 'M7 18a4.500 4.500 0 0 1-.5-9a6 6 0 0 1 11.500 1.500A3.800 3.800 0 0 1 17.500 18zM4 4l16 17',
  cloudError:
    'M7 18a4.500 4.500 0 0 1-.5-9a6 6 0 0 1 11.500 1.500A3.800 3.800 0 0 1 17.500 18zM12 9.500v3.500M12 15.500h.01',
  share: 'M12 15V4M8 7.500L12 3.500l4 4M5 13v7h14v-7',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  link: 'M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.700 5.700l1-1',
  refresh: 'M20 11a8 8 0 0 0-14.500-3.500M4 4v4h4M4 13a8 8 0 0 0 14.500 3.500M20 20v-4h-4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  alert: 'M12 3l10 18H2zM12 10v5M12 18h.01',
  info: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 11v5M12 8h.01',
} as const;

export type IconName = keyof typeof iconPaths;

const SVG = 'http://www.w3.org/2000/svg';

/** Creates a decorative icon. The text beside it, or the label of its button, carries the meaning. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', iconPaths[name]);
  svg.append(path);
  return svg;
}
