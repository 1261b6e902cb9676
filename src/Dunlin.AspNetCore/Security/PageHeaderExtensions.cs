using Dunlin.Security;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Extends <see cref="IApplicationBuilder"/> with security headers.</summary>
public static class PageHeaderExtensions
{
    /// <summary>Adds the configured headers, and <c>X-Content-Type-Options: nosniff</c>, to all responses of later middleware.</summary>
    /// <param name="app">The application.</param>
    /// <param name="configure">Sets options.</param>
    /// <returns>The same application.</returns>
    /// <remarks>The middleware has no async state machine that an open stream would keep in memory.</remarks>
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
