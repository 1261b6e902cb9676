/** Number of the colours `--person-1` to `--person-8` of the style sheet. */
const COLOURS = 8;

export interface Person {
  readonly name: string;
  readonly color: string;
  readonly colorLight: string;
}

/** Returns the name and colours of a user. The colour depends on the name alone, so all pages show the same one. */
export function personOf(name: string): Person {
  const sum = [...name].reduce((total, letter) => (total * 31 + letter.codePointAt(0)!) % 9973, 7);
  const color = `var(--person-${1 + (sum % COLOURS)})`;
  return { name, color, colorLight: `color-mix(in srgb, ${color} 24%, transparent)` };
}
