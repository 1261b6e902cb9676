using System.Globalization;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Dunlin.RxDb;

/// <summary>Finds the collection of a request, and checks the schema version of the page in the query parameter <c>schema</c>.</summary>
internal static class SchemaCheck
{
    /// <exception cref="DunlinException"><see cref="ErrorCode.NotFound"/>: the collection does not exist.
    /// <see cref="ErrorCode.InvalidField"/>: <c>schema</c> is no number. <see cref="ErrorCode.SchemaOutdated"/>: the page is too old.
    /// <see cref="ErrorCode.Draining"/>: the page is newer than the server, as during a roll-out.</exception>
    public static RxCollection Require(HttpContext context, RxCollectionSet collections, string name)
    {
        var collection =
            collections.Find(name)
            ?? throw new DunlinException(ErrorCode.NotFound, $"No collection '{name[..Math.Min(name.Length, 40)]}'.");
        if ((string?)context.Request.Query["schema"] is not { } text)
            return collection;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var schema))
            throw new DunlinException(
                ErrorCode.InvalidField,
                "'schema' must be the version of the schema, a whole number from 0.",
                "schema"
            );
        if (schema > collection.Schema)
        {
            throw new DunlinException(
                ErrorCode.Draining,
                $"The page has version {schema} of the schema of '{name}', but this server has {collection.Schema}. Try again: a newer server may start."
            )
            {
                RetryAfter = TimeSpan.FromSeconds(5),
            };
        }
        if (schema >= collection.ServedFrom)
            return collection;
        // RFC 9110, section 15.5.22: a 426 response names the required upgrade. HTTP/2 has no such header (RFC 9113, section 8.2.2).
        if (HttpProtocol.IsHttp11(context.Request.Protocol))
            context.Response.Headers.Upgrade = string.Create(CultureInfo.InvariantCulture, $"dunlin-schema/{collection.Schema}");
        throw new DunlinException(
            ErrorCode.SchemaOutdated,
            $"The page has version {schema} of the schema of '{name}'; the server needs {collection.ServedFrom} or later.",
            "schema"
        )
        {
            Extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["current"] = collection.Schema },
        };
    }
}
