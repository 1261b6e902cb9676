using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>
/// Collects what the pages of a browser context report as errors: uncaught exceptions, rejected promises, and the console. Some things the
/// browser logs by itself, and they are no faults of the page: answers of the server that a page knows how to take (sign in, forbidden,
/// gone, conflict, busy), a network that a test takes away, and headers that count over https only. A request that the server cannot
/// read and the server's own failure are faults, unless the test says that it is about such an answer.
/// </summary>
internal sealed partial class PageErrors
{
    private readonly List<string> _errors = [];

    /// <param name="refusals">Statuses of answers that the test is about; may grow while it runs.</param>
    public PageErrors(IBrowserContext context, IReadOnlyCollection<HttpStatusCode> refusals)
    {
        context.WebError += (_, error) => Add($"{error.Page?.Url}: {error.Error}");
        context.Console += (_, message) =>
        {
            if (message.Type == "error" && !Expected().IsMatch(message.Text) && !refusals.Any(status => IsAnswer(message.Text, status)))
                Add($"{message.Page?.Url}: {message.Text}");
        };
    }

    public void RequireNone()
    {
        lock (_errors)
            Assert.True(_errors.Count == 0, $"The pages reported {_errors.Count} errors:\n{string.Join('\n', _errors.Take(20))}");
    }

    private static bool IsAnswer(string text, HttpStatusCode status) =>
        text.StartsWith(
            string.Create(CultureInfo.InvariantCulture, $"Failed to load resource: the server responded with a status of {(int)status} "),
            StringComparison.Ordinal
        );

    private void Add(string error)
    {
        lock (_errors)
            _errors.Add(error);
    }

    [GeneratedRegex(
        @"^Failed to load resource: (net::ERR_|the server responded with a status of (401|403|404|409|410|412|423|429|503) )"
            + "|net::ERR_(INTERNET_DISCONNECTED|FAILED|CONNECTION)|^The Cross-Origin-Opener-Policy header has been ignored"
    )]
    private static partial Regex Expected();
}
