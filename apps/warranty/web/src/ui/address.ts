/** Returns the branch id in `/branch/{id}`, or 0, which is no branch id, for other addresses. */
export function branchOfAddress(path = location.pathname): number {
  return Number(/^\/branch\/([0-9]{1,15})\/?$/.exec(path)?.[1] ?? 0);
}

export function branchAddress(branchId: number): string {
  return `/branch/${branchId}`;
}

/** Goes to another branch without reloading the page. */
export function goToBranch(branchId: number): void {
  history.pushState(undefined, '', branchAddress(branchId));
  dispatchEvent(new PopStateEvent('popstate'));
}

export function followAddress(open: (branchId: number) => void): () => void {
  const follow = () => open(branchOfAddress());
  addEventListener('popstate', follow);
  return () => removeEventListener('popstate', follow);
}
