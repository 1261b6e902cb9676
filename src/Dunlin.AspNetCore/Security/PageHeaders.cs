using System.ComponentModel.DataAnnotations;

namespace Dunlin.Security;

/// <summary>Holds the security headers of pages. A null value omits the header.</summary>
public sealed class PageHeaderOptions
{
    /// <summary>Gets or sets <c>Content-Security-Policy</c>. Default: content from this server only, images from any https address, no
    /// frames, no plug-ins.</summary>
    public string? ContentSecurityPolicy { get; set; } =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; connect-src 'self'; "
        + "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>Gets or sets <c>Referrer-Policy</c>. Default: <c>same-origin</c>, so that no URL of this server reaches another
    /// server.</summary>
    public string? ReferrerPolicy { get; set; } = "same-origin";

    /// <summary>Gets or sets <c>Cross-Origin-Opener-Policy</c>. Default: <c>same-origin</c>.</summary>
    public string? CrossOriginOpenerPolicy { get; set; } = "same-origin";

    /// <summary>Gets further headers, by name. Default: empty.</summary>
    [Required]
    public IDictionary<string, string> Further { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}
