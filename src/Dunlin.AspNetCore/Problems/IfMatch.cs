using System.Globalization;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Problems;

/// <summary>
/// The precondition of a change: it applies only to one of the versions that the client names in <c>If-Match</c>. Immutable.
/// </summary>
/// <remarks>
/// RFC 9110, section 13.1.1, with one exception: tags are compared weakly (section 8.8.3.2). A proxy that compresses a response
/// marks its strong tag as weak (nginx does), and the client can only send back what it got. The tags of this server name a version
/// of the data and no encoding of it, so the weak comparison lets no other version through.
/// </remarks>
public sealed class IfMatch
{
    private static readonly IfMatch Any = new([EntityTagHeaderValue.Any]);

    private readonly IList<EntityTagHeaderValue> _tags;

    private IfMatch(IList<EntityTagHeaderValue> tags) => _tags = tags;

    /// <summary>Reads the header; null where the request has none.</summary>
    /// <exception cref="DunlinException"><see cref="ErrorCode.InvalidField"/>: it is neither <c>*</c> nor a list of entity
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

    /// <summary>The precondition that a version named elsewhere, as in a body, stands for.</summary>
    public static IfMatch Version(long version) => new([new EntityTagHeaderValue(TagOf(version))]);

    /// <summary>The entity tag of a version.</summary>
    public static string TagOf(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>Whether the change may be made to what has this version now.</summary>
    public bool Allows(long version) => Allows(TagOf(version));

    /// <summary>Whether the change may be made to what has this entity tag now.</summary>
    /// <param name="tag">The current tag, with its quotation marks.</param>
    public bool Allows(string tag)
    {
        if (ReferenceEquals(this, Any))
            return true;
        var current = EntityTagHeaderValue.Parse(tag);
        return _tags.Any(known => known.Compare(current, useStrongComparison: false));
    }
}
