using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using AiChat;
using AiChat.Answers;
using AiChat.Chats;
using Dunlin.Jobs;
using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;

namespace Dunlin.Guides.Tests.AiChat;

/// <summary>The example application in this process, with manual time and a model that waits for the test.</summary>
internal sealed class ChatHost : IAsyncDisposable
{
    private ChatHost(DunlinTestHost host, ModelUnderTest model) => (Host, Model) = (host, model);

    public DunlinTestHost Host { get; }

    public ModelUnderTest Model { get; }

    /// <param name="settings">Settings of the application.</param>
    public static async Task<ChatHost> StartAsync(params (string Name, string Value)[] settings)
    {
        var model = await ModelUnderTest.StartAsync();
        var host = await DunlinTestHost.StartAsync(host =>
            ChatApplication.Build(
                ["--contentRoot", host.Folder, "--urls", $"http://127.0.0.1:{host.Port}"],
                builder =>
                {
                    host.Configure(builder.Services);
                    ChatApplication.UseModel(builder.Configuration, model.Address);
                    foreach (var (name, value) in settings)
                        builder.Configuration[name] = value;
                }
            )
        );
        return new ChatHost(host, model);
    }

    public async Task<ChatDevice> SignInAsync(string user)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { BaseAddress = Host.Address };
        using var answer = await http.GetAsync(new Uri($"/sign-in/{user}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var cookie = answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var client = TestClients.New(Host.Address);
        client.DefaultRequestHeaders.Add("Cookie", cookie);
        return new ChatDevice(client, user);
    }

    /// <summary>Waits until the job of an answer of ann has a state. The store tells nobody, so this asks again.</summary>
    public async Task WhenJobAsync(string answer, JobState state)
    {
        var id = new TurnKey("ann", ChatDevice.Chat, answer).ToString();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await Host.Store.ReadAsync((scope, ct) => scope.Jobs().FindAsync(AnswerJob.Type, id, ct)))?.State != state)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Model.DisposeAsync();
    }
}

/// <summary>One device of a signed-in user.</summary>
internal sealed class ChatDevice(HttpClient client, string user) : IDisposable
{
    public const string Chat = "chat-1";

    public Task<EventStreamReader<SseItem<string>>> FollowAsync(string? lastEventId = null, string? topic = null) =>
        client.OpenStreamAsync($"/dunlin/v1/events?topic={topic ?? $"chats/{user}/*"}", static item => item, lastEventId);

    public Task<TestAnswer> AskAsync(string id, string text, string chat = Chat) =>
        client.SendJsonAsync("PUT", $"/api/chats/{chat}/turns/{id}", new { text });

    public Task<TestAnswer> StopAsync(string id) => client.SendJsonAsync("POST", $"/api/chats/{Chat}/turns/{id}/stop", null);

    public Task<TestAnswer> RetryAsync(string id) => client.SendJsonAsync("POST", $"/api/chats/{Chat}/turns/{id}/retry", null);

    public Task<TestAnswer> GetAsync(string path) => client.SendJsonAsync("GET", path, null);

    public async Task<List<Turn>> ReadAsync(string chat = Chat) =>
        (await GetAsync($"/api/chats/{chat}")).Ok().Deserialize<List<Turn>>(JsonSerializerOptions.Web)!;

    public void Dispose() => client.Dispose();
}

/// <summary>What a page does with the events of one answer.</summary>
internal static class AnswerEvents
{
    /// <summary>The text that the events add up to. Fails if one is missing or comes twice.</summary>
    public static string TextOf(IEnumerable<SseItem<string>> events)
    {
        var tokens = events.Where(item => item.EventType == "answer.tokens").ToList();
        Assert.Equal(tokens.Count, tokens.Select(item => item.EventId).Distinct().Count());
        return string.Concat(tokens.Select(item => Parse(item).GetProperty("text").GetString()));
    }

    public static Task WhenTextAsync(this EventStreamReader<SseItem<string>> stream, string text) =>
        stream.WhenAsync(events => TextOf(events) == text);

    /// <summary>Waits for the next change of the state, and returns its data.</summary>
    public static async Task<JsonElement> WhenStateAsync(this EventStreamReader<SseItem<string>> stream, string state) =>
        Parse(await stream.UntilAsync(item => item.EventType == "answer.state" && Parse(item).GetProperty("state").GetString() == state));

    private static JsonElement Parse(SseItem<string> item) => JsonDocument.Parse(item.Data).RootElement;
}
