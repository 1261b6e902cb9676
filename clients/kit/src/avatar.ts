import { element } from './dom';

/** Creates an avatar: the user's initials on a colour derived from the name. Decorative, so screen readers skip it. */
export function avatar(name: string): HTMLElement {
  const letters = name
    .split(' ')
    .map((word) => word[0])
    .join('')
    .slice(0, 2);
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
  const made = element('span', {
    className: 'avatar',
    textContent: letters,
    attributes: { 'aria-hidden': 'true' },
  });
  made.style.setProperty('--hue', String(hue));
  return made;
}
