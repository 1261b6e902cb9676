using System.Globalization;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Problems;

/// <summary>Represents the precondition of a change: the resource must have one of the versions named in <c>If-Match</c>.
/// Immutable.</summary>
/// <remarks>RFC 9110, section 13.1.1, with one exception: tags are compared weakly (section 8.8.3.2). A proxy that compresses a response,
/// such as nginx, marks its strong tag as weak, and the client sends back that weak tag. The tags of this server name a version of the
/// data, not an encoding, so a weak comparison accepts no other version.</remarks>
public sealed class IfMatch
{
    private static readonly IfMatch Any = new([EntityTagHeaderValue.Any]);

    private readonly IList<EntityTagHeaderValue> _tags;

    private IfMatch(IList<EntityTagHeaderValue> tags) => _tags = tags;

    /// <summary>Returns the precondition of a request, or null if the request has no <c>If-Match</c> header.</summary>
    /// <param name="request">The request.</param>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: the header is neither <c>*</c> nor a list of entity
    /// tags.</exception>
    public static IfMatch? Of(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var header = request.Headers.IfMatch;
        if (header.Count == 0)
            return null;
        if (EntityTagHeaderValue.TryParseStrictList(header, out var tags) && tags.Count > 0)
        {
            if (!tags.Contains(EntityTagHeaderValue.Any))
                return new IfMatch(tags);
            if (tags.Count == 1)
                return Any;
        }
        throw new DunlinException(
            ErrorCode.InvalidField,
            "'If-Match' must be * or a list of entity tags in quotation marks: \"1\", \"2\".",
            HeaderNames.IfMatch
        );
    }

    /// <summary>Returns a precondition that allows one version. Use it when a request names its version elsewhere, for example in its
    /// body.</summary>
    /// <param name="version">The allowed version.</param>
    public static IfMatch Version(long version) => new([new EntityTagHeaderValue(TagOf(version))]);

    /// <summary>Returns the entity tag of a version, with its quotation marks.</summary>
    /// <param name="version">The version.</param>
    public static string TagOf(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>Returns whether the precondition allows a change of a resource that has <paramref name="version"/> now.</summary>
    /// <param name="version">The current version.</param>
    public bool Allows(long version) => Allows(TagOf(version));

    /// <summary>Returns whether the precondition allows a change of a resource that has <paramref name="tag"/> now.</summary>
    /// <param name="tag">The current entity tag, with its quotation marks.</param>
    public bool Allows(string tag)
    {
        if (ReferenceEquals(this, Any))
            return true;
        var current = EntityTagHeaderValue.Parse(tag);
        return _tags.Any(known => known.Compare(current, useStrongComparison: false));
    }
}
