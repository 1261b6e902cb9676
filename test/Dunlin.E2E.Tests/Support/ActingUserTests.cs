using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Requests to every endpoint of the host with one user's cookie from a page of another user.</summary>
public sealed class ActingUserTests
{
    // Endpoints without a user: sign-in, session status, public data.
    private static readonly string[] Open =
    [
        "POST /api/v1/auth/login",
        "GET /api/v1/demo",
        "GET /api/v1/share/{token}/",
        "GET /openapi/{documentName}.json",
        // The page of the inspector and its mode contain no data.
        "GET /dunlin/inspect/",
        "GET /dunlin/inspect/{**file}",
        "GET /dunlin/inspect/api/mode",
    ];

    [Fact]
    public async Task No_endpoint_serves_a_page_of_another_user()
    {
        await using var host = await TestHost.StartAsync();
        using var http = await host.ClientAsync("carol");
        http.DefaultRequestHeaders.Add("Dunlin-User", "bob");
        var answers = new List<string>();
        foreach (var endpoint in host.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>())
        {
            var pattern = endpoint.RoutePattern.RawText!;
            foreach (var method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
            {
                if (!IsApi(pattern) || Open.Contains($"{method} {pattern}") || method == "HEAD")
                    continue;
                using var request = new HttpRequestMessage(new HttpMethod(method), Fill(endpoint.RoutePattern));
                if (method is "POST" or "PUT" or "PATCH")
                    request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                var code =
                    response.StatusCode == HttpStatusCode.Conflict
                        ? JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString()
                        : $"{(int)response.StatusCode}";
                answers.Add($"{method} {pattern}: {code}");
            }
        }
        Assert.True(answers.Count > 60, $"Only {answers.Count} endpoints were found.");
        Assert.Equal([], answers.Where(answer => !answer.EndsWith(": user_changed", StringComparison.Ordinal)));
    }

    private static bool IsApi(string pattern) =>
        pattern.StartsWith("/api/", StringComparison.Ordinal) || pattern.StartsWith("/dunlin/", StringComparison.Ordinal);

    private static string Fill(RoutePattern pattern) =>
        "/"
        + string.Join(
            '/',
            pattern.PathSegments.Select(segment =>
                string.Concat(segment.Parts.Select(part => part is RoutePatternLiteralPart literal ? literal.Content : "1"))
            )
        );
}
