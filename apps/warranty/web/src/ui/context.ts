import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import type { BranchStore } from '../state/branchStore';
import type { WarrantyState, WarrantyStore } from '../state/state';

export interface BranchContextValue {
  readonly store: BranchStore;
  readonly state: WarrantyStore;
}

export const BranchContext = createContext<BranchContextValue | undefined>(undefined);

export function useContextValue(): BranchContextValue {
  const value = useContext(BranchContext);
  if (!value) throw new Error('Components of this page stand inside BranchContext.');
  return value;
}

export function useBranchStore(): BranchStore {
  return useContextValue().store;
}

/** Returns what `select` takes from the state of the page. Renders again when that value changes. */
export function useWarranty<Selected>(select: (state: WarrantyState) => Selected): Selected {
  return useStore(useContextValue().state, select);
}
