using System.Text;
using Dunlin.TestKit;

namespace Dunlin.Client.Tests.Support;

/// <summary>A client over a scripted server, on manual time.</summary>
internal sealed class Script : IDisposable
{
    public Script(Action<DunlinClientOptions>? configure = null)
    {
        var options = new DunlinClientOptions
        {
            Address = new Uri("http://server.test"),
            TimeProvider = Time,
            RequestTimeout = Timeout.InfiniteTimeSpan,
            NextRandom = static () => 1,
        };
        configure?.Invoke(options);
        Client = new DunlinClient(options, new HttpClient(Server) { Timeout = Timeout.InfiniteTimeSpan });
    }

    public ManualTime Time { get; } = new();

    public ScriptedServer Server { get; } = new();

    public DunlinClient Client { get; }

    public static byte[] Hello(int position) =>
        Encoding.UTF8.GetBytes(
            $$"""
            id: 0000002a-{{position}}
            event: dunlin.hello
            control: hello
            data: {"connectionId":"c1","position":"0000002a-{{position}}","heartbeatSeconds":15}


            """
        );

    public static byte[] Event(int position, string data = "1") =>
        Encoding.UTF8.GetBytes($"id: 0000002a-{position}\nevent: e\ntopic: a\ndata: {data}\n\n");

    /// <summary>Answers the next request with a stream that has said hello.</summary>
    public async Task<(ScriptedRequest Request, ScriptedBody Body)> OpenAsync(int position)
    {
        var request = await Server.NextAsync();
        var body = request.Open();
        await body.SendAsync(Hello(position));
        return (request, body);
    }

    public void Dispose() => Client.Dispose();
}
