import { createContext, useContext } from 'react';

export interface GridActions {
  /** Moves the focus from an ended edit: 0 to its cell, 1 or -1 to the next or previous one. */
  readonly leave: (step: 0 | 1 | -1) => void;
}

export const GridContext = createContext<GridActions>({ leave: () => {} });

export function useGrid(): GridActions {
  return useContext(GridContext);
}
