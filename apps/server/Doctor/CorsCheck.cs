namespace Dunlin.Server.Doctor;

/// <summary>Checks whether a browser lets a page of an origin call the server with a token (CORS, Fetch standard).</summary>
internal static class CorsCheck
{
    private const string AllowOrigin = "Access-Control-Allow-Origin";
    private const string AllowHeaders = "Access-Control-Allow-Headers";

    public static async Task RunAsync(Examination examination, string origin, Action<Finding> report, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.GetLeftPart(UriPartial.Authority) != origin)
        {
            report(
                Finding.Fail(
                    "cors",
                    $"'{origin}' is no origin as browsers send it.",
                    "Use scheme, host and port without a path and without a slash at the end, such as https://app.example.com."
                )
            );
            return;
        }
        using var request = examination.Request(HttpMethod.Options, "dunlin/v1/events", withToken: false);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "GET");
        request.Headers.Add("Access-Control-Request-Headers", "authorization");
        using var answer = await examination.SendAsync(request, cancellationToken);
        var (allowed, headers) = (Header(answer, AllowOrigin), Header(answer, AllowHeaders));
        report(
            allowed is null
                ? Finding.Fail(
                    "cors",
                    $"Pages of {origin} are refused: the preflight answer ({(int)answer.StatusCode}) has no {AllowOrigin}.",
                    $"Set Dunlin__Origins__AllowedOrigins__0={origin} and restart the server, and let the proxy pass OPTIONS."
                )
            : allowed.Contains(',', StringComparison.Ordinal)
                ? Finding.Fail("cors", $"{AllowOrigin} has two values: {allowed}.", "Remove the header from the proxy: the server sets it.")
            : allowed != origin && allowed != "*"
                ? Finding.Fail(
                    "cors",
                    $"{AllowOrigin} is {allowed}, not {origin}.",
                    "Remove the header from the proxy: the server sets it."
                )
            : headers is null || !(headers.Contains("authorization", StringComparison.OrdinalIgnoreCase) || headers == "*")
                ? Finding.Fail(
                    "cors",
                    $"{AllowHeaders} lacks Authorization.",
                    "Remove the CORS headers of the proxy: the server sets them."
                )
            : Finding.Ok("cors", $"Pages of {origin} may call the server with a token.")
        );
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
