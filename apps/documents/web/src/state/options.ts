import type { Client, Leases } from '@dunlin/client';
import type { DocumentsApi } from '../api/documents';
import type { Drafts } from './drafts';
import type { Library } from './library';
import type { TextPane } from './openFile';
import type { Tabs } from './tabs';
import type { Notice } from './words';

/** The dependencies of the workspace. */
export interface WorkspaceOptions {
  readonly api: DocumentsApi;
  readonly leases: Leases;
  readonly library: Library;
  readonly drafts: Drafts;
  readonly tabs: Tabs;
  readonly pane: TextPane;
  /** Shows a notice. Returns a function that removes it. */
  readonly notify: (notice: Notice) => () => void;
  /** The user's name at the cursor, and the client for shared drafts; without it there are none. */
  readonly userName?: string | undefined;
  readonly client?: Client | undefined;
  readonly now?: (() => number) | undefined;
}
