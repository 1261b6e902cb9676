// Makes a CycloneDX bill of material the same for the same commit: removes its random serial number, and dates it with the commit.
// Usage: node settle-bill.mjs INPUT [OUTPUT]
import { readFileSync, writeFileSync } from 'node:fs';

const [input, output = input] = process.argv.slice(2);
const bill = JSON.parse(readFileSync(input, 'utf8'));
delete bill.serialNumber;
bill.metadata.timestamp = new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1000).toISOString();
writeFileSync(output, `${JSON.stringify(bill, null, 2)}\n`);
