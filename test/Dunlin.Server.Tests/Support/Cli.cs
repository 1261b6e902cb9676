using System.Text.Json;
using Dunlin.Server.Commands;

namespace Dunlin.Server.Tests.Support;

/// <summary>Runs commands in this process, with their own output.</summary>
internal static class Cli
{
    public static async Task<CliResult> RunAsync(params string[] arguments) =>
        await RunAsync(TestContext.Current.CancellationToken, arguments);

    public static async Task<CliResult> RunAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(
            arguments,
            TextWriter.Synchronized(output),
            TextWriter.Synchronized(error),
            cancellationToken
        );
        return new CliResult(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command that must succeed and returns its JSON result.</summary>
    public static async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var result = await RunAsync([.. arguments, "--output", "json"]);
        Assert.True(result.Code == 0, $"{result.Code}: {result.Error}");
        return JsonDocument.Parse(result.Output).RootElement;
    }
}

/// <summary>The end of a command.</summary>
internal sealed record CliResult(int Code, string Output, string Error);
