using System.Globalization;
using FakeModel;
using Microsoft.AspNetCore.Builder;

namespace Dunlin.Guides.Tests.AiChat;

/// <summary>The fake model of the example, whose tokens wait for the test.</summary>
internal sealed class ModelUnderTest : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly HttpClient _http;

    private ModelUnderTest(WebApplication server)
    {
        _server = server;
        _http = new HttpClient { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromSeconds(60) };
    }

    public string Address => _server.Urls.Single();

    public static async Task<ModelUnderTest> StartAsync()
    {
        var server = FakeModelServer.Build("http://127.0.0.1:0", isPaced: true);
        await server.StartAsync();
        return new ModelUnderTest(server);
    }

    /// <summary>The first tokens of the answer to a question.</summary>
    public static string Start(string question, int tokens) => string.Concat(FakeText.TokensOf(FakeText.AnswerTo(question)).Take(tokens));

    public Task GrantAsync(int tokens) => PostAsync(string.Create(CultureInfo.InvariantCulture, $"/pace?tokens={tokens}"));

    public Task GrantAllAsync() => PostAsync("/pace/all");

    public Task RefuseNextAsync(int status) => PostAsync(string.Create(CultureInfo.InvariantCulture, $"/refuse?status={status}"));

    public Task CutAsync() => PostAsync("/cut");

    /// <summary>Completes when this number of requests is open.</summary>
    public async Task WhenOpenAsync(int count) =>
        (
            await _http.GetAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"/open?count={count}"), UriKind.Relative))
        ).EnsureSuccessStatusCode();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    private async Task PostAsync(string path) => (await _http.PostAsync(new Uri(path, UriKind.Relative), null)).EnsureSuccessStatusCode();
}
