using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Client.Tests.Scenarios;

/// <summary>Runs <c>docs/spec/client-scenarios.json</c>, as the TypeScript client does.</summary>
public sealed class ScenarioTests
{
    private static readonly Dictionary<string, JsonElement> Scenarios = JsonDocument
        .Parse(Repository.Read("docs/spec/client-scenarios.json"))
        .RootElement.GetProperty("scenarios")
        .EnumerateArray()
        .ToDictionary(scenario => scenario.GetProperty("name").GetString()!);

    public static TheoryData<string> Names => [.. Scenarios.Keys];

    [Fact]
    public void Spec_has_the_expected_number_of_scenarios() => Assert.True(Scenarios.Count >= 80, $"{Scenarios.Count} scenarios");

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Client_follows_the_scenario(string name)
    {
        var scenario = Scenarios[name];
        await using var run = new ScenarioRun(scenario);
        var number = 0;
        foreach (var step in scenario.GetProperty("steps").EnumerateArray())
        {
            number++;
            try
            {
                await run.StepAsync(step);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"Step {number}, {step}: {exception.Message}\n{run}", exception);
            }
        }
    }
}
