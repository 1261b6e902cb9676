using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;

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

/// <summary>Installs security headers.</summary>
public static class PageHeaderExtensions
{
    /// <summary>Adds the headers, and <c>X-Content-Type-Options: nosniff</c>, to every answer of what follows. Holds no frame
    /// of its own while a stream is open.</summary>
    public static IApplicationBuilder UseDunlinPageHeaders(this IApplicationBuilder app, Action<PageHeaderOptions>? configure = null)
    {
        var options = new PageHeaderOptions();
        configure?.Invoke(options);
        KeyValuePair<string, string>[] headers =
        [
            new("X-Content-Type-Options", "nosniff"),
            .. Given("Content-Security-Policy", options.ContentSecurityPolicy),
            .. Given("Referrer-Policy", options.ReferrerPolicy),
            .. Given("Cross-Origin-Opener-Policy", options.CrossOriginOpenerPolicy),
            .. options.Further,
        ];
        return app.Use(next =>
            context =>
            {
                foreach (var (name, value) in headers)
                    context.Response.Headers[name] = value;
                return next(context);
            }
        );
    }

    private static IEnumerable<KeyValuePair<string, string>> Given(string name, string? value) => value is null ? [] : [new(name, value)];
}
