// Type check and lint of all TypeScript with one program: parsing and checking the sources twice took most of the time.
// Files of .vue and .svelte are type-checked by vue-tsc and svelte-check.
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail([diagnostic]) };
const { options, fileNames, errors } = ts.getParsedCommandLineOfConfigFile('tsconfig.json', {}, host);
const program = ts.createProgram({ rootNames: fileNames, options, configFileParsingDiagnostics: errors });

// The imports of components in these files are known to vue-tsc only.
const isVue = ({ file }) => file?.fileName.includes('/apps/wishlists/web/');
fail(ts.getPreEmitDiagnostics(program).filter((diagnostic) => !isVue(diagnostic)));

const parserOptions = { programs: [program], project: null };
const eslint = new ESLint({
  overrideConfig: { files: ['**/*.{ts,tsx}'], languageOptions: { parserOptions } },
});
const results = await eslint.lintFiles('.');
const formatter = await eslint.loadFormatter('stylish');
process.stdout.write(await formatter.format(results));
if (results.some(({ errorCount, warningCount }) => errorCount + warningCount > 0)) process.exitCode = 1;

function fail(diagnostics) {
  if (diagnostics.length === 0) return;
  const format = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' };
  process.stdout.write(ts.formatDiagnosticsWithColorAndContext(diagnostics, format));
  process.exit(1);
}
