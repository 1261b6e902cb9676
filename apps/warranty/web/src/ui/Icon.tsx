import { iconPaths, type IconName } from '@dunlin/kit';

/** Decorative. The text beside it, or the label of its button, carries the meaning. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg viewBox="0 0 24 24" className="icon" aria-hidden="true">
      <path d={iconPaths[name]} />
    </svg>
  );
}
