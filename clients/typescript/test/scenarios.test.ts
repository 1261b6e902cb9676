import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ScenarioRun, type Scenario } from './support/scenarioRun';

const file = new URL('../../../docs/spec/client-scenarios.json', import.meta.url);
const { scenarios } = JSON.parse(readFileSync(file, 'utf8')) as { scenarios: Scenario[] };

// The .NET client runs the same file in test/Dunlin.Client.Tests/Scenarios.
describe('The client scenarios of docs/spec', () => {
  test('the scenarios exist', () => expect(scenarios.length).toBeGreaterThan(80));

  for (const scenario of scenarios) {
    test(scenario.name, async () => {
      const run = new ScenarioRun(scenario);
      for (const [index, step] of scenario.steps.entries()) {
        await run.step(step, `step ${index + 1}: ${JSON.stringify(step)}`);
      }
      run.dispose();
    });
  }
});
