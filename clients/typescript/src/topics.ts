/** Whether `wanted` matches the topic: as a name, or as a pattern. `*` matches one segment; a final `**` matches one or more. */
export function meansTopic(wanted: string, topic: string): boolean {
  if (!wanted.includes('*')) return wanted === topic;
  const parts = wanted.split('/');
  const segments = topic.split('/');
  const isOpen = parts.at(-1) === '**';
  if (isOpen ? segments.length < parts.length : segments.length !== parts.length) return false;
  return parts.every(
    (part, at) => part === '*' || part === segments[at] || (isOpen && at === parts.length - 1),
  );
}

/** Whether a subscription to `topics` receives the event. An event or a subscription without topics excludes nothing. */
export function isWanted(
  {
    topic,
    also = [],
  }: { readonly topic?: string | undefined; readonly also?: readonly string[] | undefined },
  topics: readonly string[],
): boolean {
  if (topic === undefined || topics.length === 0) return true;
  return [topic, ...also].some((name) => topics.some((wanted) => meansTopic(wanted, name)));
}
