using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.DurableStreams.Wire;

/// <summary>The name of the stream that a URL means: the path below that of all streams. Immutable.</summary>
/// <param name="Root">The path of all streams, with the base path of the application.</param>
/// <param name="Segments">The segments of the name, decoded.</param>
internal sealed record StreamName(string Root, IReadOnlyList<string> Segments)
{
    /// <summary>The first segment of the addresses of the protocol itself.</summary>
    public const string Reserved = "__ds";

    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: the address belongs to the protocol.
    /// <see cref="ErrorCode.InvalidTopic"/>: the name is empty or has an empty segment.</exception>
    public static StreamName Of(HttpContext context, string path)
    {
        var root = context.Request.PathBase.Value + path;
        return new StreamName(root, Split((string?)context.GetRouteValue("stream") ?? ""));
    }

    /// <summary>Returns the name that a path of this server means, as in <c>Stream-Forked-From</c>.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: the path is not one of a stream.</exception>
    public StreamName FromPath(string path)
    {
        var end = path.AsSpan().IndexOfAny('?', '#');
        if (end >= 0)
            path = path[..end];
        return path.StartsWith(Root + "/", StringComparison.Ordinal)
            ? new StreamName(Root, Split(Uri.UnescapeDataString(path[(Root.Length + 1)..])))
            : throw new DunlinException(
                ErrorCode.NotFound,
                $"The source '{path}' is no stream of this server. Use a path below '{Root}/'."
            );
    }

    private static string[] Split(string name)
    {
        var segments = name.Split('/');
        if (segments[0] == Reserved)
            throw new DunlinException(
                ErrorCode.NotFound,
                $"The address '{Reserved}' is reserved for the protocol, and has no such request."
            );
        return segments.All(static segment => segment.Length > 0)
            ? segments
            : throw new DunlinException(ErrorCode.InvalidTopic, $"The stream name '{name}' is empty or has an empty segment.", "stream");
    }
}
