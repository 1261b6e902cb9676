// Draws the results of bench/growth as SVG: logarithmic axes, both stores in one picture.
//   node bench/growth/plot.mjs [FILE.json [FOLDER]]     default: bench/growth/results.json, docs/images
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [file = 'results.json', folder = '../../docs/images'] = process.argv.slice(2);
const beside = (path) => (process.argv.length > 2 ? path : fileURLToPath(new URL(path, import.meta.url)));
const results = JSON.parse(readFileSync(beside(file), 'utf8'));

const plots = {
  journal: ['events in the journal', 'ms', 1_000],
  records: ['records of the space', 'ms', 1_000],
  topics: ['topics, each with a reader', 'us', 1],
  connections: ['open connections', 'us', 1],
  bytes: ['bytes of an event', 'us', 1],
  nodes: ['nodes with 64 publishers each', 'us', 1],
};
// Distinct on white and on dark grey.
const colours = [
  '#3b82f6',
  '#f97316',
  '#22a06b',
  '#d946ef',
  '#b58900',
  '#ef4444',
  '#0ea5b7',
  '#8b5cf6',
  '#84a014',
  '#f472b6',
  '#78716c',
  '#0f766e',
  '#a16207',
];
const [width, left, right, top, height] = [980, 100, 400, 24, 340];

for (const [section, [axis, unit, divisor]] of Object.entries(plots)) {
  const rows = results.filter((row) => row.section === section && row.unit === 'us');
  if (rows.length > 0)
    writeFileSync(`${beside(folder)}/growth-${section}.svg`, draw(rows, axis, unit, divisor));
}

function draw(rows, axis, unit, divisor) {
  // The CPU of the program and the database: other work on the machine changes wall times much more.
  const value = (row) => Math.max((row.cpu + Math.max(row.databaseCpu, 0)) / divisor, 1e-3);
  const sizes = [...new Set(rows.map((row) => row.size))].sort((a, b) => a - b);
  const [fromX, toX] = [Math.log10(sizes[0]), Math.log10(sizes.at(-1))];
  const [fromY, toY] = [
    Math.floor(Math.log10(Math.min(...rows.map(value)))),
    Math.ceil(Math.log10(Math.max(...rows.map(value)))),
  ];
  const x = (size) => left + ((Math.log10(size) - fromX) / (toX - fromX || 1)) * (width - left - right);
  const y = (at) => top + height - ((Math.log10(at) - fromY) / (toY - fromY || 1)) * height;
  const parts = [];
  for (let power = fromY; power <= toY; power++) {
    parts.push(
      line('grid', left, y(10 ** power), width - right, y(10 ** power)),
      text(left - 8, y(10 ** power) + 4, label(10 ** power), 'end'),
    );
  }
  for (const size of sizes)
    parts.push(
      line('grid', x(size), top, x(size), top + height),
      text(x(size), top + height + 18, label(size), 'middle'),
    );
  const operations = [...new Set(rows.map((row) => row.operation))];
  operations.forEach((operation, index) => {
    const colour = colours[index % colours.length];
    for (const store of ['sqlite', 'postgres']) {
      const points = rows
        .filter((row) => row.operation === operation && row.store === store)
        .sort((a, b) => a.size - b.size);
      if (points.length === 0) continue;
      const path = points.map((row) => `${x(row.size).toFixed(1)},${y(value(row)).toFixed(1)}`).join(' ');
      parts.push(
        `<polyline points="${path}" stroke="${colour}"${store === 'postgres' ? ' stroke-dasharray="6 4"' : ''}/>`,
      );
      for (const row of points)
        parts.push(
          `<circle cx="${x(row.size).toFixed(1)}" cy="${y(value(row)).toFixed(1)}" r="3" fill="${colour}"/>`,
        );
    }
    const at = top + 10 + index * 20;
    parts.push(
      `<line x1="${width - right + 16}" y1="${at}" x2="${width - right + 36}" y2="${at}" stroke="${colour}" stroke-width="3"/>`,
    );
    parts.push(text(width - right + 42, at + 4, operation, 'start'));
  });
  const at = top + 20 + operations.length * 20;
  parts.push(text(width - right + 16, at + 4, 'solid: SQLite, dashed: PostgreSQL', 'start'));
  parts.push(text(left + (width - left - right) / 2, top + height + 40, axis, 'middle'));
  parts.push(
    `<text transform="translate(14 ${top + height / 2}) rotate(-90)" text-anchor="middle">${unit} of CPU for one operation</text>`,
  );
  const total = Math.max(top + height + 52, at + 16);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" font-family="sans-serif" font-size="12">
<style>text{fill:#333}.grid{stroke:#8884}polyline{fill:none;stroke-width:2}@media (prefers-color-scheme:dark){text{fill:#ddd}}</style>
${parts.join('\n')}
</svg>
`;
}

function line(name, x1, y1, x2, y2) {
  return `<line class="${name}" x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}"/>`;
}

function text(x, y, content, anchor) {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${content.replace('<', '&lt;')}</text>`;
}

function label(number) {
  return number >= 1 ? number.toLocaleString('en') : String(number);
}
