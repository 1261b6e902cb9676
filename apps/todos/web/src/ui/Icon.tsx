import { iconPaths, type IconName } from '@dunlin/kit';

/** Decoration only: the words beside it, or the label of its button, say what it means. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg viewBox="0 0 24 24" className="icon" aria-hidden="true">
      <path d={iconPaths[name]} />
    </svg>
  );
}
