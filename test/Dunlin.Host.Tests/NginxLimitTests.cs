using System.Net;
using System.Text;
using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.Host.Tests;

/// <summary>Requests that the host accepts pass through <c>deploy/nginx.conf</c>. The host, not nginx, refuses larger ones.</summary>
public sealed class NginxLimitTests
{
    private const int LargestDocument = 5 * 1024 * 1024;

    [Fact]
    public async Task The_largest_document_passes_nginx_and_a_larger_one_gets_the_limit()
    {
        await using var host = new HostProcess();
        host.Settings["Dunlin__TrustedProxies"] = "127.0.0.1";
        await host.StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);

        // Six bytes per character, as some JSON writers produce.
        var text = new StringBuilder("<a>", 6 * LargestDocument);
        text.Insert(3, "\\u0061", LargestDocument - 7).Append("</a>");
        using var largest = await ImportAsync(alice, text.ToString());
        Assert.True(largest.StatusCode == HttpStatusCode.Created, await largest.Content.ReadAsStringAsync());

        using var larger = await ImportAsync(alice, text.Append(' ', 500_000).ToString());
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, larger.StatusCode);
        Assert.Equal("application/problem+json", larger.Content.Headers.ContentType?.MediaType);
        Assert.True(
            JsonDocument.Parse(await larger.Content.ReadAsStringAsync()).RootElement.GetProperty("limit").GetInt64() > LargestDocument
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_of_64_long_topics_passes_nginx_by_URL_and_by_form(bool byForm)
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        await using var nginx = await DeployedNginx.StartAsync(host.Port);
        using var alice = await host.SignInAsync("alice", nginx.Address);
        // Every character of a name may be percent-encoded.
        var topics = string.Join(
            '&',
            Enumerable.Range(0, 64).Select(i => $"topic=users%2Falice%2F{i:00}{string.Concat(Enumerable.Repeat("%2Fa", 93))}")
        );
        using var request = byForm
            ? new HttpRequestMessage(HttpMethod.Post, "/dunlin/v1/events/subscribe")
            {
                Content = new StringContent(topics, Encoding.ASCII, "application/x-www-form-urlencoded"),
            }
            : new HttpRequestMessage(HttpMethod.Get, "/dunlin/v1/events?" + topics);
        using var response = await alice.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
    }

    private static Task<HttpResponseMessage> ImportAsync(HttpClient client, string xml) =>
        client.PostAsync(
            "/api/v1/files/import",
            new StringContent($$"""{"collection":"letters","title":"Large","xml_string":"{{xml}}"}""", Encoding.UTF8, "application/json")
        );
}
