using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Dunlin.Server.Tests.Support;

/// <summary>
/// A program that goes on writing; what it has written is looked at as it comes. Killed with what it started when disposed.
/// </summary>
internal sealed class RunningProgram : IDisposable
{
    private readonly Lock _gate = new(); // guards _text and _waiting
    private readonly System.Text.StringBuilder _text = new();
    private readonly Process _process;
    private (Regex Pattern, TaskCompletionSource<Match> Seen)? _waiting;

    public RunningProgram(ProcessStartInfo info)
    {
        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Text
    {
        get
        {
            lock (_gate)
                return _text.ToString();
        }
    }

    public Task WhenSeenAsync(string text) => WhenSeenAsync(new Regex(Regex.Escape(text)));

    public async Task<Match> WhenSeenAsync(Regex pattern)
    {
        var seen = new TaskCompletionSource<Match>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (pattern.Match(_text.ToString()) is { Success: true } match)
                return match;
            _waiting = (pattern, seen);
        }
        try
        {
            return await seen.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException late)
        {
            throw new InvalidOperationException($"'{pattern}' did not come. Seen:\n{Text}", late);
        }
    }

    public async Task<int> WhenEndedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    /// <summary>SIGKILL to it and to what it started.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private void Take(string? line)
    {
        lock (_gate)
        {
            _text.AppendLine(line);
            if (_waiting is { } waiting && waiting.Pattern.Match(_text.ToString()) is { Success: true } match)
                waiting.Seen.TrySetResult(match);
        }
    }
}
