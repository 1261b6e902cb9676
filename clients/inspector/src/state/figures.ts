import type { ClusterSample, NodeSample } from '../api/types';

const sum = (nodes: readonly NodeSample[], of: (node: NodeSample) => number) =>
  nodes.reduce((total, node) => total + of(node), 0);
const most = (nodes: readonly NodeSample[], of: (node: NodeSample) => number | undefined) =>
  nodes.reduce<number | null>((found, node) => {
    const value = of(node);
    return value === undefined ? found : Math.max(found ?? value, value);
  }, null);

/**
 * One figure of all nodes. Streams, deliveries and processors add up. Each node measures every committed event and the whole journal, so of
 * those the largest counts.
 */
export const figures = {
  connections: (s: ClusterSample) => sum(s.nodes, (n) => n.connections),
  behind: (s: ClusterSample) => sum(s.nodes, (n) => n.behind),
  delivered: (s: ClusterSample) => sum(s.nodes, (n) => n.delivered),
  caughtUp: (s: ClusterSample) => sum(s.nodes, (n) => n.caughtUp),
  overflowed: (s: ClusterSample) => sum(s.nodes, (n) => n.overflowed),
  events: (s: ClusterSample) => most(s.nodes, (n) => n.events),
  bytes: (s: ClusterSample) => most(s.nodes, (n) => n.bytes),
  p50: (s: ClusterSample) => most(s.nodes, (n) => n.p50),
  p99: (s: ClusterSample) => most(s.nodes, (n) => n.p99),
  deliveryLag: (s: ClusterSample) => most(s.nodes, (n) => n.deliveryLag),
  queue: (s: ClusterSample) => sum(s.nodes, (n) => n.queue),
  kept: (s: ClusterSample) => most(s.nodes, (n) => n.kept),
  storedBytes: (s: ClusterSample) => most(s.nodes, (n) => n.storedBytes),
  head: (s: ClusterSample) => most(s.nodes, (n) => n.head),
  cpu: (s: ClusterSample) => sum(s.nodes, (n) => n.cpu),
  memory: (s: ClusterSample) => sum(s.nodes, (n) => n.memory),
} as const;

export type Figure = keyof typeof figures;
