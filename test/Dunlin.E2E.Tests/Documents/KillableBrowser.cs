using System.Diagnostics;
using System.Text.RegularExpressions;
using Dunlin.TestKit;
using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Documents;

/// <summary>A browser process that a test kills, so that its pages cannot send anything before their end.</summary>
internal sealed partial class KillableBrowser : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _profile;
    private readonly IPlaywright _playwright;

    private KillableBrowser(Process process, string profile, IPlaywright playwright, IBrowser browser) =>
        (_process, _profile, _playwright, Browser) = (process, profile, playwright, browser);

    public IBrowser Browser { get; }

    public static async Task<KillableBrowser> StartAsync()
    {
        var profile = Directory.CreateTempSubdirectory("dunlin-browser-").FullName;
        var start = new ProcessStartInfo(ChromiumBrowser.Program)
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        string[] own = ["--headless=new", "--remote-debugging-port=0", $"--user-data-dir={profile}"];
        foreach (var argument in own.Concat(ChromiumBrowser.Arguments).Append("about:blank"))
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            if (Listening().Match(line.Data ?? "") is { Success: true } match)
                address.TrySetResult(match.Groups[1].Value);
        };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.ConnectOverCDPAsync(await address.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        return new KillableBrowser(process, profile, playwright, browser);
    }

    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _playwright.Dispose();
        _process.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    [GeneratedRegex("DevTools listening on (ws://\\S+)")]
    private static partial Regex Listening();
}
