export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export function isStream(response: Response): boolean {
  const type = response.headers.get('Content-Type') ?? '';
  return response.ok && type.toLowerCase().startsWith('text/event-stream');
}
