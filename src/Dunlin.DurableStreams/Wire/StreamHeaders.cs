using Microsoft.AspNetCore.Http;

namespace Dunlin.DurableStreams.Wire;

/// <summary>Reads header fields of requests.</summary>
internal static class StreamHeaders
{
    /// <summary>Returns whether the request closes the stream. Every other value than <c>true</c> counts as absent.</summary>
    public static bool IsClosed(HttpRequest request) =>
        request.Headers[StreamFields.Closed].ToString().Equals(StreamFields.True, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns a field; null if it is absent.</summary>
    public static string? Find(HttpRequest request, string name) =>
        request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;
}
