using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dunlin.Host.Tests;

/// <summary>Rules for every endpoint of the engine and all systems, including future ones.</summary>
public sealed class EveryEndpointTests
{
    private static readonly string[] Safe = ["GET", "HEAD", "OPTIONS"];

    [Fact]
    public async Task No_page_of_another_origin_can_write_with_the_cookie()
    {
        await using var host = await LocalHost.StartAsync();
        var (client, cookie, _) = await host.SignInAsync("alice");
        using var disposed = client;
        var writes = host.Endpoints.Where(endpoint => !Safe.Contains(endpoint.Method)).Distinct().ToList();
        Assert.True(writes.Count > 60, $"{writes.Count} endpoints");
        var let = new List<string>();
        foreach (var (method, path) in writes)
        {
            foreach (var authorization in new[] { "Basic x", "basic YWxpY2U6eA==", "Digest x", "" })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path)
                {
                    Content = new StringContent("{}", null, "application/json"),
                };
                request.Headers.TryAddWithoutValidation("Cookie", cookie);
                request.Headers.TryAddWithoutValidation("Origin", authorization.Length > 6 ? "https://evil.example" : "null");
                if (authorization.Length > 0)
                    request.Headers.TryAddWithoutValidation("Authorization", authorization);
                using var response = await client.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                if (
                    response.StatusCode != HttpStatusCode.Forbidden
                    || JsonDocument.Parse(text).RootElement.GetProperty("code").GetString() != "origin_refused"
                )
                    let.Add($"{method} {path} with '{authorization}': {(int)response.StatusCode} {text}");
            }
        }
        Assert.Empty(let);
    }

    [Fact]
    public async Task No_body_is_read_before_the_sign_in()
    {
        await using var host = await LocalHost.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        var wrong = new List<string>();
        foreach (var (method, path) in host.Endpoints.Where(endpoint => !Safe.Contains(endpoint.Method)).Distinct())
        {
            // Sign-in and sign-out need no user; a share link is its own credential.
            if (path.StartsWith("/api/v1/auth/", StringComparison.Ordinal))
                continue;
            // Neither JSON nor an accepted content type: an endpoint that parses the body first would answer differently.
            using var request = new HttpRequestMessage(new HttpMethod(method), path)
            {
                Content = new StringContent("{", null, "text/nonsense"),
            };
            using var response = await client.SendAsync(request);
            if (response.StatusCode != HttpStatusCode.Unauthorized)
                wrong.Add($"{method} {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task HEAD_has_the_status_of_GET_and_no_body()
    {
        await using var host = await LocalHost.StartAsync();
        var (client, _, token) = await host.SignInAsync("alice");
        using var disposed = client;
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var gets = host.Endpoints.Where(endpoint => endpoint.Method == "GET").Select(endpoint => endpoint.Path).Distinct().ToList();
        Assert.True(gets.Count > 30, $"{gets.Count} endpoints");
        var different = new List<string>();
        foreach (var path in gets.SelectMany(path => new[] { path, path + "?topic=users/alice&deviceId=d1&branchId=1&limit=1" }))
        {
            using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
            using var get = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
            if (
                head.StatusCode != get.StatusCode
                || head.Content.Headers.ContentType?.MediaType != get.Content.Headers.ContentType?.MediaType
                || (await head.Content.ReadAsByteArrayAsync()).Length > 0
            )
                different.Add(
                    $"{path}: {(int)head.StatusCode} and {(int)get.StatusCode}, {head.Content.Headers.ContentType} and {get.Content.Headers.ContentType}"
                );
        }
        Assert.Empty(different);
    }

    [Fact]
    public async Task A_method_in_other_letters_is_refused()
    {
        await using var host = await LocalHost.StartAsync();
        var (client, _, token) = await host.SignInAsync("alice");
        using var disposed = client;
        var gets = host.Endpoints.Where(static endpoint => endpoint.Method == "GET").Select(static endpoint => endpoint.Path);
        var accepted = new List<string>();
        foreach (var path in gets.Append("/dunlin/v1/nothing").Distinct())
        {
            // HttpClient would send the known method in capital letters.
            using var raw = new TcpClient(host.Address.Host, host.Address.Port);
            await raw.GetStream()
                .WriteAsync(Encoding.ASCII.GetBytes($"HeAD {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"));
            using var reader = new StreamReader(raw.GetStream(), Encoding.Latin1);
            if (await reader.ReadLineAsync() is not "HTTP/1.1 400 Bad Request" and var status)
                accepted.Add($"{path}: {status}");
        }
        Assert.Empty(accepted);
    }
}
