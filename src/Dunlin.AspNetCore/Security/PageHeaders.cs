using System.ComponentModel.DataAnnotations;

namespace Dunlin.Security;

/// <summary>Security headers of pages. Null omits a header.</summary>
public sealed class PageHeaderOptions
{
    /// <summary>
    /// The header <c>Content-Security-Policy</c>. The default allows resources of this server and https images; it forbids frames and
    /// plug-ins.
    /// </summary>
    public string? ContentSecurityPolicy { get; set; } =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; connect-src 'self'; "
        + "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>
    /// The header <c>Referrer-Policy</c>. The default sends addresses of this server to no other site. Default: <c>same-origin</c>.
    /// </summary>
    public string? ReferrerPolicy { get; set; } = "same-origin";

    /// <summary>
    /// The header <c>Cross-Origin-Opener-Policy</c>. The default gives windows of other origins no access to the page. Default:
    /// <c>same-origin</c>.
    /// </summary>
    public string? CrossOriginOpenerPolicy { get; set; } = "same-origin";

    /// <summary>Further headers, by name. Default: empty.</summary>
    [Required]
    public IDictionary<string, string> Further { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}
