namespace Dunlin.Host;

/// <summary><c>GET /api/v1/demo</c>: the demo accounts. 404 outside demo mode.</summary>
internal static class DemoEndpoint
{
    public static void MapDemo(this IEndpointRouteBuilder app, HostSettings settings)
    {
        if (!settings.Demo)
            return;
        var answer = new DemoAnswer(
            DemoData.Password,
            [.. DemoData.Accounts.Select(account => new DemoAccount(account.Username, account.FullName, account.Roles))]
        );
        app.MapGet(
                "/api/v1/demo",
                (HttpContext http) =>
                {
                    http.Response.Headers.CacheControl = "no-store";
                    return answer;
                }
            )
            .WithTags("Demo");
    }

    private sealed record DemoAnswer(string Password, IReadOnlyList<DemoAccount> Accounts);

    private sealed record DemoAccount(string Username, string FullName, IEnumerable<string> Roles);
}
