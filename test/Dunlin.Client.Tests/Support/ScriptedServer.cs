using System.Net;
using System.Threading.Channels;

namespace Dunlin.Client.Tests.Support;

/// <summary>A request that waits for the answer of a test.</summary>
internal sealed class ScriptedRequest(HttpRequestMessage request, string body)
{
    private readonly TaskCompletionSource<HttpResponseMessage> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Method { get; } = request.Method.Method;

    public Uri Address { get; } = request.RequestUri!;

    public string Body { get; } = body;

    public Dictionary<string, string> Headers { get; } =
        request
            .Headers.Concat(request.Content?.Headers.AsEnumerable() ?? [])
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);

    public Task<HttpResponseMessage> Answered => _answer.Task;

    public void Answer(HttpResponseMessage response)
    {
        response.RequestMessage = new HttpRequestMessage(new HttpMethod(Method), Address);
        _answer.TrySetResult(response);
    }

    /// <summary>Answers with an open stream.</summary>
    public ScriptedBody Open()
    {
        var stream = new ScriptedBody();
        var content = new StreamContent(stream, 1);
        content.Headers.TryAddWithoutValidation("Content-Type", "text/event-stream; charset=utf-8");
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
        response.Headers.Add("Dunlin-Connection", "c0");
        Answer(response);
        return stream;
    }

    public void Refuse() => _answer.TrySetException(new HttpRequestException("Connection refused."));
}

/// <summary>A server that a test plays, below an <see cref="HttpClient"/>.</summary>
internal sealed class ScriptedServer : HttpMessageHandler
{
    private readonly Channel<ScriptedRequest> _requests = Channel.CreateUnbounded<ScriptedRequest>();
    private int _received;

    /// <summary>Gets the number of requests that the test has not taken.</summary>
    public int Waiting => _requests.Reader.Count;

    /// <summary>Gets the number of all requests.</summary>
    public int Received => Volatile.Read(ref _received);

    public Task<ScriptedRequest> NextAsync() => _requests.Reader.ReadAsync().AsTask().WithinLimit();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var scripted = new ScriptedRequest(request, body);
        Interlocked.Increment(ref _received);
        _requests.Writer.TryWrite(scripted);
        return await scripted.Answered.WaitAsync(cancellationToken);
    }
}
