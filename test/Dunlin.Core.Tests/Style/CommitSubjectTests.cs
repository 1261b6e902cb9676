using System.Diagnostics;

namespace Dunlin.Core.Tests.Style;

/// <summary>scripts/check-commits.sh, which test.sh runs over the history.</summary>
public sealed class CommitSubjectTests
{
    [Theory]
    [InlineData("fix(fanout): keep pattern subscriptions when a topic is revoked")]
    [InlineData("feat!: remove the old endpoints")]
    [InlineData("docs: address comments of a review")]
    public async Task A_conventional_subject_passes(string subject) =>
        Assert.Equal((0, "1 commit subjects, 0 wrong\n"), await CheckAsync(subject));

    [Theory]
    [InlineData("Fix the fan-out", "not '<type>(<scope>): <text>'")]
    [InlineData("fixed(fanout): keep subscriptions", "not '<type>(<scope>): <text>'")]
    [InlineData("fix(fanout): keep subscriptions.", "full stop")]
    [InlineData("fix(fanout): Keep subscriptions", "lower case")]
    [InlineData("fix(fanout): keeps subscriptions", "'keeps' is not imperative")]
    [InlineData("fix(fanout): added subscriptions", "'added' is not imperative")]
    [InlineData("fix(fanout): keep all pattern subscriptions of a connection when a topic is", "75 characters")]
    public async Task Another_subject_fails_with_the_reason(string subject, string reason)
    {
        var (code, output) = await CheckAsync(subject);
        Assert.Equal(1, code);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> CheckAsync(string subject)
    {
        var start = new ProcessStartInfo("bash", ["scripts/check-commits.sh", "--stdin"])
        {
            WorkingDirectory = Checkout.Root,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(subject);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output);
    }
}
