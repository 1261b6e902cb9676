using Dunlin.Security;

namespace Microsoft.AspNetCore.Builder;

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
