using System.ComponentModel.DataAnnotations;
using Dunlin.Scheduling;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Origins whose pages may call the server, and host names that it answers.</summary>
public sealed class OriginOptions
{
    /// <summary>
    /// Exact origins (<c>https://app.example.com</c>, no path) whose pages may call the server and write with a cookie. Empty: the server
    /// sends no CORS header. A single <c>*</c> allows every origin to read, and needs <see cref="AllowCredentials"/> to be false.
    /// Default: empty.
    /// </summary>
    [Required]
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>Whether pages of those origins may send cookies and <c>Authorization</c>. Default: true.</summary>
    public bool AllowCredentials { get; set; } = true;

    /// <summary>
    /// Time for which a browser may cache the response to a preflight. Zero: no caching. Default: 10 minutes. Range: zero to 1 day.
    /// </summary>
    [TimeSpanRange("00:00:00", "1.00:00:00")]
    public TimeSpan PreflightMaxAge { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Authentication schemes whose credential a page must set itself, such as the JWT scheme of ASP.NET Core. A write that one of them
    /// authenticated skips the origin check, even with a cookie. Never name a scheme with cookies, client certificates, Basic or
    /// Negotiate: browsers send those without the page. Default: <c>Bearer</c>.
    /// </summary>
    [Required]
    public IList<string> HeaderSchemes { get; } = ["Bearer"];

    /// <summary>
    /// Values of <c>Host</c>, without port, that the server answers. <c>*.example.com</c> matches every name below it. Other hosts get
    /// 400. Empty: all hosts. Default: empty.
    /// </summary>
    [Required]
    public IList<string> AllowedHosts { get; } = [];
}

internal sealed class OriginOptionsValidator : IValidateOptions<OriginOptions>
{
    public ValidateOptionsResult Validate(string? name, OriginOptions options)
    {
        var faults = new List<string>();
        foreach (var origin in options.AllowedOrigins)
        {
            if (origin == "*")
            {
                if (options.AllowCredentials)
                    faults.Add(
                        "OriginOptions.AllowedOrigins: '*' and AllowCredentials together would let every website act as its visitor. Name the origins, or set AllowCredentials to false."
                    );
                if (options.AllowedOrigins.Count > 1)
                    faults.Add("OriginOptions.AllowedOrigins: '*' must be the only entry.");
            }
            else if (
                !Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                || uri.Scheme is not ("http" or "https")
                || !string.Equals(origin, uri.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
                || uri.UserInfo.Length > 0
            )
            {
                faults.Add(
                    $"OriginOptions.AllowedOrigins: '{origin}' is not an origin. Write scheme and host in lower case, and the port unless it is the default: https://app.example.com"
                );
            }
        }
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}

[OptionsValidator]
internal sealed partial class OriginAnnotationsValidator : IValidateOptions<OriginOptions>;
