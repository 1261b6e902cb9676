const TYPE = 'application/x-dunlin-task';

/** Marks a drag as one of a task. */
export function startTaskDrag(event: DragEvent, id: string, title: string): void {
  const data = event.dataTransfer;
  if (!data) return;
  data.effectAllowed = 'copy';
  data.setData(TYPE, id);
  data.setData('text/plain', title);
}

/** Allows the drop of a task here. The id of the task is not readable before the drop. */
export function acceptsTask(event: DragEvent): boolean {
  if (!event.dataTransfer?.types.includes(TYPE)) return false;
  event.preventDefault();
  event.dataTransfer.dropEffect = 'copy';
  return true;
}

/** Returns the id of a dropped task. */
export function droppedTask(event: DragEvent): string | undefined {
  return event.dataTransfer?.getData(TYPE) || undefined;
}
