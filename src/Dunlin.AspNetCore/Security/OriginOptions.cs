using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Dunlin.Security;

/// <summary>Which pages of other origins may call, and by which names this server may be called.</summary>
public sealed class OriginOptions
{
    /// <summary>
    /// Exact origins (<c>https://app.example.com</c>, no path) that may call across origins and write with a cookie.
    /// Default: none, so that no CORS header is sent. A single <c>*</c> lets every origin read, and needs
    /// <see cref="AllowCredentials"/> to be false.
    /// </summary>
    [Required]
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>Whether pages of those origins may send cookies and authorisation. Default: true.</summary>
    public bool AllowCredentials { get; set; } = true;

    /// <summary>How long a browser may remember the answer to a preflight. Default: ten minutes. Zero: not at all.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan PreflightMaxAge { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Names of authentication schemes of others whose credential a page has to set itself. A write that one of them
    /// authenticated is not checked although a cookie goes along. Default: <c>Bearer</c>, the name of the JWT scheme of ASP.NET Core.
    /// Never name a scheme that takes cookies, client certificates, Basic or Negotiate: browsers send those by themselves.
    /// </summary>
    [Required]
    public IList<string> HeaderSchemes { get; } = ["Bearer"];

    /// <summary>
    /// Values of <c>Host</c>, without port, that are answered; <c>*.example.com</c> covers every name below. Default:
    /// none, which answers all.
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
