/** Values of t for a two-sided confidence of 95 %, by degrees of freedom. */
const T = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13];

/**
 * Fits a line to points by least squares, and returns its slope with a confidence of 95 %.
 *
 * Neighbouring samples resemble each other: the points are averaged in blocks, so that the errors of the blocks are nearly independent.
 * A value is flat if the interval contains zero, or if the whole interval is below 5 % of the median per hour.
 * @param {readonly (readonly [number, number])[]} points pairs of time and value
 */
export function slopeOf(points) {
  const size = Math.max(1, Math.floor(points.length / 12));
  const blocks = [];
  for (let i = 0; i + size <= points.length; i += size) {
    const part = points.slice(i, i + size);
    blocks.push([0, 1].map((axis) => part.reduce((sum, point) => sum + point[axis], 0) / size));
  }
  const n = blocks.length;
  const mean = (axis) => blocks.reduce((sum, point) => sum + point[axis], 0) / n;
  const [x, y] = [mean(0), mean(1)];
  const spread = blocks.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const perUnit = blocks.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
  const errors = blocks.reduce((sum, point) => sum + (point[1] - y - perUnit * (point[0] - x)) ** 2, 0);
  const margin = (T[n - 3] ?? 2.1) * Math.sqrt(errors / (n - 2) / spread);
  const sorted = points.map((point) => point[1]).sort((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)];
  const [low, high] = [perUnit - margin, perUnit + margin];
  const isFlat = (low <= 0 && high >= 0) || Math.max(Math.abs(low), Math.abs(high)) < 0.05 * median;
  return { perUnit, low, high, median, isFlat };
}
