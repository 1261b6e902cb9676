using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>
/// Collects errors of the pages in a browser context: uncaught exceptions, rejected promises and console errors. Ignores browser messages
/// about answers that pages handle (sign in, forbidden, gone, conflict, busy), about a network that a test cuts, and about headers for
/// https, and about a WebSocket that a proxy refuses. Errors 400 and 500 are faults unless the test expects them.
/// </summary>
internal sealed partial class PageErrors
{
    private readonly List<string> _errors = [];

    /// <param name="refusals">Expected error statuses; may grow while the test runs.</param>
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
            + "|net::ERR_(INTERNET_DISCONNECTED|FAILED|CONNECTION)|^WebSocket connection to '[^']*' failed"
            + "|^The Cross-Origin-Opener-Policy header has been ignored"
    )]
    private static partial Regex Expected();
}
