import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import vue from 'eslint-plugin-vue';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const any = [
  'no-explicit-any',
  'no-unsafe-argument',
  'no-unsafe-assignment',
  'no-unsafe-call',
  'no-unsafe-member-access',
  'no-unsafe-return',
];
const node = ['process', 'Buffer', 'require', 'global', 'setImmediate'];
const off = (...rules) => Object.fromEntries(rules.map((rule) => [`@typescript-eslint/${rule}`, 'off']));

export default defineConfig(
  globalIgnores(['**/dist/', '**/bin/', '**/obj/', '/data/', 'artifacts/']),
  {
    files: [
      '*.ts',
      'clients/**/*.{ts,tsx}',
      'apps/*/web/**/*.{ts,tsx}',
      'examples/*/web/*.ts',
      'test/**/*.ts',
    ],
    extends: [js.configs.recommended, tseslint.configs.recommendedTypeChecked],
    // One program for all: a project for each package reads the same sources again and takes five times as long.
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // An async function without await keeps the contract of an interface, and turns what it throws into a rejection.
      ...off('require-await'),
      // The compiler checks this (noUnusedLocals), and counts `??=` as a use.
      'no-unused-private-class-members': 'off',
      // A leading underscore marks what a signature or a destructuring needs and the code does not.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // One program has the types of Node.js for all files; pages run in browsers.
    files: ['apps/*/web/src/**', 'clients/*/src/**', 'examples/*/web/**'],
    rules: { 'no-restricted-globals': ['error', ...node] },
  },
  {
    files: ['**/*.{ts,tsx,vue,svelte}'],
    rules: { 'max-lines': ['error', 400] },
  },
  {
    files: ['**/test/**'],
    rules: { 'max-lines': ['error', 520] },
  },
  {
    // The layers of a page: `ui` uses `state`, `state` uses `api`.
    files: ['apps/*/web/src/api/**', 'clients/inspector/src/api/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['**/state/*', '**/ui/*'] }] },
  },
  {
    files: ['apps/*/web/src/state/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: ['**/ui/*'] }],
      'no-restricted-globals': ['error', ...node, 'document', 'window', 'location', 'history'],
    },
  },
  {
    // Answers of servers and library internals, which the tests check by value.
    files: ['**/test/**'],
    rules: off(...any, 'unbound-method'),
  },
  {
    // RxDB declares its collections, documents and replication state with `any`.
    files: ['clients/typescript/src/rxdb/**'],
    rules: off(...any),
  },
  {
    // vue-tsc checks what is passed to components; this parser does not know their types.
    files: ['apps/wishlists/web/src/*.ts'],
    rules: off('no-unsafe-argument', 'no-unsafe-assignment'),
  },
  {
    files: ['apps/*/web/**/*.vue'],
    extends: [vue.configs['flat/essential']],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    // A component of one application, written in capitals, cannot be taken for an element.
    rules: { 'vue/multi-word-component-names': 'off' },
  },
  {
    files: ['apps/*/web/**/*.svelte', 'clients/inspector/**/*.svelte'],
    extends: [svelte.configs.recommended],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
  },
);
