using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Holds the origins whose pages may call this server, and the host names under which it serves.</summary>
public sealed class OriginOptions
{
    /// <summary>Gets the exact origins (<c>https://app.example.com</c>, no path) that may send cross-origin requests and write with a
    /// cookie. Default: none, so the server sends no CORS header.</summary>
    /// <remarks>A single <c>*</c> lets every origin read, and requires <see cref="AllowCredentials"/> to be false.</remarks>
    [Required]
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>Gets or sets whether pages of those origins may send cookies and <c>Authorization</c>. Default: true.</summary>
    public bool AllowCredentials { get; set; } = true;

    /// <summary>Gets or sets how long a browser may cache the response to a preflight: 0 to 1 day. Default: 10 minutes. Zero disables
    /// caching.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan PreflightMaxAge { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Gets the names of other authentication schemes whose credential a page must set in code. A write that one of them
    /// authenticated is exempt from the origin check, even with a cookie. Default: <c>Bearer</c>, the JWT scheme of ASP.NET Core.</summary>
    /// <remarks>Never add a scheme that uses cookies, client certificates, Basic or Negotiate: browsers attach those credentials
    /// automatically.</remarks>
    [Required]
    public IList<string> HeaderSchemes { get; } = ["Bearer"];

    /// <summary>Gets the allowed values of <c>Host</c>, without port. <c>*.example.com</c> matches all subdomains. Default: none, which
    /// allows all hosts.</summary>
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
                        "OriginOptions.AllowedOrigins: '*' together with AllowCredentials would let every page of the web act as its visitor. Name the origins, or set AllowCredentials to false."
                    );
                if (options.AllowedOrigins.Count > 1)
                    faults.Add("OriginOptions.AllowedOrigins: '*' stands alone.");
            }
            else if (
                !Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                || uri.Scheme is not ("http" or "https")
                || !string.Equals(origin, uri.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
                || uri.UserInfo.Length > 0
            )
            {
                faults.Add(
                    $"OriginOptions.AllowedOrigins: '{origin}' is not an origin. Write scheme and host in lower case, and the port unless it is the usual one: https://app.example.com"
                );
            }
        }
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
