import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import type { Desk } from '../state/desk';
import type { WarrantyState, WarrantyStore } from '../state/state';

export interface DeskContextValue {
  readonly desk: Desk;
  readonly state: WarrantyStore;
}

export const DeskContext = createContext<DeskContextValue | undefined>(undefined);

export function useContextValue(): DeskContextValue {
  const value = useContext(DeskContext);
  if (!value) throw new Error('Components of this page stand inside DeskContext.');
  return value;
}

export function useDesk(): Desk {
  return useContextValue().desk;
}

/** What `select` takes out of the page's state; renders again when that is another value. */
export function useWarranty<Selected>(select: (state: WarrantyState) => Selected): Selected {
  return useStore(useContextValue().state, select);
}
