import { iconPaths, type IconName } from '@dunlin/kit';

/** Icons of this page alone. */
const ownPaths = {
  calendar: 'M4 6h16v14H4zM4 10h16M8 3v4M16 3v4',
  grip: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
} as const;

/** Decorative. The text beside it, or the label of its button, carries the meaning. */
export function Icon({ name }: { readonly name: IconName | keyof typeof ownPaths }) {
  return (
    <svg viewBox="0 0 24 24" className="icon" aria-hidden="true">
      <path d={name in ownPaths ? ownPaths[name as keyof typeof ownPaths] : iconPaths[name as IconName]} />
    </svg>
  );
}
