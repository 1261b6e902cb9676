using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Cluster;

namespace Dunlin.Inspector.Cluster;

/// <summary>The answers of the other nodes, and the names of those that did not answer within one second. Immutable.</summary>
internal sealed record NodeAnswers<T>(IReadOnlyList<T> Answers, IReadOnlyList<string> Silent);

/// <summary>Asks the other nodes, and names those that do not answer. Thread-safe.</summary>
internal sealed class NodeQueries(ClusterQuery cluster)
{
    private const string Prefix = "inspector.";

    private static readonly string Own = $"{Environment.MachineName}:{Environment.ProcessId}";

    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);

    /// <summary>Gets the name of this node: machine and process.</summary>
    public string Name => Own;

    public string Id => cluster.NodeId;

    /// <summary>Gets the number of other nodes that announced themselves.</summary>
    public int OtherCount => cluster.Others;

    /// <summary>Registers the handler for one kind of request.</summary>
    public void Answer<TRequest, TResponse>(
        string kind,
        JsonTypeInfo<TRequest> request,
        JsonTypeInfo<TResponse> response,
        Func<TRequest, TResponse> answer
    ) =>
        cluster.Answer(
            Prefix + kind,
            asked =>
                JsonSerializer.SerializeToElement(
                    new NodeEnvelope(Id, Own, JsonSerializer.SerializeToElement(answer(asked.Deserialize(request)!), response)),
                    InspectorJson.Default.NodeEnvelope
                ),
            InspectorJson.Default.JsonElement,
            InspectorJson.Default.JsonElement
        );

    /// <summary>Asks all other nodes, and waits up to one second.</summary>
    public async Task<NodeAnswers<TResponse>> AskAsync<TRequest, TResponse>(
        string kind,
        TRequest value,
        JsonTypeInfo<TRequest> request,
        JsonTypeInfo<TResponse> response,
        CancellationToken cancellationToken
    )
    {
        var expected = cluster.OtherNodes;
        if (expected.Count == 0)
            return new([], []);
        var asked = JsonSerializer.SerializeToElement(value, request);
        var responses = await cluster.AskAsync(
            Prefix + kind,
            asked,
            InspectorJson.Default.JsonElement,
            InspectorJson.Default.JsonElement,
            cancellationToken: cancellationToken
        );
        var answers = new List<TResponse>();
        var silent = new HashSet<string>(expected, StringComparer.Ordinal);
        foreach (var element in responses.Value)
        {
            var envelope = element.Deserialize(InspectorJson.Default.NodeEnvelope)!;
            _names[envelope.Node] = envelope.Name;
            silent.Remove(envelope.Node);
            answers.Add(envelope.Value.Deserialize(response)!);
        }
        // A node may have stopped in order while it was asked.
        silent.IntersectWith(cluster.OtherNodes);
        return new(answers, [.. silent.Select(NameOf).Order(StringComparer.Ordinal)]);
    }

    private string NameOf(string node) => _names.TryGetValue(node, out var name) ? name : node;
}

internal sealed record NodeEnvelope(string Node, string Name, JsonElement Value);
