using System.ComponentModel.DataAnnotations;

namespace Dunlin.Security;

/// <summary>Headers that keep a page from being turned against its user. Null leaves one out.</summary>
public sealed class PageHeaderOptions
{
    /// <summary>Default: everything from this server only, images from anywhere over https, in no frame, no plug-ins.</summary>
    public string? ContentSecurityPolicy { get; set; } =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; connect-src 'self'; "
        + "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>Default: <c>same-origin</c>, so that no address of this server reaches another.</summary>
    public string? ReferrerPolicy { get; set; } = "same-origin";

    /// <summary>Default: <c>same-origin</c>.</summary>
    public string? CrossOriginOpenerPolicy { get; set; } = "same-origin";

    /// <summary>Further headers, by name.</summary>
    [Required]
    public IDictionary<string, string> Further { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}
