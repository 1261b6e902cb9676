import { iconPaths, type IconName as KitIconName } from '@dunlin/kit';

/** Outlines of this page alone, on the grid of the kit: 24 x 24. */
const ownPaths = {
  open: 'M14 4h6v6M20 4l-7 7M10 4H4v16h16v-6',
  filter: 'M4 5h16M7 12h10M10 19h4',
  columns: 'M4 5h16v14H4zM9.500 5v14M14.500 5v14',
  more: 'M5 11a1 1 0 1 0 0 2a1 1 0 0 0 0-2M12 11a1 1 0 1 0 0 2a1 1 0 0 0 0-2M19 11a1 1 0 1 0 0 2a1 1 0 0 0 0-2',
} as const;

const paths = { ...iconPaths, ...ownPaths };

export type IconName = KitIconName | keyof typeof ownPaths;

/** Decorative. The text beside it, or the label of its button, carries the meaning. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg viewBox="0 0 24 24" className="icon" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
