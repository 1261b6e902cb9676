import type { IconName } from '@dunlin/kit';

export interface System {
  /** The system's folder below `apps`. */
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly icon: IconName;
  readonly address: string;
}

export const systems: readonly System[] = [
  {
    name: 'documents',
    title: 'Documents',
    text: 'XML files that one person edits at a time. Readers see the lock, and the first of them gets it when it falls free.',
    icon: 'document',
    address: '/documents',
  },
  {
    name: 'todos',
    title: 'Todos',
    text: 'Shared lists of tasks and shopping over Replicache: changed here, there at once, also after time without network.',
    icon: 'check',
    address: '/todos',
  },
  {
    name: 'warranty',
    title: 'Warranty cases',
    text: 'A table of repair cases that a whole branch edits together. Every field has its own lock and saves itself.',
    icon: 'table',
    address: '/branch',
  },
  {
    name: 'focus',
    title: 'Focus',
    text: 'One timer, a calendar and tasks on all your devices. The clock of the server decides, wherever you pressed start.',
    icon: 'clock',
    address: '/focus',
  },
  {
    name: 'wishlists',
    title: 'Wishlists',
    text: 'Lists that work offline with RxDB, filled from a link to a shop, and shared without spoiling the surprise.',
    icon: 'gift',
    address: '/wishlists',
  },
];
