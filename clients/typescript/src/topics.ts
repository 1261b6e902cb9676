/** Whether `wanted` means the topic: by its name, or as a pattern, where `*` is any one segment and a last `**` is one or more. */
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
